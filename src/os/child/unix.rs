//! A child process on Linux and macOS: started, signalled, killed with its descendants, and reaped once. What differs
//! between the two is in `linux` and `macos`.

mod advice;
mod descriptors;
mod ending;

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus};
use rustix::process::{kill_process, test_kill_process, waitid, waitpid};

#[cfg(target_os = "linux")]
use super::linux as system;
#[cfg(target_os = "macos")]
use super::macos as system;
use super::{Exit, ExitWatch, Handle, Pipes, Process, Recipe};
use crate::os::pidfd::Pidfd;
use crate::os::socket;
use crate::os::tree::{self, Identity};

pub(crate) use self::advice::advice;
pub(super) use self::advice::reached;
pub(crate) use self::descriptors::descriptor;
pub(super) use self::descriptors::{adopt, is_given};
pub(crate) use self::ending::{end_now, end_with_descendants, watch_parent};
pub(crate) use self::system::resident;

impl From<WaitStatus> for Exit {
    fn from(status: WaitStatus) -> Self {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Self::Code(code.into()),
            (_, Some(signal)) => Self::Signal(signal),
            _ => Self::Unknown,
        }
    }
}

/// A shell tells by its exit code which signal ended its command.
pub(super) const KILLS: [Exit; 2] = [Exit::Signal(libc::SIGKILL), Exit::Code(128 + 9)];
pub(super) const ABORTS: [Exit; 6] = [
    Exit::Signal(libc::SIGABRT),
    Exit::Signal(libc::SIGTRAP),
    Exit::Signal(libc::SIGILL),
    Exit::Code(128 + 6),
    Exit::Code(128 + 5),
    Exit::Code(128 + 4),
];

pub(super) const SIGNALS: [(i32, &str); 31] = {
    macro_rules! named {
        ($($name:ident)*) => { [$((libc::$name, stringify!($name)),)* system::SIGNALS[0], system::SIGNALS[1]] };
    }
    named!(
        SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM
        SIGTERM SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO
        SIGSYS
    )
};

/// The process that started this one, as long as it runs.
pub(crate) fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

/// A child process, which any thread may signal, wait for and reap.
#[derive(Debug, Clone)]
pub(crate) struct Child(Arc<Running>);

#[derive(Debug)]
struct Running {
    pid: Pid,
    /// None where the system has none, or refuses them.
    pidfd: Option<Pidfd>,
    /// None where the system does not tell.
    identity: Option<Identity>,
    is_being_killed: AtomicBool,
    /// Set when the child is reaped: from then on its pid may be another's. Whoever uses the pid holds the lock.
    exit: Mutex<Option<Exit>>,
}

impl Process for Child {
    fn pid(&self) -> u32 {
        self.0.pid.as_raw_nonzero().get().cast_unsigned()
    }

    fn signal(&self, number: i32) -> io::Result<()> {
        match number {
            0 => self.unless_reaped(test_kill_process),
            _ => self.send(Signal::from_named_raw(number).ok_or(io::ErrorKind::InvalidInput)?),
        }
    }

    fn kill(&self) {
        /// What the thread needs.
        const STACK: usize = 64 * 1024;
        if self.0.is_being_killed.swap(true, Ordering::SeqCst) {
            return;
        }
        let child = self.clone();
        let kill = ending::Kill::begin();
        let kill_tree = move || {
            let _kill = kill;
            child.kill_tree();
        };
        // Finding the descendants takes longer than the caller may hold its lock.
        let thread = thread::Builder::new().name("sonic-killer".into()).stack_size(STACK);
        if thread.spawn(kill_tree).is_err() {
            self.kill_alone();
        }
    }
}

impl Child {
    /// Starts a process with `extra` descriptors at the numbers given. No other descriptor of this process reaches it.
    pub(crate) fn spawn(recipe: &Recipe, extra: Vec<(Handle, i32)>) -> io::Result<(Self, Pipes)> {
        let mut command = Command::new(&recipe.program);
        command.args(&recipe.args).env_clear().envs(recipe.env.iter().map(|(k, v)| (k, v)));
        if let Some(cwd) = &recipe.cwd {
            command.current_dir(cwd);
        }
        if let Some(uid) = recipe.uid {
            command.uid(uid);
        }
        if let Some(gid) = recipe.gid {
            command.gid(gid);
        }
        let undisturbed = socket::undisturbed();
        let (pipes, reserved) = descriptors::place(&mut command, &recipe.stdio, extra)?;
        system::end_with_parent(&mut command);
        let started = command.spawn().map_err(|error| advice::refused(recipe, error))?;
        drop((undisturbed, reserved));
        // The pid is the child's until this process reaps it.
        let pid = Pid::from_child(&started);
        let child = Running {
            pid,
            pidfd: Pidfd::open(pid),
            identity: tree::identity(started.id()),
            is_being_killed: AtomicBool::new(false),
            exit: Mutex::new(None),
        };
        Ok((Self(Arc::new(child)), pipes))
    }

    /// Uses the pid, unless the child is reaped.
    fn unless_reaped(&self, act: impl FnOnce(Pid) -> Result<(), Errno>) -> io::Result<()> {
        let exit = self.lock();
        if exit.is_some() { Ok(()) } else { Ok(act(self.0.pid)?) }
    }

    /// Sends a signal; does nothing once the child is reaped.
    fn send(&self, signal: Signal) -> io::Result<()> {
        self.unless_reaped(|pid| match &self.0.pidfd {
            Some(pidfd) => pidfd.signal(pid, signal),
            None => kill_process(pid, signal),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Exit>> {
        self.0.exit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kill_tree(&self) {
        if let Some(identity) = self.0.identity {
            // It fails only if the child is gone, which then has no descendants.
            let _ = self.send(Signal::STOP);
            tree::kill_descendants(identity);
        }
        self.kill_alone();
    }

    fn kill_alone(&self) {
        // It fails only if the child is gone, which is the goal.
        let _ = self.send(Signal::KILL);
    }

    /// Kills and reaps a child that nobody waits for.
    pub(crate) fn discard(&self) {
        self.kill_alone();
        let _ = self.block_until_exit();
    }

    /// The exit, to be awaited.
    pub(crate) fn watch(&self) -> ExitWatch {
        ExitWatch::new(self.clone())
    }

    pub(super) fn pidfd(&self) -> Option<&Pidfd> {
        self.0.pidfd.as_ref()
    }

    /// Waits for the exit in this thread, and reaps the child. The long wait is a `waitid` that does not reap, without the
    /// lock; it leaves Node's own `SIGCHLD` alone.
    pub(super) fn block_until_exit(&self) -> Exit {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        // It fails only if somebody else has reaped the child.
        let _ = retry_on_intr(|| waitid(WaitId::Pid(self.0.pid), options));
        self.reap(WaitOptions::empty()).unwrap_or(Exit::Unknown)
    }

    /// Reaps the child if it has exited.
    pub(super) fn exit(&self) -> Option<Exit> {
        self.reap(WaitOptions::NOHANG)
    }

    fn reap(&self, options: WaitOptions) -> Option<Exit> {
        let mut exit = self.lock();
        if exit.is_none() {
            *exit = match retry_on_intr(|| waitpid(Some(self.0.pid), options)) {
                Ok(status) => status.map(|(_, status)| status.into()),
                // Somebody else in this process has reaped it.
                Err(_) => Some(Exit::Unknown),
            };
        }
        *exit
    }
}

#[cfg(test)]
mod tests;
