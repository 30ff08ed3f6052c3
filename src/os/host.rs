//! The program that has loaded this library: the functions that it exports, of which not every Node has all, and how long it
//! keeps this library loaded.

use std::ffi::{CStr, c_void};

/// Keeps this library loaded until the process exits. Node unloads it with the last of the threads that loaded it, but the
/// library has threads and handlers of its own. False if the system refuses.
#[cfg(unix)]
pub(crate) fn stay() -> bool {
    let within = (stay as *const ()).cast();
    // SAFETY: all zeroes are valid; `dladdr` writes what it knows of an address, and its texts last as long as the library;
    // `dlopen` does not load it again.
    unsafe {
        let mut about: libc::Dl_info = std::mem::zeroed();
        let flags = libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
        libc::dladdr(within, &raw mut about) != 0
            && !about.dli_fname.is_null()
            && !libc::dlopen(about.dli_fname, flags).is_null()
    }
}

/// The same.
#[cfg(windows)]
pub(crate) fn stay() -> bool {
    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
    };

    let flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
    let mut module = std::ptr::null_mut();
    // SAFETY: the text is an address within this library, as the flags say; it writes one handle.
    unsafe { GetModuleHandleExW(flags, (stay as *const ()).cast(), &raw mut module) != 0 }
}

/// The function of this name; null if there is none.
#[cfg(unix)]
pub(crate) fn exported(name: &CStr) -> *mut c_void {
    // SAFETY: the name ends with a zero; nothing of the process is changed.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

/// The same. Node is one file here, the program itself.
#[cfg(windows)]
pub(crate) fn exported(name: &CStr) -> *mut c_void {
    use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};

    // SAFETY: the name ends with a zero; the program stays where it is as long as the process lives.
    let found = unsafe { GetProcAddress(GetModuleHandleW(std::ptr::null()), name.as_ptr().cast()) };
    found.map_or(std::ptr::null_mut(), |function| function as *mut c_void)
}

/// A C++ function, by its name in most compilers and in Microsoft's, which compiles Node for Windows.
pub(crate) fn exported_cpp(name: &CStr, microsoft: &CStr) -> *mut c_void {
    exported(if cfg!(windows) { microsoft } else { name })
}

#[cfg(test)]
mod tests {
    #[cfg(windows)]
    #[test]
    fn what_is_loaded_stays() {
        assert!(super::stay());
    }
}
