//! What the operating system does for the package: processes, sockets, shared memory, the clock, the terminal.
//!
//! | module | what it owns |
//! |---|---|
//! | `child` | one child process: start, signal, kill, exit; and what a child does for its parent |
//! | `tree` | killing the descendants of a process |
//! | `pidfd` | a descriptor that stands for a process |
//! | `socket` | the streams and the memory that a master shares with its workers |
//! | `memory` | a mapping, as atomic words and bytes |
//! | `cgroup` | whether the kernel killed a process because memory ran out |
//! | `file` | folders and files of this user alone, and reads at a position |
//! | `started` | what tells a process from every other that had its pid |
//! | `host` | Node's own exported functions, and this library's stay in it |
//! | `tried`, `windows` | errors that name the system call; how calls on Windows report theirs |
//! | `clock`, `terminal` | the time, and whether the terminal can be drawn on |
//!
//! Nothing in here knows what it is used for: no worker, pool or event. Only this folder names a system: a module has a file
//! per system where they differ, each with the same functions, and picks one. Every descriptor is close-on-exec from the
//! start; a child gets only those that are placed for it. A child stays in this process's group, so it keeps the terminal.
//!
//! **System calls.** On Unix they go through `rustix`, on Windows through `windows-sys`. `libc` is for what `rustix` does not
//! have: `atexit`, `_exit` and the dynamic loader of the C library, the numbers of signals by name, and on macOS the list of
//! processes (`libproc`), `getentropy`, `gethostuuid` and `LOCAL_PEERPID`.

pub(crate) mod cgroup;
pub(crate) mod child;
pub(crate) mod clock;
pub(crate) mod file;
pub(crate) mod futex;
pub(crate) mod host;
pub(crate) mod memory;
pub(crate) mod pidfd;
pub(crate) mod socket;
pub(crate) mod started;
pub(crate) mod terminal;
pub(crate) mod tree;
pub(crate) mod tried;
#[cfg(windows)]
mod windows;

/// What stands for a stream, or for memory: a descriptor, or a handle.
#[cfg(unix)]
pub(crate) type Handle = std::os::fd::OwnedFd;
#[cfg(windows)]
pub(crate) type Handle = std::os::windows::io::OwnedHandle;
