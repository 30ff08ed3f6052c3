//! Node's own channel to one worker: what its cluster module asks for is answered here, the rest is for JavaScript.

use std::io;
use std::sync::Arc;

use tokio::io::Interest;

use super::listen::{Heard, Receive};
use crate::core::error::Error;
use crate::os::socket::Polled;
use crate::pool::Pool;
use crate::pool::node_channel::NodeChannel;
use crate::wire::channel::{self, Lines};
use crate::wire::note::Note;

/// The most bytes of replies that wait for a worker to read them: it asks a few short questions in its life.
const MAX_UNREAD: usize = 1 << 20;

pub(super) struct Channel<'a> {
    pool: &'a Pool,
    slot: usize,
    worker: u32,
    pub(super) stream: Polled,
    pub(super) writer: Arc<NodeChannel>,
    lines: Lines,
    /// Something waits for room.
    pub(super) is_full: bool,
    /// JavaScript has yet to hear what was read.
    pub(super) is_unheard: bool,
    /// How many bytes of replies the worker may not have read.
    unread: usize,
    pub(super) open: bool,
}

impl<'a> Channel<'a> {
    pub(super) fn new(
        pool: &'a Pool,
        slot: usize,
        stream: Polled,
        writer: Arc<NodeChannel>,
    ) -> Self {
        Self {
            pool,
            slot,
            worker: pool.place(slot).worker,
            stream,
            writer,
            lines: Lines::default(),
            is_full: false,
            is_unheard: false,
            unread: 0,
            open: true,
        }
    }
}

impl Channel<'_> {
    /// Reads what is there.
    pub(super) fn read(&mut self, receive: Receive) -> Heard {
        let mut bytes = [0; 8192];
        match receive.receive(&self.stream, &mut bytes) {
            Ok(0) => return Heard::End,
            Ok(count) => self.lines.feed(&bytes[..count]),
            Err(error) => return Heard::of(&error),
        }
        loop {
            match self.lines.next() {
                Ok(Some(line)) if self.hear(&line) => {}
                Ok(None) => return Heard::Something,
                Ok(Some(_)) | Err(_) => {
                    let what = "what it sent on Node's channel is no message of Node's".to_owned();
                    let error = Error::Protocol { worker: self.worker, what };
                    self.pool.uncaught(self.slot, error.to_string());
                    self.pool.kill(self.slot);
                    return Heard::End;
                }
            }
        }
    }

    /// False if that is nothing that Node says.
    fn hear(&mut self, line: &[u8]) -> bool {
        let worker = self.worker;
        match channel::interpret(line) {
            channel::Said::Online => self.pool.note(Note::Online { worker }),
            channel::Said::Listening(text) => self.pool.note(Note::Listening { worker, text }),
            channel::Said::Leaving { reply } => {
                self.pool.note(Note::Leaving { worker });
                return self.reply(&reply);
            }
            channel::Said::Asked { reply } => return self.reply(&reply),
            channel::Said::Message(text) => self.pool.note(Note::Message { worker, text }),
            channel::Said::Nothing => {}
            channel::Said::Garbage => return false,
        }
        true
    }

    /// False if the worker goes on asking, and does not read.
    fn reply(&mut self, line: &str) -> bool {
        if self.writer.is_sent() {
            self.unread = 0;
        }
        self.unread += line.len();
        // A closed channel shows when it is read.
        let _ = self.writer.send(line);
        self.unread <= MAX_UNREAD
    }

    /// Sends what waited for room. True if some still does.
    pub(super) fn write_rest(&self) -> bool {
        let sent = self.stream.try_io(Interest::WRITABLE, || self.writer.send_rest());
        sent.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}
