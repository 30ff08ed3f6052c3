//! What to do about a system call that failed, as far as its error tells. Texts only: it changes nothing.

use std::io;

use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::super::Recipe;
use super::system;
use crate::os::tried::{Step, origin, tried};

/// The error of a process that could not be started. The system has one number for everything on the way to it, so the
/// folder is checked here.
pub(super) fn refused(recipe: &Recipe, error: io::Error) -> io::Error {
    let is_closed = |folder: &&str| access(format!("{folder}/."), Access::EXEC_OK).is_err();
    let folder = recipe.cwd.as_deref().filter(is_closed);
    match folder {
        Some(folder) => tried(Step::Folder, format!("changing to {folder}"), "chdir")(error),
        None => tried(Step::Process, "starting the process", "fork, execve")(error),
    }
}

/// What refused a system call, and what to do; begins with a space. Empty if the error does not tell.
pub(crate) fn advice(error: &io::Error) -> String {
    let limit = reached(error);
    if !limit.is_empty() {
        return limit.to_owned();
    }
    let (Some(code), Some((step, call))) = origin(error) else { return String::new() };
    match (step, Errno::from_raw_os_error(code)) {
        (Step::Resource, Errno::FBIG) => {
            " (this process may not create files of that size: raise `ulimit -f`)".into()
        }
        (Step::Resource, Errno::PERM | Errno::ACCESS | Errno::NOSYS) => format!(
            " (a security policy refuses it, the seccomp profile of a container or service for example: allow {call} \
             there)"
        ),
        (Step::Folder, _) => " (the program names that folder with cluster.setupPrimary({ cwd }), and this user \
                               cannot enter it)"
            .into(),
        (Step::Process, Errno::NOENT) => {
            " (process.execPath names no file, or one whose interpreter or loader is missing: is that Node still \
             installed?)"
                .into()
        }
        (Step::Process, Errno::ACCESS) => {
            " (this user may not execute that file, or its file system is mounted noexec)".into()
        }
        (Step::Process, Errno::NOEXEC) => " (this system cannot run that file)".into(),
        (Step::Process, Errno::TOOBIG) => {
            " (the program's arguments and environment together are longer than the system allows: shorten them, or \
             raise `ulimit -s`)"
                .into()
        }
        (Step::Process, Errno::PERM | Errno::NOSYS) => {
            " (a security policy refuses it, or it refuses the uid or gid of cluster.setupPrimary, which only the superuser may set)"
                .into()
        }
        _ => String::new(),
    }
}

/// The limit that a system call has reached, and what to do; empty if it was none.
pub(in crate::os) fn reached(error: &io::Error) -> &'static str {
    match origin(error).0.map(Errno::from_raw_os_error) {
        Some(Errno::MFILE) => {
            " (this process has reached its limit of open files: raise `ulimit -n`, or start fewer workers)"
        }
        Some(Errno::NFILE) => system::TOO_MANY_FILES,
        Some(Errno::AGAIN) => {
            " (this user or its container has reached its limit of processes and threads: raise `ulimit -u` \
             or the container's limit of pids, or start fewer workers)"
        }
        Some(Errno::NOMEM) => {
            " (there is not enough memory, or address space where `ulimit -v` limits that: raise it, or start fewer workers)"
        }
        _ => "",
    }
}
