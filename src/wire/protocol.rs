//! What master and worker say to each other beside the shared memory ([`super::layout`]): the one definition of the wire.
//!
//! A worker is started with one environment variable, [`VARIABLE`], whose value is an [`Invitation`] in JSON. It names
//! four inherited file descriptors: the *control* socket, the *memory* file that only this worker shares with its master,
//! the *lanes* file that all workers of a pool share, and the *common* file that all processes of the program share. The
//! worker sends `Hello` and, when the program reaches its call, `Registered`. From then on it claims events from the lanes;
//! its answers go through its answer ring, and what is meant for it alone comes through its task ring. `Notify` is a wake-up
//! and nothing else; any other frame is one too. The worker notifies the master of each answer unless the master polls for
//! them. The end of the stream before `Release` ends the worker.

use serde::{Deserialize, Serialize};

use crate::wire::frame::{self, Frame};

/// Raised with every change of anything in this file.
pub(crate) const VERSION: u32 = 5;

/// The environment variable that makes a process a worker. The worker deletes it on load, so that
/// its own children are none.
pub(crate) const VARIABLE: &str = "SONIC_DISTRIBUTE_WORKER";

/// What a worker needs to know to join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Invitation {
    pub(crate) version: u32,
    /// The number of the pool in the master, for logs.
    pub(crate) pool: u32,
    /// Which call of the program this worker serves: JavaScript's own words, in JSON.
    pub(crate) call: String,
    pub(crate) worker: u32,
    pub(crate) control: i32,
    pub(crate) memory: i32,
    /// The memory of the lanes.
    pub(crate) lanes: i32,
    /// The memory of locks and counters.
    pub(crate) common: i32,
    /// The worker's number among those who hold locks there.
    pub(crate) owner: u16,
    /// The worker's slot in the pool, from 0 on: what it signs its claims with, less one.
    pub(crate) slot: u32,
    /// The number of its group of workers, from 0 on.
    pub(crate) group: u32,
    /// How values are encoded: `json` or `advanced`, as `cluster.setupPrimary` names them.
    pub(crate) serialization: String,
    /// Whether the worker is to tell when each event starts.
    pub(crate) times: bool,
    /// How many events it runs at once.
    pub(crate) concurrency: u32,
    /// After so many answers it claims nothing more.
    pub(crate) max_tasks: Option<u32>,
    /// The master's pid: a process with another parent inherited the variable, and is no worker.
    pub(crate) parent: u32,
    /// Where it writes what is too large for memory, if it may have to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) spill: Option<Spill>,
    /// Sent back in `Hello`: proof that the peer is the process that was started.
    pub(crate) token: String,
}

/// Where workers write what is too large for memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spill {
    /// A folder of the pool's own.
    pub(crate) folder: String,
    /// Into how many parts keys are divided.
    pub(crate) partitions: u32,
}

/// Everything that is said over the control socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// Either way: a wake-up.
    Notify,
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
    /// Master: asks for a sign of life, by counting up [`Layout::HEARTBEAT`](crate::wire::layout::Layout::HEARTBEAT). It is no wake-up.
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
            Self::Notify => frame::encode(0, &[]),
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
            0 => Ok(Self::Notify),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::Decoder;

    /// Golden bytes: a change here is a change of [`VERSION`].
    #[test]
    fn every_message_has_the_bytes_it_always_had() {
        let golden: [(Message, &[u8]); 9] = [
            (Message::Notify, b"\x01\0\0\0\0"),
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
        assert_eq!(VERSION, 5);
    }
}
