//! Calls JavaScript from another thread, at most once at a time.
//!
//! The raw thread-safe function, because its reference to the event loop must come and go with
//! what is awaited, and because an exception that the user's listener throws must reach
//! `uncaughtException` like any other.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use napi::bindgen_prelude::Function;
use napi::{Env, JsValue, Result, check_status, sys};

use crate::os::host;

/// A JavaScript function that any thread can have called, with the sum of the numbers that were
/// asked for since its last call.
pub(crate) struct Call {
    shared: Arc<Shared>,
}

struct Shared {
    /// Whoever uses it holds the lock meanwhile: the finaliser, after which Node deletes it, waits for that. None once
    /// it was released or finalised.
    function: Mutex<Option<Raw>>,
    /// What the next call will be told; while it is not zero a call is on its way.
    pending: AtomicUsize,
    /// Run when JavaScript goes away, on its thread.
    gone: Box<dyn Fn() + Send + Sync>,
}

#[derive(Clone, Copy)]
struct Raw(sys::napi_threadsafe_function);

// SAFETY: a thread-safe function is made to be used from any thread.
unsafe impl Send for Raw {}

impl Call {
    /// Takes `function`; the event loop is held until [`Call::hold`] says otherwise.
    pub(crate) fn new(
        env: &Env,
        function: &Function<'_, u32, ()>,
        gone: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self> {
        const NAME: &str = "sonic-distribute";
        static STAYS: Once = Once::new();
        // Other threads will call, also when those of JavaScript have ended. Where it cannot be had, Node has to keep
        // this library, as it does on its main thread.
        STAYS.call_once(|| _ = host::stay());
        let shared = Arc::new(Shared {
            function: Mutex::new(None),
            pending: AtomicUsize::new(0),
            gone: Box::new(gone),
        });
        let mut raw = ptr::null_mut();
        let mut name = ptr::null_mut();
        // SAFETY: `env` and `function` are live in this call; `data` is an `Arc` that the finaliser gives back. There
        // is no context: Node empties its queue after the finaliser, so each call brings an `Arc` of its own.
        unsafe {
            check_status!(sys::napi_create_string_utf8(
                env.raw(),
                NAME.as_ptr().cast(),
                NAME.len().cast_signed(),
                &raw mut name
            ))?;
            let data = Arc::into_raw(Arc::clone(&shared));
            let created = sys::napi_create_threadsafe_function(
                env.raw(),
                function.raw(),
                ptr::null_mut(),
                name,
                0,
                1,
                data.cast_mut().cast(),
                Some(finalize),
                ptr::null_mut(),
                Some(call_js),
                &raw mut raw,
            );
            if created != sys::Status::napi_ok {
                // There is no function, and no finaliser that would.
                drop(Arc::from_raw(data));
            }
            check_status!(created)?;
        }
        *shared.lock() = Some(Raw(raw));
        Ok(Self { shared })
    }

    /// Has the function called with `what` (not zero) added to what it will be told.
    pub(crate) fn call(&self, what: usize) {
        if self.shared.pending.fetch_or(what, Ordering::SeqCst) != 0 {
            return;
        }
        let function = self.shared.lock();
        if let Some(Raw(raw)) = *function {
            let data = Arc::into_raw(Arc::clone(&self.shared));
            // SAFETY: alive (see `Shared::function`), the lock is held. Node hands `data` to `call_js` once, unless it
            // refuses the call: then it is given back here.
            unsafe {
                let called = sys::napi_call_threadsafe_function(
                    raw,
                    data.cast_mut().cast(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                );
                if called != sys::Status::napi_ok {
                    // JavaScript is going away, and with it who would be told.
                    drop(Arc::from_raw(data));
                }
            }
        }
    }

    /// Whether the event loop stays alive for a call to come. On JavaScript's thread only.
    pub(crate) fn hold(&self, env: &Env, hold: bool) {
        let function = self.shared.lock();
        if let Some(Raw(raw)) = *function {
            // SAFETY: alive (see `Shared::function`), the lock is held; and on JavaScript's thread, which has an `Env`.
            unsafe {
                if hold {
                    sys::napi_ref_threadsafe_function(env.raw(), raw);
                } else {
                    sys::napi_unref_threadsafe_function(env.raw(), raw);
                }
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut function = self.shared.lock();
        if let Some(Raw(raw)) = function.take() {
            // SAFETY: alive (see `Shared::function`), the lock is held until it was released; and taken, so that is
            // done once. Node finalises it later, on its own thread.
            unsafe {
                sys::napi_release_threadsafe_function(
                    raw,
                    sys::ThreadsafeFunctionReleaseMode::release,
                );
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<Raw>> {
        self.function.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Node deletes the function after this, whether it was released or JavaScript goes away.
unsafe extern "C" fn finalize(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the `Arc` that `new` turned into a pointer, given back once.
    let shared = unsafe { Arc::from_raw(data.cast_const().cast::<Shared>()) };
    let alive = shared.lock().take();
    if alive.is_some() {
        (shared.gone)();
    }
}

/// What Node does with each call in its queue, once: on JavaScript's thread; or without an `env`, after the finaliser,
/// to empty the queue.
unsafe extern "C" fn call_js(
    env: sys::napi_env,
    function: sys::napi_value,
    _context: *mut c_void,
    data: *mut c_void,
) {
    // SAFETY: the `Arc` that `Call::call` turned into a pointer for this call, given back once.
    let shared = unsafe { Arc::from_raw(data.cast_const().cast::<Shared>()) };
    let what = shared.pending.swap(0, Ordering::SeqCst);
    if env.is_null() || function.is_null() {
        return;
    }
    // What the function does may end this process.
    drop(shared);
    let what = u32::try_from(what).unwrap_or(u32::MAX);
    let (mut this, mut argument, mut result) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: on JavaScript's thread with a live `env` (checked), inside the handle scope that
    // Node opens around this call.
    unsafe {
        sys::napi_get_undefined(env, &raw mut this);
        sys::napi_create_uint32(env, what, &raw mut argument);
        let status =
            sys::napi_call_function(env, this, function, 1, &raw const argument, &raw mut result);
        if status == sys::Status::napi_pending_exception {
            let mut exception = ptr::null_mut();
            sys::napi_get_and_clear_last_exception(env, &raw mut exception);
            sys::napi_fatal_exception(env, exception);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(gone: impl Fn() + Send + Sync + 'static) -> Arc<Shared> {
        let gone = Box::new(gone);
        Arc::new(Shared { function: Mutex::default(), pending: AtomicUsize::new(1), gone })
    }

    fn pointer(shared: &Arc<Shared>) -> *mut c_void {
        Arc::into_raw(Arc::clone(shared)).cast_mut().cast()
    }

    /// Node finalises a function, and then empties its queue.
    #[test]
    fn a_call_that_is_left_when_javascript_goes_away_finds_what_it_needs() {
        let heard = Arc::new(AtomicUsize::new(0));
        let told = Arc::clone(&heard);
        let shared = shared(move || {
            told.fetch_add(1, Ordering::SeqCst);
        });
        let left = Arc::downgrade(&shared);
        *shared.lock() = Some(Raw(ptr::null_mut()));
        let (owned, [one, other]) = (pointer(&shared), [0; 2].map(|_| pointer(&shared)));
        drop(shared);
        // SAFETY: each pointer is an `Arc`, and given back once.
        unsafe {
            finalize(ptr::null_mut(), owned, ptr::null_mut());
            assert_eq!((left.strong_count(), heard.load(Ordering::SeqCst)), (2, 1));
            call_js(ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), one);
            assert_eq!(left.strong_count(), 1);
            call_js(ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), other);
        }
        assert_eq!((left.strong_count(), heard.load(Ordering::SeqCst)), (0, 1));
    }

    /// Nobody uses a function that Node deletes: the finaliser waits for whoever does, and nobody does after it.
    #[test]
    fn the_finaliser_waits_for_whoever_uses_the_function() {
        let shared = shared(|| ());
        *shared.lock() = Some(Raw(ptr::null_mut()));
        let owned = Owned(pointer(&shared));
        let used = shared.lock();
        let finaliser = std::thread::spawn(move || {
            let Owned(data) = { owned };
            // SAFETY: an `Arc`, given back once.
            unsafe { finalize(ptr::null_mut(), data, ptr::null_mut()) };
        });
        assert!(used.is_some() && !finaliser.is_finished());
        drop(used);
        finaliser.join().expect("no panic");
        assert!(shared.lock().is_none());
        // It is released no more, and called no more.
        let call = Call { shared };
        call.call(1);
        drop(call);
    }

    struct Owned(*mut c_void);

    // SAFETY: an `Arc` of what any thread may have.
    unsafe impl Send for Owned {}
}
