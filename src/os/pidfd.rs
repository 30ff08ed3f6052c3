//! A descriptor that stands for a process, whoever has its pid later. Only Linux has one, from 5.3 on and where no security
//! policy refuses it; elsewhere there is never a value of this type.

#[cfg(target_os = "linux")]
pub(crate) use linux::Pidfd;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::Pidfd;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::{AsFd, OwnedFd};

    use rustix::io::Errno;
    use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    #[derive(Debug)]
    pub(crate) struct Pidfd(OwnedFd);

    impl Pidfd {
        pub(crate) fn open(pid: Pid) -> Option<Self> {
            pidfd_open(pid, PidfdFlags::empty()).ok().map(Self)
        }

        /// Sends a signal to the process, whose pid this was.
        pub(crate) fn signal(&self, pid: Pid, signal: Signal) -> Result<(), Errno> {
            match pidfd_send_signal(&self.0, signal) {
                // A security policy may refuse one call and allow the other.
                Err(Errno::NOSYS | Errno::PERM) => kill_process(pid, signal),
                sent => sent,
            }
        }

        /// Waits until the process exits; returns at once if the runtime cannot watch the descriptor.
        pub(crate) async fn until_exit(&self) {
            // SAFETY: it is borrowed, so it stays open and the same as long as this waits.
            let watched =
                unsafe { AsyncFd::register_with_interest(self.0.as_fd(), Interest::READABLE) };
            if let Ok(watched) = watched {
                // It fails only if the runtime shuts down.
                drop(watched.readable().await);
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    #[derive(Debug)]
    pub(crate) enum Pidfd {}

    impl Pidfd {
        #[cfg(unix)]
        pub(crate) fn open(_pid: rustix::process::Pid) -> Option<Self> {
            None
        }

        #[cfg(unix)]
        pub(crate) fn signal(
            &self,
            _pid: rustix::process::Pid,
            _signal: rustix::process::Signal,
        ) -> rustix::io::Result<()> {
            match *self {}
        }

        pub(crate) fn until_exit(&self) -> std::future::Ready<()> {
            match *self {}
        }
    }
}
