//! Items that wait for more of them, and what they are together.

use crate::run::value::Value;
use crate::shm::store::Bytes;
use crate::wire::flow::Item;
use crate::wire::format::Format;
use crate::wire::header::{flag, format_of};

/// An item as it waits: its bytes, and flags as an event has them.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) bytes: Bytes,
    pub(crate) flags: u32,
}

/// In a part: what its byte of flags says beside the format.
const HOLE: u8 = 4;
const PARTS: u8 = 8;
const FAILURE: u8 = 16;

impl Kept {
    pub(crate) fn of(item: &Item<'_>) -> Self {
        let hole = if item.is_hole { flag::HOLE } else { 0 };
        let flags = item.format.number() << flag::FORMAT_AT | hole;
        Self { bytes: Bytes::from(item.bytes), flags }
    }

    /// The data of a plain answer; none is `undefined`.
    pub(crate) fn of_value(value: Option<Value<'_>>) -> Self {
        let Some(value) = value else { return Self { bytes: Bytes::default(), flags: flag::HOLE } };
        let flags = value.format.number() << flag::FORMAT_AT;
        Self { bytes: value.into_bytes(), flags }
    }

    /// The same once more.
    pub(crate) fn copy(&self) -> Self {
        Self { bytes: Bytes::from(&*self.bytes), flags: self.flags }
    }

    fn is_binary(&self) -> bool {
        self.flags & (flag::PARTS | flag::FAILURE) != 0 || format_of(self.flags).is_binary()
    }

    /// Appends its JSON.
    fn write_json(&self, text: &mut Vec<u8>) {
        if self.flags & flag::HOLE != 0 {
            text.extend_from_slice(b"null");
        } else if format_of(self.flags) == Format::String {
            let string = String::from_utf8_lossy(&self.bytes);
            serde_json::to_writer(text, &string).expect("a vector takes any string");
        } else {
            text.extend_from_slice(&self.bytes);
        }
    }

    /// Its flags in a part.
    fn part_flags(&self) -> u8 {
        let has = |flag: u32, bit: u8| if self.flags & flag != 0 { bit } else { 0 };
        let format = format_of(self.flags).number() as u8;
        format | has(flag::HOLE, HOLE) | has(flag::PARTS, PARTS) | has(flag::FAILURE, FAILURE)
    }

    fn write_part(&self, parts: &mut Vec<u8>) {
        let length = u32::try_from(self.bytes.len()).expect("an item is shorter than that");
        parts.extend_from_slice(&length.to_le_bytes());
        parts.push(self.part_flags());
        parts.extend_from_slice(&self.bytes);
    }
}

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Held {
    items: Vec<Kept>,
    bytes: usize,
    is_binary: bool,
    /// How often it was emptied.
    pub(crate) generation: u64,
    /// How many items have come in all.
    pub(crate) came: u64,
}

impl Held {
    pub(crate) fn push(&mut self, item: Kept) {
        self.bytes += item.bytes.len();
        self.is_binary |= item.is_binary();
        self.items.push(item);
        self.came += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// It holds nothing any more.
    pub(crate) fn clear(&mut self) {
        *self = Self { came: self.came, ..Self::default() };
    }

    /// All of them as one array; it is empty then. The error's message if they are too many bytes.
    pub(crate) fn take(&mut self) -> Result<Kept, String> {
        let (items, bytes, is_binary) =
            (std::mem::take(&mut self.items), std::mem::take(&mut self.bytes), self.is_binary);
        self.is_binary = false;
        self.generation += 1;
        if bytes + items.len() * 5 > MOST_BYTES {
            let count = items.len();
            return Err(format!(
                "the {count} items have {bytes} bytes, and the most is {MOST_BYTES} (1 GiB): reduce them by key (reduceByKey), \
                 or in several steps"
            ));
        }
        let mut all = Vec::with_capacity(bytes + items.len() * 5 + 2);
        if is_binary {
            for item in &items {
                item.write_part(&mut all);
            }
            let flags = flag::PARTS | Format::Buffer.number() << flag::FORMAT_AT;
            return Ok(Kept { bytes: Bytes::from(&*all), flags });
        }
        all.push(b'[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                all.push(b',');
            }
            item.write_json(&mut all);
        }
        all.push(b']');
        Ok(Kept { bytes: Bytes::from(&*all), flags: 0 })
    }
}

/// The most that an event has.
const MOST_BYTES: usize = 1 << 30;

/// A failed event as an item: an object as its entry would be, with the name of the node.
pub(crate) fn failure_of(
    worker: u32,
    node: &str,
    error: &[u8],
    data: Option<(&[u8], u32)>,
) -> Kept {
    let mut head = format!(r#"{{"id":{worker},"failed":true,"node":"#).into_bytes();
    serde_json::to_writer(&mut head, node).expect("a vector takes any string");
    head.extend_from_slice(br#","error":"#);
    head.extend_from_slice(error);
    let Some((bytes, flags)) = data else {
        head.push(b'}');
        return Kept { bytes: Bytes::from(&*head), flags: 0 };
    };
    let item = Kept { bytes: Bytes::from(bytes), flags };
    if item.is_binary() {
        head.push(b'}');
        let length = u32::try_from(head.len()).expect("an error is shorter than that");
        let mut all = length.to_le_bytes().to_vec();
        all.extend_from_slice(&head);
        all.push(item.part_flags());
        all.extend_from_slice(&item.bytes);
        let flags = flag::FAILURE | Format::Buffer.number() << flag::FORMAT_AT;
        return Kept { bytes: Bytes::from(&*all), flags };
    }
    if flags & flag::HOLE == 0 {
        head.extend_from_slice(br#","data":"#);
        item.write_json(&mut head);
    }
    head.push(b'}');
    Kept { bytes: Bytes::from(&*head), flags: 0 }
}

#[cfg(test)]
mod tests;
