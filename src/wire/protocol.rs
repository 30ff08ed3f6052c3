//! What master and worker say to each other beside the rings, and how their shared memory is laid
//! out: the one definition of the wire.
//!
//! A worker is started with one environment variable, [`VARIABLE`], whose value is an [`Invitation`]
//! in JSON. It names three inherited file descriptors: the *control* socket, the *memory* file that
//! only this worker shares with its master ([`Layout`]), and the *backlog* file that all of a run's
//! workers share ([`Common`]). The worker sends `Hello` and, when the program reaches its call,
//! `Registered`; from then on it claims events from the backlog, its answers go through the answer
//! ring, and what is meant for it alone comes through its task ring. `Bell` says "look" and nothing
//! else; any other frame says so too. The worker rings for each answer unless the master polls for
//! them. The end of the stream before `Release` ends the worker.

use serde::{Deserialize, Serialize};

use crate::wire::frame::{self, Frame};

/// Raised with every change of anything in this file.
pub(crate) const VERSION: u32 = 2;

/// The environment variable that makes a process a worker. The worker deletes it on load, so that
/// its own children are none.
pub(crate) const VARIABLE: &str = "SONIC_DISTRIBUTE_WORKER";

/// What a worker needs to know to join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Invitation {
    pub(crate) version: u32,
    /// The id of the run in the master, for logs.
    pub(crate) run: u32,
    /// Which call of the program this worker serves: JavaScript's own words, in JSON.
    pub(crate) call: String,
    pub(crate) worker: u32,
    pub(crate) control: i32,
    pub(crate) memory: i32,
    pub(crate) backlog: i32,
    /// The worker's place in the run, from 0 on: what it signs its claims with, less one.
    pub(crate) place: u32,
    /// How values are encoded: `json` or `advanced`, as `cluster.setupPrimary` names them.
    pub(crate) serialization: String,
    /// Whether the worker is to tell when each event starts.
    pub(crate) times: bool,
    /// Whether the master draws on the terminal that both may write to.
    pub(crate) shares_terminal: bool,
    /// After so many answers it claims nothing more.
    pub(crate) max_tasks: Option<u32>,
    /// The master's pid: a process with another parent inherited the variable, and is no worker.
    pub(crate) parent: u32,
    /// Sent back in `Hello`: proof that the peer is the process that was started.
    pub(crate) token: String,
}

/// Everything that is said over the control socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// Either way: there is something to look at.
    Bell,
    /// Worker, first: who it is.
    Hello(Hello),
    /// Worker: the program reached its call, events may come.
    Registered,
    /// Worker: the program reached its call with arguments that cannot serve.
    Refused(Refusal),
    /// Worker: an uncaught error is about to end it.
    Uncaught(String),
    /// Worker: the program reached a call that it does not serve: which, and why not.
    Passed(String),
    /// Worker: the program ends it by a call of its own: which, and where that is.
    Exiting(String),
    /// Master: no more events; end when your event loop is empty.
    Release,
    /// Master: say that you live, by counting up [`Layout::BEAT`]. There is nothing to look at.
    Ping,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) version: u32,
    pub(crate) pid: u32,
    pub(crate) token: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) name: String,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Message {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let json = |value: serde_json::Result<Vec<u8>>| value.expect("plain data is serialisable");
        match self {
            Self::Bell => frame::encode(0, &[]),
            Self::Hello(hello) => frame::encode(1, &json(serde_json::to_vec(hello))),
            Self::Registered => frame::encode(2, &[]),
            Self::Refused(refusal) => frame::encode(3, &json(serde_json::to_vec(refusal))),
            Self::Uncaught(words) => frame::encode(4, words.as_bytes()),
            Self::Release => frame::encode(5, &[]),
            Self::Ping => frame::encode(6, &[]),
            Self::Passed(call) => frame::encode(7, call.as_bytes()),
            Self::Exiting(words) => frame::encode(8, words.as_bytes()),
        }
    }

    pub(crate) fn decode(frame: &Frame) -> Result<Self, String> {
        match frame.kind {
            0 => Ok(Self::Bell),
            1 => Ok(Self::Hello(serde_json::from_slice(&frame.body).map_err(|e| e.to_string())?)),
            2 => Ok(Self::Registered),
            3 => Ok(Self::Refused(serde_json::from_slice(&frame.body).map_err(|e| e.to_string())?)),
            4 => Ok(Self::Uncaught(String::from_utf8_lossy(&frame.body).into_owned())),
            5 => Ok(Self::Release),
            6 => Ok(Self::Ping),
            7 => Ok(Self::Passed(String::from_utf8_lossy(&frame.body).into_owned())),
            8 => Ok(Self::Exiting(String::from_utf8_lossy(&frame.body).into_owned())),
            kind => Err(format!("a control frame of unknown type {kind}")),
        }
    }
}

/// Where a ring lies in its memory: the words of its positions, its bytes, its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) tail: usize,
    pub(crate) head: usize,
    pub(crate) bytes: usize,
    pub(crate) size: u32,
}

/// The memory that one worker shares with its master: words (32 bits each) that steer, then the two
/// rings. Words that different sides write lie on cache lines of their own.
pub(crate) struct Layout;

impl Layout {
    /// How many events of the task ring have been claimed, by the worker that starts one (from `i` to
    /// `i + 1`) or by the master that takes back all that is left (from `i` to the number published).
    /// Both by compare-and-swap: an event is started or taken back, never both.
    pub(crate) const STARTED: usize = 16;
    /// Worker: 1 if its thread has to be rung for what comes through the task ring; the master that
    /// rings sets 0.
    pub(crate) const WAITS: usize = 64;
    /// Worker: 1 while it waits for room in the answer ring.
    pub(crate) const BLOCKED: usize = 80;
    /// Master: 1 while it has more for the task ring than fits.
    pub(crate) const STUCK: usize = 96;
    /// Master: not 0 while the worker is to claim nothing, the sum of why: there are events that were
    /// taken back and come first, or it leaves. It rings before it sleeps, and is rung when that is over.
    pub(crate) const HELD: usize = 112;
    pub(crate) const HOLDS: u32 = 1;
    pub(crate) const LEAVES: u32 = 2;
    /// It starts nothing more while the master looks whether its event is late, or kills it for that.
    pub(crate) const STOPS: u32 = 4;
    /// Master: 1 if the worker should ring after each answer.
    pub(crate) const RING_ALWAYS: usize = 113;
    /// Master: 1 once it kills the worker and its descendants, which stand still for that. A worker that sees
    /// its master gone then ends itself and them.
    pub(crate) const DOOMED: usize = 114;
    /// Master: 1 while it looks for answers every few milliseconds by itself. While it is 0 the worker rings at
    /// once for each answer that it has published; otherwise only when it pauses.
    pub(crate) const POLLED: usize = 115;

    /// Worker, where the invitation asks for it: when the event of the backlog with the number
    /// [`Self::RUNNING`] has started, in milliseconds of the monotonic clock modulo 2^32. Written in this
    /// order, after the event was claimed and before it runs.
    pub(crate) const STARTED_AT: usize = 160;
    pub(crate) const RUNNING: usize = 161;
    /// Worker: counted up by its I/O thread for every [`Message::Ping`], whatever JavaScript does.
    pub(crate) const BEAT: usize = 272;
    /// Worker: 1 when it has seen that it is to claim nothing more because it [leaves](Self::LEAVES), and
    /// runs nothing that it has claimed.
    pub(crate) const RESTS: usize = 273;
    /// The same as the first two for events of the task ring, before they are claimed: the time and
    /// the index of the event `i` are in the two words from this one on plus twice `i` modulo
    /// [`Self::TIMES_LEN`].
    pub(crate) const TIMES: usize = 192;
    pub(crate) const TIMES_LEN: u32 = 32;

    /// Worker: 1 once its JavaScript heap has reached its limit.
    pub(crate) const HEAP_LIMIT: usize = 176;
    /// Worker: how many bytes its program has written to its error stream, modulo 2^32. The last of them
    /// are at [`Self::TAIL`], byte `i` at `i` modulo [`Self::TAIL_SIZE`].
    pub(crate) const TAIL_COUNT: usize = 177;
    pub(crate) const TAIL: usize = 4096 + 2 * Self::RING as usize;
    pub(crate) const TAIL_SIZE: usize = 4096;

    pub(crate) const RING: u32 = 1 << 20;
    pub(crate) const TASKS: Place = Place { tail: 32, head: 48, bytes: 4096, size: Self::RING };
    pub(crate) const ANSWERS: Place =
        Place { tail: 128, head: 144, bytes: 4096 + Self::RING as usize, size: Self::RING };
    pub(crate) const LEN: usize = Self::TAIL + Self::TAIL_SIZE;
}

/// The memory that a run's workers and its master share: the events that wait, see `backlog`.
pub(crate) struct Common;

impl Common {
    /// Master: how many events have been put in, modulo 2^32 as every count here.
    pub(crate) const PUBLISHED: usize = 16;
    /// Workers: all events before this number are claimed. A hint of where to look; it may be low.
    pub(crate) const CLAIMED: usize = 32;
    /// Master: the worker that claims this event rings, after it has set [`Self::READ`].
    pub(crate) const RING_AT: usize = 48;
    /// Master: 1 while it looks at the answers without being rung.
    pub(crate) const LOOKS: usize = 56;
    /// One bit a worker, 32 in each word, set while it sleeps and any event should wake it.
    pub(crate) const SLEEPERS: usize = 64;

    /// How many events have a place, each of [`Self::ENTRY`] words: its state, where its text begins
    /// (a position that only rises; the byte is at its remainder by [`Self::SIZE`]), the text's length
    /// in bytes, its flags. Event `i` has the place `i` modulo this.
    pub(crate) const PLACES: u32 = 1 << 13;
    pub(crate) const ENTRY: usize = 4;
    /// An event's state: its number without the bits that name the place, so that it tells one event
    /// from the next in the same place, plus who claimed it. 0: nobody yet; n: the worker in place
    /// n - 1; [`Self::MASTER`]: it was taken back.
    pub(crate) const MASTER: u32 = 0xfff;
    /// Added to the state when the worker has read the text, by compare-and-swap: the master may have taken the
    /// event back before. Of a [long](crate::wire::header::flag::LONG) event it is there from the claim on.
    pub(crate) const READ: u32 = 0x1000;
    pub(crate) const MAX_WORKERS: u32 = Self::MASTER - 1;

    /// The index of the first place's first word.
    pub(crate) const TABLE: usize = 1024;
    /// The offset, and the number, of the bytes for texts. A text lies in one piece.
    pub(crate) const BYTES: usize = 4 * (Self::TABLE + Self::PLACES as usize * Self::ENTRY);
    pub(crate) const SIZE: u32 = 1 << 22;
    /// Longer texts do not lie here: they come through the task ring of the worker that claims them.
    pub(crate) const LONGEST: usize = Self::SIZE as usize / 4;
    pub(crate) const LEN: usize = Self::BYTES + Self::SIZE as usize;
}

/// The memory that the master's JavaScript shares with its I/O thread: words.
pub(crate) struct Board;

impl Board {
    /// Rust: the number (mod 2^32) of the first event that has to wait; earlier ones have room.
    pub(crate) const ALLOWED: usize = 0;
    /// Rust: 1 from the moment that JavaScript is called until it clears it.
    pub(crate) const CALLED: usize = 1;
    /// Rust: 1 while events wait for a place in the backlog: others must queue behind them.
    pub(crate) const OVERFLOWS: usize = 2;
    /// Rust: the first event whose place is taken, and the first byte that is.
    pub(crate) const FIRST: usize = 3;
    pub(crate) const HEAD: usize = 4;
    /// Rust: how many entries a stream's reader has not taken, and their bytes.
    pub(crate) const UNREAD: usize = 5;
    pub(crate) const UNREAD_BYTES: usize = 6;
    /// JavaScript: 1 while a stream's reader waits for an entry.
    pub(crate) const READS: usize = 66;
    /// JavaScript: 1 while a `Map` waits for [`Self::ALLOWED`] to pass [`Self::WAITING_FOR`].
    pub(crate) const WAITING: usize = 64;
    /// JavaScript: the number of the first event whose `Map` waits.
    pub(crate) const WAITING_FOR: usize = 65;
    /// Whoever puts an event into the backlog: how many there are, and the first free byte.
    pub(crate) const PUBLISHED: usize = 96;
    pub(crate) const TAIL: usize = 97;

    pub(crate) const LEN: usize = 4096;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::Decoder;

    /// Golden bytes: a change here is a change of [`VERSION`].
    #[test]
    fn every_message_has_the_bytes_it_always_had() {
        let golden: [(Message, &[u8]); 9] = [
            (Message::Bell, b"\x01\0\0\0\0"),
            (
                Message::Hello(Hello { version: 1, pid: 42, token: "t".into() }),
                b"\x23\0\0\0\x01{\"version\":1,\"pid\":42,\"token\":\"t\"}",
            ),
            (Message::Registered, b"\x01\0\0\0\x02"),
            (
                Message::Refused(Refusal {
                    name: "TypeError".into(),
                    code: "E".into(),
                    message: "no".into(),
                }),
                b"\x2f\0\0\0\x03{\"name\":\"TypeError\",\"code\":\"E\",\"message\":\"no\"}",
            ),
            (Message::Uncaught("Error: x".into()), b"\x09\0\0\0\x04Error: x"),
            (Message::Release, b"\x01\0\0\0\x05"),
            (Message::Ping, b"\x01\0\0\0\x06"),
            (Message::Passed("a.js:1:2".into()), b"\x09\0\0\0\x07a.js:1:2"),
            (Message::Exiting("exit".into()), b"\x05\0\0\0\x08exit"),
        ];
        for (message, bytes) in golden {
            assert_eq!(message.encode(), bytes, "{message:?}");
            let mut decoder = Decoder::default();
            decoder.feed(bytes);
            let frame = decoder.next().expect("well formed").expect("whole");
            assert_eq!(Message::decode(&frame), Ok(message));
        }
        assert_eq!(VERSION, 2);
    }
}
