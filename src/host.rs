//! The program that has loaded this library: functions that it exports by name, and that not every Node has.

use std::ffi::{CStr, c_void};

/// The function of this name; null if there is none.
#[cfg(unix)]
pub(crate) fn exported(name: &CStr) -> *mut c_void {
    // SAFETY: the name ends with a zero; nothing of the process is changed.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

/// The function of this name; null if there is none. Node is one file here, the program itself.
#[cfg(windows)]
pub(crate) fn exported(name: &CStr) -> *mut c_void {
    use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};

    // SAFETY: the name ends with a zero; the program stays where it is as long as the process lives.
    let found = unsafe { GetProcAddress(GetModuleHandleW(std::ptr::null()), name.as_ptr().cast()) };
    found.map_or(std::ptr::null_mut(), |function| function as *mut c_void)
}

/// The function of C++ that most compilers know by the first name, and Microsoft's, by which Node is made for
/// Windows, by the second.
pub(crate) fn exported_cpp(name: &CStr, microsoft: &CStr) -> *mut c_void {
    exported(if cfg!(windows) { microsoft } else { name })
}
