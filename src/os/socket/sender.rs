//! Sends frames over a control socket, each whole and in order. A socket that is nearly full may take a part of a frame: then the
//! rest goes first, because anything else would be read as that rest.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Stream, send_some};

/// How long [`Sender::send_whole`] waits for room: half of the time after which a master kills a worker that has sent a part of a
/// frame.
const PATIENCE: Duration = Duration::from_millis(500);

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(1);

/// The sending side of a control socket, for any thread.
#[derive(Debug)]
pub(crate) struct Sender {
    stream: Stream,
    rest: Mutex<Rest>,
}

impl Sender {
    pub(crate) fn new(stream: Stream) -> Self {
        Self { stream, rest: Mutex::default() }
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Sends a frame without blocking. [`io::ErrorKind::WouldBlock`] if there is no room for any of it: frames are few and small,
    /// so the peer does not read. The rest of a frame that was begun is sent before the next one.
    pub(crate) fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.lock().send(frame, |bytes| send_some(&self.stream, bytes))
    }

    /// The same, but waits a moment for room for the rest: the peer kills a sender that has sent a part of a frame and no more.
    pub(crate) fn send_whole(&self, frame: &[u8]) -> io::Result<()> {
        self.finish();
        self.send(frame)?;
        self.finish();
        Ok(())
    }

    /// Waits for room for what is left, if anything is.
    fn finish(&self) {
        let end = Instant::now() + PATIENCE;
        while self.flush().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
            && Instant::now() < end
        {
            thread::sleep(PAUSE);
        }
    }

    fn flush(&self) -> io::Result<()> {
        self.lock().flush(|bytes| send_some(&self.stream, bytes))
    }

    fn lock(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is left of a frame that was begun.
#[derive(Debug, Default)]
struct Rest(Vec<u8>);

impl Rest {
    /// Sends what is left, and then a frame: all, nothing, or a part whose rest is left.
    fn send(
        &mut self,
        frame: &[u8],
        mut write: impl FnMut(&[u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        self.flush(&mut write)?;
        let sent = some(frame, &mut write)?;
        self.0.extend_from_slice(&frame[sent..]);
        match self.flush(write) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            flushed => flushed,
        }
    }

    fn flush(&mut self, mut write: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
        while !self.0.is_empty() {
            let sent = some(&self.0, &mut write)?;
            self.0.drain(..sent);
        }
        Ok(())
    }
}

/// Sends some of `bytes`, again after a signal. A socket that takes nothing is full.
fn some(bytes: &[u8], write: &mut impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) => return Err(io::ErrorKind::WouldBlock.into()),
            sent => return sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::{Decoder, encode};

    /// A socket that holds so many bytes, and takes at most so many at once.
    struct Socket {
        held: Vec<u8>,
        room: usize,
        at_once: usize,
        calls: usize,
    }

    impl Socket {
        fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.calls += 1;
            if self.calls.is_multiple_of(3) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let count = bytes.len().min(self.at_once).min(self.room - self.held.len());
            if count == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.held.extend_from_slice(&bytes[..count]);
            Ok(count)
        }
    }

    #[test]
    fn frames_come_out_whole_and_in_order_wherever_the_system_cuts_them() {
        for room in 1..40 {
            for at_once in 1..=room {
                let mut socket = Socket { held: Vec::new(), room, at_once, calls: 0 };
                let (mut rest, mut decoder) = (Rest::default(), Decoder::default());
                let (mut sent, mut heard) = (Vec::new(), Vec::new());
                for kind in 0..50 {
                    let frame = encode(kind, &vec![kind; usize::from(kind) % 13]);
                    match rest.send(&frame, |bytes| socket.send(bytes)) {
                        Ok(()) => sent.push(kind),
                        Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                    }
                    // The peer reads now and then.
                    if kind % 4 == 3 {
                        decoder.feed(&std::mem::take(&mut socket.held));
                    }
                }
                while rest.flush(|bytes| socket.send(bytes)).is_err() {
                    decoder.feed(&std::mem::take(&mut socket.held));
                }
                decoder.feed(&socket.held);
                while let Some(frame) = decoder.next().expect("frames, and nothing else") {
                    assert_eq!(frame.body, vec![frame.kind; usize::from(frame.kind) % 13]);
                    heard.push(frame.kind);
                }
                assert_eq!(decoder.finish(), Ok(()));
                assert_eq!(heard, sent, "room for {room}, {at_once} at once");
                assert!(!sent.is_empty());
            }
        }
    }

    #[test]
    fn an_end_that_is_closed_is_an_error() {
        let closed = |_: &[u8]| Err(io::ErrorKind::BrokenPipe.into());
        let error = Rest::default().send(b"word", closed).expect_err("nobody can have it");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
