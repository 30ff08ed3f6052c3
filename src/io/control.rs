//! The control socket of one worker: the handshake, and what the worker says.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::listen::{Heard, Receive, slow_start};
use crate::core::error::Error;
use crate::os::socket::{self, Polled};
use crate::pool::Pool;
use crate::wire::frame::Decoder;
use crate::wire::protocol::{Hello, Message, VERSION};

/// How long the rest of a control frame may take. Workers send each in one piece; what one that does not says later would
/// be taken for the rest, its wake-ups too.
const TORN: Duration = Duration::from_secs(1);

pub(super) struct Control<'a> {
    pool: &'a Pool,
    slot: usize,
    worker: u32,
    pid: u32,
    pub(super) started: Instant,
    token: String,
    pub(super) stream: Polled,
    decoder: Decoder,
    /// A frame has come in part, and the rest has to by then.
    pub(super) torn: Option<Instant>,
    greeted: bool,
    /// Another process than the one that was started has sent something.
    foreigner: Option<u32>,
    pub(super) registered: bool,
    pub(super) open: bool,
}

impl<'a> Control<'a> {
    pub(super) fn new(
        pool: &'a Pool,
        (slot, worker, pid): (usize, u32, u32),
        token: String,
        stream: Polled,
    ) -> Self {
        Self {
            pool,
            slot,
            worker,
            pid,
            started: Instant::now(),
            token,
            stream,
            decoder: Decoder::default(),
            torn: None,
            greeted: false,
            foreigner: None,
            registered: false,
            open: true,
        }
    }
}

impl Control<'_> {
    /// Reads what is there. A peer that is no worker of ours is heard to the end with that.
    pub(super) fn read(&mut self, receive: Receive) -> Heard {
        let mut bytes = [0; 4096];
        match self.receive(receive, &mut bytes) {
            Ok(0) => {
                self.torn = None;
                if let Err(malformed) = self.decoder.finish() {
                    self.pool.uncaught(self.slot, malformed.to_string());
                }
                return Heard::End;
            }
            Ok(count) => self.decoder.feed(&bytes[..count]),
            Err(error) => return Heard::of(&error),
        }
        let mut rang = false;
        loop {
            let heard = match self.decoder.next() {
                Ok(Some(frame)) => {
                    self.torn = None;
                    Message::decode(&frame).and_then(|message| self.hear(message))
                }
                Ok(None) => break,
                Err(malformed) => Err(malformed.to_string()),
            };
            match heard {
                Ok(rings) => rang |= rings,
                Err(what) => {
                    self.reject(what);
                    return Heard::End;
                }
            }
        }
        if self.torn.is_none() && self.decoder.finish().is_err() {
            self.torn = Some(Instant::now() + TORN);
        }
        if rang {
            self.pool.flush();
        }
        Heard::Something
    }

    /// Until the worker has said who it is, who sends is looked at too.
    fn receive(&mut self, receive: Receive, bytes: &mut [u8]) -> io::Result<usize> {
        if self.greeted {
            return receive.receive(&self.stream, bytes);
        }
        let (count, sender) = receive.receive_from(&self.stream, bytes)?;
        self.foreigner = self.foreigner.or(sender.filter(|&pid| pid != self.pid));
        Ok(count)
    }

    /// True if the rings should be looked at; what is wrong with a peer that would not say this.
    fn hear(&mut self, message: Message) -> Result<bool, String> {
        match message {
            Message::Hello(_) if self.greeted => return Err("it said twice who it is".into()),
            Message::Hello(hello) => self.greet(&hello)?,
            _ if !self.greeted => return Err("it spoke before it said who it is".into()),
            Message::Notify => return Ok(true),
            Message::Registered if self.registered => {
                return Err("it registered twice".into());
            }
            Message::Registered => {
                self.registered = true;
                self.pool.registered(self.slot);
                self.look_at_start();
            }
            Message::Refused(refusal) => {
                let error = Error::Refused {
                    worker: self.worker,
                    name: refusal.name,
                    code: refusal.code,
                    message: refusal.message,
                };
                self.pool.refused(self.slot, error);
            }
            Message::Uncaught(words) => self.pool.uncaught(self.slot, words),
            Message::Passed(call) => self.pool.passed(self.slot, call),
            Message::Exiting(words) => self.pool.exits(self.slot, words),
            Message::Release | Message::Ping => {
                return Err("it sent what only a master sends".into());
            }
        }
        Ok(false)
    }

    /// Has the program told if this start was slow.
    fn look_at_start(&self) {
        let took = self.started.elapsed();
        if slow_start(&self.pool.launch).is_some_and(|after| took >= after) {
            self.pool.started_slowly(self.slot, took.as_secs_f64());
        }
    }

    fn greet(&mut self, hello: &Hello) -> Result<(), String> {
        if hello.version != VERSION {
            return Err(format!("it is of version {}, not {VERSION}", hello.version));
        }
        if hello.token != self.token || hello.pid != self.pid || self.foreigner.is_some() {
            return Err("it is not the process that was started".into());
        }
        self.greeted = true;
        self.pool.joined(self.slot);
        // It only costs time from now on.
        let _ = socket::tell_senders(&self.stream, false);
        Ok(())
    }

    pub(super) fn reject(&mut self, what: String) {
        let error = Error::Protocol { worker: self.worker, what };
        self.pool.uncaught(self.slot, error.to_string());
        self.pool.kill(self.slot);
    }
}
