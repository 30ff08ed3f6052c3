//! Copies what a worker writes to its error stream on to this process's, and keeps the end of it.
//!
//! Only for a worker whose predecessor ended before this package was loaded there: what such a one said is known to nobody
//! else. Others have this process's own stream.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::os::socket::Handle;
use crate::os::tried::{Step, tried};
use crate::wire::protocol::Layout;

/// How much is kept: as much as of one that has loaded the package.
const KEPT: usize = Layout::TAIL_SIZE;

/// All that a pipe holds: what is written in one piece is read in one, and lines stay whole.
const READ: usize = 64 * 1024;

/// How long the rest may take when the worker has ended. What holds its stream open then is another process.
const REST: Duration = Duration::from_secs(1);

/// How long is waited for room in a stream that does not block.
const PAUSE: Duration = Duration::from_millis(5);

/// What the thread needs that copies.
const STACK: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Relay {
    kept: Arc<Mutex<Vec<u8>>>,
    ended: oneshot::Receiver<()>,
}

impl Relay {
    pub(crate) fn begin(from: Handle) -> io::Result<Self> {
        let kept: Arc<Mutex<Vec<u8>>> = Arc::default();
        let keep = Arc::clone(&kept);
        let (end, ended) = oneshot::channel();
        let copy = move || {
            // A stream that cannot be read has ended.
            let _ = copy(File::from(from), &keep, |new| {
                // Nobody reads it any more, for instance: the worker is not to stand still for that.
                let _ = write(&mut io::stderr().lock(), new);
            });
            drop(end);
        };
        let thread = thread::Builder::new().name("sonic-stderr".into()).stack_size(STACK);
        thread.spawn(copy).map_err(tried(Step::Resource, "starting a thread", "clone"))?;
        Ok(Self { kept, ended })
    }

    /// The end of what was written by a worker that has ended.
    pub(crate) async fn end(self) -> String {
        // It is closed, never sent to; if it is late, what there is by now is what there is.
        let _ = timeout(REST, self.ended).await;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

fn copy(mut from: impl Read, kept: &Mutex<Vec<u8>>, mut to: impl FnMut(&[u8])) -> io::Result<()> {
    let mut bytes = vec![0; READ];
    loop {
        let count = match from.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let new = &bytes[..count];
        keep(&mut kept.lock().unwrap_or_else(PoisonError::into_inner), new);
        to(new);
    }
}

fn keep(kept: &mut Vec<u8>, new: &[u8]) {
    kept.extend_from_slice(new);
    if kept.len() > KEPT {
        let from = kept.len() - KEPT;
        // Whole lines, if there is an end of one.
        let line = memchr::memchr(b'\n', &kept[from..]).map_or(from, |at| from + at + 1);
        kept.drain(..line);
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
            assert!(kept.len() >= all.len().min(KEPT - 16) && kept.len() <= KEPT, "{}", kept.len());
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
