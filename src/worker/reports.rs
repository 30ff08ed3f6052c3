//! What a worker tells its master over the control socket.

use std::io;

use super::join::Worker;
use crate::wire::protocol::{Message, Refusal};

impl Worker {
    /// The program reached its call.
    pub(crate) fn register(&self) -> io::Result<()> {
        self.send(&Message::Registered)
    }

    /// The program reached its call with arguments that cannot serve.
    pub(crate) fn refuse(&self, refusal: Refusal) -> io::Result<()> {
        self.send(&Message::Refused(Refusal {
            name: beginning(&refusal.name, LONGEST_NAME).to_owned(),
            code: beginning(&refusal.code, LONGEST_NAME).to_owned(),
            message: beginning(&refusal.message, LONGEST_WORDS).to_owned(),
        }))
    }

    /// The program reached a call that this worker does not serve.
    pub(crate) fn passed(&self, call: &str) -> io::Result<()> {
        self.send(&Message::Passed(beginning(call, LONGEST_WORDS).to_owned()))
    }

    /// An uncaught error is about to end the process.
    pub(crate) fn uncaught(&self, words: &str) -> io::Result<()> {
        self.send(&Message::Uncaught(beginning(words, LONGEST_WORDS).to_owned()))
    }

    /// The program is about to end the process by a call of its own.
    pub(crate) fn exiting(&self, words: &str) -> io::Result<()> {
        self.send(&Message::Exiting(beginning(words, LONGEST_WORDS).to_owned()))
    }
}

/// The first lines say what happened; a control frame holds no novel, in which a character may take six bytes.
const LONGEST_WORDS: usize = 4096;

/// The same for the name of an error, or its code.
const LONGEST_NAME: usize = 256;

fn beginning(words: &str, longest: usize) -> &str {
    let end = (0..=words.len().min(longest)).rev().find(|&at| words.is_char_boundary(at));
    &words[..end.unwrap_or(0)]
}
