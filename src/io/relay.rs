//! Copies a worker's stderr to this process's, and keeps the tail of it. It is used only where the worker before has exited
//! before it loaded this package, because nothing else knows what it wrote; other workers inherit this process's stderr.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::os::socket::Handle;
use crate::os::tried::{Step, tried};
use crate::wire::layout::Layout;

/// How much is kept: as much as of a worker that has loaded the package.
const TAIL: usize = Layout::TAIL_SIZE;

/// All that a pipe holds, so that what is written in one piece is read in one, and lines stay whole.
const READ: usize = 64 * 1024;

/// How long the rest may take once the worker has exited. If its stream stays open, another process has it.
const REST: Duration = Duration::from_secs(1);

/// The pause before a full stream that does not block is tried again.
const PAUSE: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(crate) struct Relay {
    tail: Arc<Mutex<Vec<u8>>>,
    /// Closed when the stream has ended.
    end: oneshot::Receiver<()>,
}

impl Relay {
    pub(crate) fn begin(from: Handle) -> io::Result<Self> {
        const STACK: usize = 64 * 1024;
        let tail: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = Arc::clone(&tail);
        let (ended, end) = oneshot::channel::<()>();
        let copy = move || {
            // A stream that cannot be read has ended. One that cannot be written to must not stop the worker.
            let _ = copy(File::from(from), &kept, |new| {
                let _ = write(&mut io::stderr().lock(), new);
            });
            drop(ended);
        };
        let thread = thread::Builder::new().name("sonic-stderr".into()).stack_size(STACK);
        thread.spawn(copy).map_err(tried(Step::Resource, "starting a thread", "clone"))?;
        Ok(Self { tail, end })
    }

    /// The tail of what a worker that has exited wrote.
    pub(crate) async fn end(self) -> String {
        // Nothing is sent. If it is late, what has come so far has to do.
        let _ = timeout(REST, self.end).await;
        String::from_utf8_lossy(&lock(&self.tail)).into_owned()
    }
}

fn lock(tail: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    tail.lock().unwrap_or_else(PoisonError::into_inner)
}

fn copy(mut from: impl Read, tail: &Mutex<Vec<u8>>, mut to: impl FnMut(&[u8])) -> io::Result<()> {
    let mut bytes = vec![0; READ];
    loop {
        match from.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                append(&mut lock(tail), &bytes[..count]);
                to(&bytes[..count]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Keeps the last whole lines, or a part of one that is too long.
fn append(tail: &mut Vec<u8>, new: &[u8]) {
    tail.extend_from_slice(new);
    if let Some(from) = tail.len().checked_sub(TAIL).filter(|&from| from > 0) {
        let line = memchr::memchr(b'\n', &tail[from..]).map_or(from, |at| from + at + 1);
        tail.drain(..line);
    }
}

fn write(to: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has room for a few bytes, now and then.
    struct Slow(Vec<u8>, bool);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::WouldBlock.into());
            }
            let count = bytes.len().min(1000);
            self.0.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn everything_is_copied_and_the_last_whole_lines_are_kept() {
        for count in [0, 1, 100, 3000] {
            let lines: Vec<String> = (0..count).map(|number| format!("line {number}\n")).collect();
            let all = lines.concat();
            let (kept, mut to) = (Mutex::default(), Slow(Vec::new(), false));
            copy(all.as_bytes(), &kept, |new| write(&mut to, new).expect("room")).expect("copied");
            assert_eq!(to.0, all.as_bytes());
            let kept = String::from_utf8(kept.into_inner().expect("whole")).expect("text");
            assert!(
                all.ends_with(&kept) && (kept.is_empty() || kept.starts_with("line ")),
                "{kept}"
            );
            assert!(kept.len() >= all.len().min(TAIL - 16) && kept.len() <= TAIL, "{}", kept.len());
        }
    }

    #[test]
    fn it_is_read_to_its_end_when_nobody_takes_it() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let kept = Mutex::default();
        let lost = |new: &[u8]| write(&mut Closed, new).expect_err("it is closed");
        copy(&b"last words\n"[..], &kept, |new| drop(lost(new))).expect("read");
        assert_eq!(kept.into_inner().expect("whole"), b"last words\n");
    }
}
