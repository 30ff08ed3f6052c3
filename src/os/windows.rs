//! How system calls on Windows report success and failure, and take and give handles.

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};

/// What a call has returned that is 0 if it failed just now.
pub(super) fn done(is_done: i32) -> io::Result<()> {
    if is_done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Takes over a handle that a call has returned.
///
/// # Safety
/// It is a new handle that nobody else owns, or null or -1 if the call failed just now.
pub(super) unsafe fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the caller's.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// A handle as calls take it.
pub(super) fn raw(handle: &OwnedHandle) -> HANDLE {
    handle.as_raw_handle()
}
