//! Starts a process on Windows, with the handles that it is to have and no others.

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::windows::io::OwnedHandle;
use std::ptr;

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_TYPE_CHAR, FILE_TYPE_DISK, FILE_TYPE_PIPE, GetFileType,
};
use windows_sys::Win32::System::Console::{
    GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
};
use windows_sys::Win32::System::Threading::{
    CREATE_NO_WINDOW, CREATE_SUSPENDED, CREATE_UNICODE_ENVIRONMENT, CreateProcessW,
    DeleteProcThreadAttributeList, EXTENDED_STARTUPINFO_PRESENT, InitializeProcThreadAttributeList,
    LPPROC_THREAD_ATTRIBUTE_LIST, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, PROCESS_INFORMATION,
    ResumeThread, STARTF_USESHOWWINDOW, STARTF_USESTDHANDLES, STARTUPINFOEXW, TerminateProcess,
    UpdateProcThreadAttribute,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{SW_HIDE, SW_SHOWDEFAULT};

use super::super::block;
use super::super::{Pipes, Recipe, Stream};
use super::{ENDED, duplicate, limit};
use crate::os::host::exported;
use crate::os::socket;
use crate::os::windows::{done, owned, raw};

/// A process that runs.
pub(super) struct Started {
    pub(super) pid: u32,
    pub(super) process: OwnedHandle,
    pub(super) job: Option<OwnedHandle>,
}

/// Starts a process; see [`super::Child::spawn`].
pub(super) fn start(
    recipe: &Recipe,
    extra: Vec<(OwnedHandle, i32)>,
) -> io::Result<(Started, Pipes)> {
    if recipe.uid.is_some() || recipe.gid.is_some() {
        let what = "uid and gid are not supported on Windows";
        return Err(io::Error::new(io::ErrorKind::Unsupported, what));
    }
    let program = block::wide(&recipe.program)?;
    let mut line = block::wide(&block::command_line(&recipe.program, &recipe.args))?;
    let environment = block::environment(&recipe.env, |name| std::env::var(name).ok())?;
    let cwd = recipe.cwd.as_deref().map(block::wide).transpose()?;
    // Until they are closed at the end, every process inherits them that is started without a list of handles: there is no other
    // way to give them to one.
    let (places, pipes) = places(recipe, extra)?;
    let handles: Vec<HANDLE> = places.iter().map(|place| raw(&place.handle)).collect();
    let mut table = block::descriptors(
        &places
            .iter()
            .map(|place| (place.at, place.flags, raw(&place.handle).addr()))
            .collect::<Vec<_>>(),
    )?;
    let mut startup = STARTUPINFOEXW::default();
    let basic = &mut startup.StartupInfo;
    basic.cb = size_of::<STARTUPINFOEXW>() as u32;
    basic.dwFlags = STARTF_USESTDHANDLES | STARTF_USESHOWWINDOW;
    basic.wShowWindow = (if recipe.hides_window { SW_HIDE } else { SW_SHOWDEFAULT }) as u16;
    basic.cbReserved2 = table.len() as u16;
    basic.lpReserved2 = table.as_mut_ptr();
    let standard = |at| places.iter().find(|place| place.at == at).map(|place| raw(&place.handle));
    basic.hStdInput = standard(0).unwrap_or(INVALID_HANDLE_VALUE);
    basic.hStdOutput = standard(1).unwrap_or(INVALID_HANDLE_VALUE);
    basic.hStdError = standard(2).unwrap_or(INVALID_HANDLE_VALUE);
    let mut attributes = Attributes::handles(&handles)?;
    startup.lpAttributeList = attributes.list();
    // As libuv does: a process that shares the console of this one has no window of its own.
    let has_console =
        recipe.stdio.iter().any(|stream| matches!(stream, Stream::Inherit | Stream::Fd(_)));
    let no_window = if recipe.hides_window && !has_console { CREATE_NO_WINDOW } else { 0 };
    let flags =
        CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT | CREATE_SUSPENDED | no_window;
    let mut created = PROCESS_INFORMATION::default();
    // SAFETY: all texts and lists end as they should, and live until the call returns; the handles that it gives
    // are new.
    let (process, thread) = unsafe {
        done(CreateProcessW(
            program.as_ptr(),
            line.as_mut_ptr(),
            ptr::null(),
            ptr::null(),
            1,
            flags,
            environment.as_ptr().cast(),
            cwd.as_ref().map_or(ptr::null(), Vec::as_ptr),
            &raw const startup.StartupInfo,
            &raw mut created,
        ))?;
        (owned(created.hProcess)?, owned(created.hThread)?)
    };
    // Before it runs, so that whatever it starts is in the job too. An old Windows refuses it if this process is in a job itself.
    let job = job(&process).ok();
    // SAFETY: the thread and the process are this function's.
    unsafe {
        if ResumeThread(raw(&thread)) == u32::MAX {
            let error = io::Error::last_os_error();
            TerminateProcess(raw(&process), ENDED);
            return Err(error);
        }
    }
    Ok((Started { pid: created.dwProcessId, process, job }, pipes))
}

/// A job of the process alone, which the system terminates when this process exits.
fn job(process: &OwnedHandle) -> io::Result<OwnedHandle> {
    // SAFETY: the returned handle is nobody else's.
    let job = unsafe { owned(CreateJobObjectW(ptr::null(), ptr::null()))? };
    limit(&job, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE)?;
    // SAFETY: both are this function's.
    done(unsafe { AssignProcessToJobObject(raw(&job), raw(process)) })?;
    Ok(job)
}

/// The handle of one of the child's descriptors, which it inherits.
struct Place {
    at: usize,
    flags: u8,
    handle: OwnedHandle,
}

impl Place {
    fn new(at: usize, handle: HANDLE) -> io::Result<Self> {
        let handle = duplicate(handle, true)?;
        // SAFETY: only asks.
        let flags = match unsafe { GetFileType(raw(&handle)) } {
            FILE_TYPE_PIPE => block::OPEN | block::IS_PIPE,
            FILE_TYPE_DISK => block::OPEN,
            FILE_TYPE_CHAR => block::OPEN | block::IS_DEVICE,
            // Memory, which the C library must not know of.
            _ => 0,
        };
        Ok(Self { at, flags, handle })
    }
}

fn places(recipe: &Recipe, extra: Vec<(OwnedHandle, i32)>) -> io::Result<(Vec<Place>, Pipes)> {
    let (mut places, mut pipes) = (Vec::new(), Vec::new());
    for (at, stream) in recipe.stdio.iter().enumerate() {
        match *stream {
            Stream::Inherit => {
                let own = own(at).and_then(|handle| Place::new(at, handle));
                places.push(own.or_else(|_| nothing(at))?);
            }
            Stream::Fd(fd) => {
                let fd = usize::try_from(fd).map_err(io::Error::other)?;
                places.push(Place::new(at, own(fd)?)?);
            }
            Stream::Ignore => places.push(nothing(at)?),
            Stream::Pipe => {
                let (ours, theirs) = socket::blocking_pair()?;
                places.push(Place::new(at, raw(&theirs))?);
                pipes.push((at, ours));
            }
        }
    }
    for (handle, at) in extra {
        let at = usize::try_from(at).map_err(io::Error::other)?;
        places.push(Place::new(at, raw(&handle))?);
    }
    Ok((places, pipes))
}

fn nothing(at: usize) -> io::Result<Place> {
    let nothing = OwnedHandle::from(File::options().read(true).write(true).open("NUL")?);
    Place::new(at, raw(&nothing))
}

/// `uv_get_osfhandle`: the handle of a descriptor in the C library that is Node's own.
type GetHandle = unsafe extern "C" fn(i32) -> *mut c_void;

/// The handle of one of this process's descriptors.
fn own(fd: usize) -> io::Result<HANDLE> {
    let get = exported(c"uv_get_osfhandle");
    // SAFETY: what libuv exports by this name has this type, in every version; null is `None`.
    let get = unsafe { std::mem::transmute::<*mut c_void, Option<GetHandle>>(get) };
    let standard = [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE];
    // SAFETY: a number that is no descriptor has no handle.
    let handle = unsafe {
        match get {
            Some(get) => i32::try_from(fd).map_or(ptr::null_mut(), |fd| get(fd)),
            None => standard.get(fd).map_or(ptr::null_mut(), |&which| GetStdHandle(which)),
        }
    };
    // A standard stream that is missing has -2, which also stands for this thread.
    if handle.is_null() || handle.addr() >= usize::MAX - 1 {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("descriptor {fd} is not open"),
        ));
    }
    Ok(handle)
}

/// The list of handles that a process inherits.
struct Attributes<'a> {
    /// The list, which the system has made.
    bytes: Vec<usize>,
    /// Read when the process is created.
    _handles: &'a [HANDLE],
}

impl<'a> Attributes<'a> {
    fn handles(handles: &'a [HANDLE]) -> io::Result<Self> {
        let mut len = 0;
        // SAFETY: without a list it only says how long one is.
        unsafe { InitializeProcThreadAttributeList(ptr::null_mut(), 1, 0, &raw mut len) };
        let mut bytes = vec![0; len.div_ceil(size_of::<usize>())];
        let list = bytes.as_mut_ptr().cast();
        // SAFETY: the list has the length that was asked for.
        done(unsafe { InitializeProcThreadAttributeList(list, 1, 0, &raw mut len) })?;
        // From here on it is deleted when it is dropped.
        let mut attributes = Self { bytes, _handles: handles };
        // SAFETY: the handles live as long as the list.
        done(unsafe {
            UpdateProcThreadAttribute(
                attributes.list(),
                0,
                PROC_THREAD_ATTRIBUTE_HANDLE_LIST as usize,
                handles.as_ptr().cast(),
                size_of_val(handles),
                ptr::null_mut(),
                ptr::null(),
            )
        })?;
        Ok(attributes)
    }

    fn list(&mut self) -> LPPROC_THREAD_ATTRIBUTE_LIST {
        self.bytes.as_mut_ptr().cast()
    }
}

impl Drop for Attributes<'_> {
    fn drop(&mut self) {
        // SAFETY: made above, and deleted once.
        unsafe { DeleteProcThreadAttributeList(self.list()) };
    }
}
