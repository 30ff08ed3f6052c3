//! One end of a pipe: any thread writes without blocking, one thread reads and waits.

use std::cell::UnsafeCell;
use std::io::{self, Read};
use std::os::windows::io::OwnedHandle;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use windows_sys::Win32::Foundation::{
    ERROR_IO_INCOMPLETE, ERROR_IO_PENDING, ERROR_PIPE_CONNECTED, GENERIC_READ, GENERIC_WRITE,
    GetLastError, HANDLE, STATUS_PENDING,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, OPEN_EXISTING,
    PIPE_ACCESS_DUPLEX, ReadFile, WriteFile,
};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, PIPE_READMODE_BYTE, PIPE_REJECT_REMOTE_CLIENTS,
    PIPE_TYPE_BYTE, PIPE_WAIT,
};
use windows_sys::Win32::System::Threading::CreateEventW;

use super::super::frames;
use super::{PAUSE, is_end};
use crate::os::windows::{done, owned, raw};

/// How many bytes a pipe holds: as many as libuv's.
const ROOM: u32 = 64 << 10;

/// The most bytes of one write. They are copied, and kept until the peer has read them.
const MOST: usize = 1 << 20;

/// Both ends of a new pipe; the first is this process's, the second a child's. `is_framed`: as libuv frames what
/// passes through Node's own channel.
pub(super) fn pair(is_framed: bool) -> io::Result<(Stream, OwnedHandle)> {
    let (ours, theirs) = ends(FILE_FLAG_OVERLAPPED)?;
    Ok((Stream::new(ours, is_framed)?, theirs))
}

/// The same for a child that blocks when it reads or writes, as at standard streams. This process's end is for libuv, and
/// overlapped.
pub(crate) fn blocking_pair() -> io::Result<(OwnedHandle, OwnedHandle)> {
    ends(0)
}

fn ends(their_flags: u32) -> io::Result<(OwnedHandle, OwnedHandle)> {
    let mut token = [0; 16];
    super::random(&mut token)?;
    let token = u128::from_be_bytes(token);
    let name = format!(r"\\.\pipe\sonic-distribute-{}-{token:032x}", std::process::id());
    let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
    let mode = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;
    let open = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE;
    // SAFETY: the name ends with a zero; the returned handle is nobody else's.
    let ours = unsafe {
        owned(CreateNamedPipeW(name.as_ptr(), open, mode, 1, ROOM, ROOM, 0, ptr::null()))?
    };
    let access = GENERIC_READ | GENERIC_WRITE;
    // There is one instance, so this fails if another process has opened it first.
    // SAFETY: the same.
    let theirs = unsafe {
        owned(CreateFileW(
            name.as_ptr(),
            access,
            0,
            ptr::null(),
            OPEN_EXISTING,
            their_flags,
            ptr::null_mut(),
        ))?
    };
    let event = event()?;
    let operation = UnsafeCell::new(overlapped(&event));
    // The other end is open, so this does not wait, and reports that by an error.
    // SAFETY: the operation lives until it is over: if it has begun, it is cancelled below.
    let is_new = unsafe { ConnectNamedPipe(raw(&ours), operation.get()) != 0 };
    // SAFETY: it only reads this thread's number.
    let error = unsafe { GetLastError() };
    if is_new || error == ERROR_PIPE_CONNECTED {
        return Ok((ours, theirs));
    }
    if error == ERROR_IO_PENDING {
        cancel(raw(&ours), &operation);
    }
    Err(io::Error::from_raw_os_error(error.cast_signed()))
}

/// An event that stays set until the next operation begins.
fn event() -> io::Result<OwnedHandle> {
    // SAFETY: no pointer is given; the returned handle is nobody else's.
    unsafe { owned(CreateEventW(ptr::null(), 1, 0, ptr::null())) }
}

/// An operation that sets `event`, and that no completion port is told of, because of the lowest bit.
fn overlapped(event: &OwnedHandle) -> OVERLAPPED {
    let event = raw(event).map_addr(|address| address | 1);
    OVERLAPPED { hEvent: event, ..OVERLAPPED::default() }
}

/// One end of a pipe. A clone is the same end.
#[derive(Debug, Clone)]
pub(crate) struct Stream(Arc<Pipe>);

#[derive(Debug)]
struct Pipe {
    handle: OwnedHandle,
    is_framed: bool,
    writing: Mutex<Writing>,
    /// The reader's event.
    reading: Mutex<OwnedHandle>,
}

/// The last write.
struct Writing {
    /// The system uses it and the bytes while the write is pending: neither is moved or freed then.
    operation: Box<UnsafeCell<OVERLAPPED>>,
    bytes: Vec<u8>,
    event: OwnedHandle,
    is_pending: bool,
}

// SAFETY: the pointers in the operation are the system's, which accepts it from any thread.
unsafe impl Send for Writing {}

impl std::fmt::Debug for Writing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writing").field("is_pending", &self.is_pending).finish_non_exhaustive()
    }
}

impl Stream {
    pub(super) fn new(handle: OwnedHandle, is_framed: bool) -> io::Result<Self> {
        let writing = Writing {
            operation: Box::default(),
            bytes: Vec::new(),
            event: event()?,
            is_pending: false,
        };
        let (writing, reading) = (Mutex::new(writing), Mutex::new(event()?));
        Ok(Self(Arc::new(Pipe { handle, is_framed, writing, reading })))
    }

    #[expect(clippy::unnecessary_wraps, reason = "it takes a system call with a socket")]
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(self.clone())
    }

    pub(super) fn handle(&self) -> &OwnedHandle {
        &self.0.handle
    }

    pub(super) fn is_framed(&self) -> bool {
        self.0.is_framed
    }

    /// Whether the next [`Self::send`] sends something, or fails.
    pub(super) fn has_room(&self) -> bool {
        let finished = self.0.lock().finish(&self.0.handle);
        !finished.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends as much as one write takes. If the pipe is full, that write stays pending, and the next one would block.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        let taken = &bytes[..bytes.len().min(MOST)];
        let mut writing = self.0.lock();
        writing.finish(&self.0.handle)?;
        writing.bytes.clear();
        if self.0.is_framed {
            writing.bytes.extend_from_slice(&frames::header(taken.len()));
        }
        writing.bytes.extend_from_slice(taken);
        writing.begin(&self.0.handle)?;
        Ok(taken.len())
    }
}

impl Read for Stream {
    /// Blocks until there is something to read.
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let event = self.0.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let operation = UnsafeCell::new(overlapped(&event));
        let (handle, len) = (raw(&self.0.handle), u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        // SAFETY: the operation and the bytes live until it is over: if it has begun, that is waited for.
        let is_begun = unsafe {
            ReadFile(handle, bytes.as_mut_ptr(), len, ptr::null_mut(), operation.get()) != 0
                || GetLastError() == ERROR_IO_PENDING
        };
        let read =
            if is_begun { wait(handle, &operation) } else { Err(io::Error::last_os_error()) };
        let error = match read {
            Ok(count) => return Ok(count as usize),
            Err(error) => error,
        };
        if is_end(&error) { Ok(0) } else { Err(error) }
    }
}

impl Pipe {
    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writing {
    fn begin(&mut self, handle: &OwnedHandle) -> io::Result<()> {
        *self.operation.get_mut() = overlapped(&self.event);
        let (bytes, len) = (self.bytes.as_ptr(), self.bytes.len() as u32);
        // SAFETY: nothing is pending; the operation and the bytes stay where they are while this is.
        let begun = done(unsafe {
            WriteFile(raw(handle), bytes, len, ptr::null_mut(), self.operation.get())
        });
        let is_pending =
            |error: &io::Error| error.raw_os_error() == Some(ERROR_IO_PENDING.cast_signed());
        self.is_pending = begun.as_ref().is_err_and(is_pending);
        if self.is_pending { Ok(()) } else { begun }
    }

    /// Whether the last write is over, and how it went.
    fn finish(&mut self, handle: &OwnedHandle) -> io::Result<()> {
        if !self.is_pending {
            return Ok(());
        }
        let mut count = 0;
        // SAFETY: the operation that is pending at this handle.
        let result = done(unsafe {
            GetOverlappedResult(raw(handle), self.operation.get(), &raw mut count, 0)
        });
        if let Err(error) = &result
            && error.raw_os_error() == Some(ERROR_IO_INCOMPLETE.cast_signed())
        {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        // Whatever else has failed, the system may still have it.
        self.is_pending = is_pending(&self.operation);
        result
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let handle = raw(&self.handle);
        let writing = self.writing.get_mut().unwrap_or_else(PoisonError::into_inner);
        if writing.is_pending {
            cancel(handle, &writing.operation);
        }
    }
}

/// Waits for an operation that was begun: how many bytes it has moved, or why none. When this returns, the system no longer uses
/// it, even if the waiting itself failed.
fn wait(handle: HANDLE, operation: &UnsafeCell<OVERLAPPED>) -> io::Result<u32> {
    let mut count = 0;
    // SAFETY: an operation that was begun at this handle.
    let waited = done(unsafe { GetOverlappedResult(handle, operation.get(), &raw mut count, 1) });
    if waited.is_err() {
        cancel(handle, operation);
    }
    waited.map(|()| count)
}

/// Cancels an operation that was begun. When this returns, the system no longer uses it.
fn cancel(handle: HANDLE, operation: &UnsafeCell<OVERLAPPED>) {
    while is_pending(operation) {
        // SAFETY: an operation that is pending at this handle, or was until just now.
        unsafe { CancelIoEx(handle, operation.get()) };
        thread::sleep(PAUSE);
    }
}

/// Whether the system still uses an operation that was begun, and its bytes. The state is the last thing it writes.
fn is_pending(operation: &UnsafeCell<OVERLAPPED>) -> bool {
    // SAFETY: a live word of memory, which only the system writes meanwhile.
    let state = unsafe { AtomicUsize::from_ptr(&raw mut (*operation.get()).Internal) };
    state.load(Ordering::Acquire) == STATUS_PENDING as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_that_cannot_be_waited_for_is_over_before_its_memory_goes() {
        let (ours, _theirs) = ends(FILE_FLAG_OVERLAPPED).expect("a pipe");
        let (handle, event) = (raw(&ours), event().expect("an event"));
        let operation = UnsafeCell::new(overlapped(&event));
        let mut bytes = [0; 16];
        let len = bytes.len() as u32;
        // SAFETY: the operation and the bytes are there until it is over, as is seen below.
        let is_done =
            unsafe { ReadFile(handle, bytes.as_mut_ptr(), len, ptr::null_mut(), operation.get()) };
        assert!(is_done == 0 && is_pending(&operation), "nobody has written anything");
        // SAFETY: the system has the event by now.
        unsafe { (*operation.get()).hEvent = ptr::without_provenance_mut(0x00de_ad00) };
        wait(handle, &operation).expect_err("there is no such event");
        assert!(!is_pending(&operation));
    }
}
