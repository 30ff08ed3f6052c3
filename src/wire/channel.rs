//! Node's own channel between a cluster's primary and its worker, as the primary speaks it.
//!
//! One JSON text and a newline a message. Node's cluster module asks for a few things; everything
//! else on the channel is the user's. Pure: bytes in, meaning out; nothing here reads or writes.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

/// A message line longer than this is no message: the peer has gone wrong.
pub(crate) const MAX_LINE: usize = 1 << 28;

/// `ENOTSUP` as libuv numbers it: what a worker is told that asks for a shared handle before this
/// package was loaded in it.
const ENOTSUP: i32 = -95;

/// What a worker's Node said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Node has started.
    Online,
    /// A server listens in the worker: the message, for the `listening` event.
    Listening(String),
    /// It wants to leave; it goes when the reply is there.
    Leaving { reply: String },
    /// It asked for something that is answered here and concerns nobody else.
    Asked { reply: String },
    /// The user's own message.
    Message(String),
    /// Node's own, of no interest.
    Nothing,
    /// No message at all.
    Garbage,
}

/// The message that asks a worker to disconnect, after which it drains.
pub(crate) const DISCONNECT: &str = "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"disconnect\",\"seq\":0}\n";

#[derive(Deserialize)]
struct Internal {
    cmd: Option<serde_json::Value>,
    act: Option<String>,
    seq: Option<i64>,
}

/// The meaning of one line, its newline removed.
pub(crate) fn interpret(line: &[u8]) -> Said {
    let text = || String::from_utf8_lossy(line).into_owned();
    if serde_json::from_slice::<IgnoredAny>(line).is_err() {
        return Said::Garbage;
    }
    let looks_internal = line.windows(5).any(|part| part == b"NODE_");
    let Some(internal) =
        looks_internal.then(|| serde_json::from_slice::<Internal>(line).ok()).flatten()
    else {
        return Said::Message(text());
    };
    let cmd = internal.cmd.as_ref().and_then(|cmd| cmd.as_str()).unwrap_or_default();
    let reply = |errno: Option<i32>| {
        let mut reply = json!({"cmd": "NODE_CLUSTER", "ack": internal.seq});
        if let Some(errno) = errno {
            reply["errno"] = errno.into();
        }
        format!("{reply}\n")
    };
    match (cmd, internal.act.as_deref()) {
        ("NODE_CLUSTER", Some("online")) => Said::Online,
        ("NODE_CLUSTER", Some("listening")) => Said::Listening(text()),
        ("NODE_CLUSTER", Some("exitedAfterDisconnect")) => Said::Leaving { reply: reply(None) },
        ("NODE_CLUSTER", Some("queryServer")) => Said::Asked { reply: reply(Some(ENOTSUP)) },
        ("NODE_HANDLE", _) => Said::Asked { reply: "{\"cmd\":\"NODE_HANDLE_ACK\"}\n".into() },
        (cmd, _) if cmd.starts_with("NODE_") => Said::Nothing,
        _ => Said::Message(text()),
    }
}

/// Cuts lines out of bytes that arrive in pieces.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    bytes: Vec<u8>,
    searched: usize,
}

impl Lines {
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole line without its newline; an error if it exceeds [`MAX_LINE`].
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, usize> {
        let Some(at) = memchr::memchr(b'\n', &self.bytes[self.searched..]) else {
            self.searched = self.bytes.len();
            return if self.bytes.len() > MAX_LINE { Err(self.bytes.len()) } else { Ok(None) };
        };
        let end = self.searched + at;
        let rest = self.bytes.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.bytes, rest);
        line.pop();
        self.searched = 0;
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_node_asks_is_told_from_what_the_user_says() {
        let cases: [(&str, Said); 9] = [
            (r#"{"cmd":"NODE_CLUSTER","act":"online","seq":0}"#, Said::Online),
            (
                r#"{"cmd":"NODE_CLUSTER","act":"exitedAfterDisconnect","seq":3}"#,
                Said::Leaving { reply: "{\"ack\":3,\"cmd\":\"NODE_CLUSTER\"}\n".into() },
            ),
            (
                r#"{"cmd":"NODE_CLUSTER","act":"queryServer","seq":4,"port":0}"#,
                Said::Asked {
                    reply: "{\"ack\":4,\"cmd\":\"NODE_CLUSTER\",\"errno\":-95}\n".into(),
                },
            ),
            (r#"{"cmd":"NODE_CLUSTER","act":"close","seq":5}"#, Said::Nothing),
            (r#"{"a":1}"#, Said::Message(r#"{"a":1}"#.into())),
            (r#"{"cmd":"mine"}"#, Said::Message(r#"{"cmd":"mine"}"#.into())),
            (r#"{"cmd":7,"x":"NODE_"}"#, Said::Message(r#"{"cmd":7,"x":"NODE_"}"#.into())),
            (r#""NODE_CLUSTER""#, Said::Message(r#""NODE_CLUSTER""#.into())),
            ("null", Said::Message("null".into())),
        ];
        for (line, said) in cases {
            assert_eq!(interpret(line.as_bytes()), said, "{line}");
        }
    }

    #[test]
    fn lines_are_cut_wherever_the_stream_is() {
        let stream = b"{\"a\":1}\n\n\"x\"\n";
        for step in 1..stream.len() {
            let mut lines = Lines::default();
            let mut seen = Vec::new();
            for piece in stream.chunks(step) {
                lines.feed(piece);
                while let Some(line) = lines.next().expect("short lines") {
                    seen.push(line);
                }
            }
            assert_eq!(seen, [b"{\"a\":1}".to_vec(), vec![], b"\"x\"".to_vec()]);
        }
    }
}
