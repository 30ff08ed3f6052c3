//! Notes in memory that this process's JavaScript heap has reached its limit: what V8 says then goes to
//! the error stream without passing JavaScript, and nothing runs afterwards.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::os::host::exported_cpp;
use crate::os::memory::Memory;
use crate::wire::layout::Layout;

/// `v8::NearHeapLimitCallback`: data, the heap's limit, and what that was at first; returns the limit from
/// now on.
type NearLimit = unsafe extern "C" fn(*mut c_void, usize, usize) -> usize;

/// `v8::Isolate::GetCurrent`.
type GetCurrent = unsafe extern "C" fn() -> *mut c_void;

/// `v8::Isolate::AddNearHeapLimitCallback`, a method.
type AddNearLimit = unsafe extern "C" fn(*mut c_void, NearLimit, *mut c_void);

/// From now on. Does nothing where this Node does not export the functions. On JavaScript's thread.
pub(super) fn note_limit(memory: Arc<Memory>) {
    let get_current =
        exported_cpp(c"_ZN2v87Isolate10GetCurrentEv", c"?GetCurrent@Isolate@v8@@SAPEAV12@XZ");
    let add = exported_cpp(
        c"_ZN2v87Isolate24AddNearHeapLimitCallbackEPFmPvmmES1_",
        c"?AddNearHeapLimitCallback@Isolate@v8@@QEAAXP6A_KPEAX_K1@Z0@Z",
    );
    // SAFETY: the mangled names say the parameters' types, and null is `None`; a method's first parameter
    // is the object, and the returned values are as the declarations in V8's header say.
    let (get_current, add) = unsafe {
        (
            std::mem::transmute::<*mut c_void, Option<GetCurrent>>(get_current),
            std::mem::transmute::<*mut c_void, Option<AddNearLimit>>(add),
        )
    };
    let (Some(get_current), Some(add)) = (get_current, add) else { return };
    // The heap may outlive everything else.
    let data = Arc::into_raw(memory).cast::<c_void>().cast_mut();
    // SAFETY: on JavaScript's thread, whose isolate it is; the data lives as long as the process.
    unsafe { add(get_current(), near_limit, data) };
}

unsafe extern "C" fn near_limit(data: *mut c_void, limit: usize, _initial: usize) -> usize {
    // SAFETY: what was given to `add`, which is never dropped.
    let memory = unsafe { &*data.cast::<Memory>() };
    memory.word(Layout::HEAP_LIMIT).store(1, Ordering::SeqCst);
    // The limit stays: V8 goes on as if nobody had been asked.
    limit
}
