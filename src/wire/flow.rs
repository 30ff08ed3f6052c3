//! A flow's plan as the program's JavaScript tells it, and the records in which a worker answers an event of a flow.
//!
//! The plan is JSON. An answer of several outputs is a sequence of records; what a record is, its first character says: an
//! exit's number, or one of [`FAILED`], [`SPILLED`] and [`FURTHER`]. They are lines of text where all values are, and have
//! their lengths otherwise.

use serde::Deserialize;

use crate::wire::format::Format;

/// See the module's text.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plan {
    /// The number of the node that the source's events enter.
    pub(crate) entry: usize,
    /// The node of number `n` is the one at `n - 1`.
    pub(crate) nodes: Vec<Node>,
    pub(crate) exits: Vec<Exit>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Node {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) hold: Option<Hold>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    pub(crate) retries: Option<Retries>,
    /// Whole milliseconds that an event may run.
    #[serde(default)]
    pub(crate) task_timeout: Option<u32>,
    /// So many events may wait for the node before those are held up that lead to it.
    #[serde(default)]
    pub(crate) max_waiting: Option<usize>,
    #[serde(default)]
    pub(crate) batch: Option<Batch>,
    /// The numbers of the nodes before it; 0 is the source.
    pub(crate) inputs: Vec<usize>,
    pub(crate) ports: Vec<Port>,
    /// The exit of its failures, or -1.
    pub(crate) errors: i32,
    /// The exit of one plain answer to an event that enters here, or -1.
    pub(crate) plain: i32,
}

/// A node that waits for all its items, or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hold {
    Batch,
    /// All of them are one event.
    All,
    /// All of them are handed to the master's JavaScript.
    Master,
    /// Workers write them down.
    Spill,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Retries {
    pub(crate) limit: u32,
    pub(crate) backoff: f64,
    pub(crate) factor: f64,
    /// None if there is no limit.
    pub(crate) max_delay: Option<f64>,
    pub(crate) on: Vec<String>,
}

/// When a batch is complete: any of these.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Batch {
    pub(crate) count: Option<usize>,
    pub(crate) ms: Option<f64>,
    pub(crate) bytes: Option<usize>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Port {
    /// Its exit, or -1.
    pub(crate) exit: i32,
    /// The node that runs in the same event, or 0.
    pub(crate) next: usize,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Exit {
    pub(crate) to: Vec<Target>,
}

/// Where what leaves an exit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Target {
    Node { node: usize },
    Sink { sink: usize },
}

/// What workers wrote down, as they tell it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Told {
    pub(crate) file: String,
    /// Partition, offset, length, number of records.
    pub(crate) parts: Vec<(u32, u64, u64, u64)>,
}

/// A record's first character, but for exits: those begin with [`FIRST_EXIT`].
pub(crate) const FAILED: u8 = b'!';
pub(crate) const SPILLED: u8 = b'$';
pub(crate) const FURTHER: u8 = b'#';
pub(crate) const FIRST_EXIT: u8 = 0x25;
pub(crate) const MOST_EXITS: usize = 90;

/// A value that a record carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    pub(crate) format: Format,
    /// It is `undefined`.
    pub(crate) is_hole: bool,
    pub(crate) bytes: &'a [u8],
}

/// What a worker says in an answer of several outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record<'a> {
    /// A value leaves this exit.
    Out { exit: usize, item: Item<'a> },
    /// A value failed in a node behind the one that the event entered. `redo` is the data of an event that tries again, if
    /// that is not the value.
    Failed { node: usize, error: &'a [u8], redo: &'a [u8], item: Item<'a> },
    /// Something was written down for a node: the JSON of a [`Told`].
    Spilled { node: usize, told: &'a [u8] },
    /// The event goes on in another one, with this data.
    Further { data: &'a [u8] },
}

/// In a record with a length: the bit of its format byte that says `undefined`.
const HOLE: u8 = 4;

/// The bytes before a record that has a length: that, the character, the format.
const HEAD: usize = 6;

/// The records of an answer. None if they make no sense.
pub(crate) fn records(payload: &[u8], format: Format) -> Option<Vec<Record<'_>>> {
    let mut all = Vec::new();
    if format.is_binary() {
        let mut rest = payload;
        while !rest.is_empty() {
            let (head, behind) = rest.split_at_checked(HEAD)?;
            let length = u32::from_le_bytes(head[..4].try_into().ok()?);
            let (bytes, next) = behind.split_at_checked(usize::try_from(length).ok()?)?;
            let format = Format::from_number(head[5].into());
            all.push(record(head[4], bytes, format, head[5] & HOLE != 0)?);
            rest = next;
        }
    } else if !payload.is_empty() {
        for line in
            memchr::memchr_iter(b'\n', payload).chain([payload.len()]).scan(0, |from, to| {
                let line = &payload[*from..to];
                *from = to + 1;
                Some(line)
            })
        {
            let (&what, bytes) = line.split_first()?;
            all.push(record(what, bytes, Format::Json, bytes.is_empty())?);
        }
    }
    Some(all)
}

fn record(what: u8, bytes: &[u8], format: Format, is_hole: bool) -> Option<Record<'_>> {
    match what {
        FAILED => {
            let (node, rest) = field(bytes)?;
            let (error, rest) = field(rest)?;
            let (redo, data) = field(rest)?;
            let is_hole = is_hole || (format == Format::Json && data.is_empty());
            let item = Item { format, is_hole, bytes: data };
            Some(Record::Failed { node: number(node)?, error, redo, item })
        }
        SPILLED => {
            let (node, told) = field(bytes)?;
            Some(Record::Spilled { node: number(node)?, told })
        }
        FURTHER => Some(Record::Further { data: bytes }),
        FIRST_EXIT.. => {
            let item = Item { format, is_hole, bytes };
            Some(Record::Out { exit: usize::from(what - FIRST_EXIT), item })
        }
        _ => None,
    }
}

/// What is before a tab, and what is behind it. JSON has no tab outside of its strings' escapes.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b'\t', bytes)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
