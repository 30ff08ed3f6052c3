//! Calls JavaScript from another thread, at most once at a time.
//!
//! The raw thread-safe function, because its reference to the event loop must come and go with
//! what is awaited, and because an exception that the user's listener throws must reach
//! `uncaughtException` like any other.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::Function;
use napi::{Env, JsValue, Result, check_status, sys};

/// A JavaScript function that any thread can have called, with the sum of the numbers that were
/// asked for since its last call.
pub(crate) struct Call {
    shared: Arc<Shared>,
}

struct Shared {
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
        let shared = Arc::new(Shared {
            function: Mutex::new(None),
            pending: AtomicUsize::new(0),
            gone: Box::new(gone),
        });
        let data = Arc::into_raw(Arc::clone(&shared)).cast::<c_void>().cast_mut();
        let mut raw = ptr::null_mut();
        let mut name = ptr::null_mut();
        // SAFETY: `env` and `function` are live in this call; `data` is an `Arc` that the finaliser
        // gives back, and outlives every call because the finaliser runs last.
        unsafe {
            check_status!(sys::napi_create_string_utf8(
                env.raw(),
                NAME.as_ptr().cast(),
                NAME.len().cast_signed(),
                &raw mut name
            ))?;
            check_status!(sys::napi_create_threadsafe_function(
                env.raw(),
                function.raw(),
                ptr::null_mut(),
                name,
                0,
                1,
                data,
                Some(finalize),
                data,
                Some(call_js),
                &raw mut raw
            ))?;
        }
        *shared.function.lock().unwrap_or_else(PoisonError::into_inner) = Some(Raw(raw));
        Ok(Self { shared })
    }

    /// Has the function called with `what` (not zero) added to what it will be told.
    pub(crate) fn call(&self, what: usize) {
        if self.shared.pending.fetch_or(what, Ordering::SeqCst) != 0 {
            return;
        }
        let function = self.shared.function.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Raw(raw)) = *function {
            // SAFETY: alive, because the finaliser clears the option under this lock first.
            // A refusal means that JavaScript is going away, and with it who would be told.
            unsafe {
                sys::napi_call_threadsafe_function(
                    raw,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                );
            }
        }
    }

    /// Whether the event loop stays alive for a call to come. On JavaScript's thread only.
    pub(crate) fn hold(&self, env: &Env, hold: bool) {
        let function = self.shared.function.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Raw(raw)) = *function {
            // SAFETY: alive (see `call`), and on JavaScript's thread, which has an `Env`.
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
        let raw = self.shared.function.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Raw(raw)) = raw {
            // SAFETY: alive (see `call`), and taken, so released once.
            unsafe {
                sys::napi_release_threadsafe_function(
                    raw,
                    sys::ThreadsafeFunctionReleaseMode::release,
                );
            }
        }
    }
}

unsafe extern "C" fn finalize(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the `Arc` that `new` turned into a pointer, given back once.
    let shared = unsafe { Arc::from_raw(data.cast::<Shared>()) };
    let alive = shared.function.lock().unwrap_or_else(PoisonError::into_inner).take();
    if alive.is_some() {
        (shared.gone)();
    }
}

unsafe extern "C" fn call_js(
    env: sys::napi_env,
    function: sys::napi_value,
    context: *mut c_void,
    _data: *mut c_void,
) {
    // SAFETY: the context lives until the finaliser has run, and that is after the last call.
    let shared = unsafe { &*context.cast::<Shared>() };
    let what = shared.pending.swap(0, Ordering::SeqCst);
    if env.is_null() || function.is_null() {
        return;
    }
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
