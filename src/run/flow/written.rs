//! The entries of an event of a flow's source as they are written down, and read again.

use crate::run::results::Entry;
use crate::run::value::Value;
use crate::shm::store::Bytes;
use crate::wire::format::Format;

/// In the place of a format: the entry has no response.
const NONE: u8 = u8::MAX;

/// The kind, the worker, the format and the length, before the bytes.
const HEAD: usize = 13;

/// The bytes of these entries, which have no data.
pub(crate) fn written(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Entry { kind, worker, response, .. } in entries {
        let format = response.as_ref().map_or(NONE, |it| it.format.number() as u8);
        let value = response.as_deref().unwrap_or_default();
        bytes.extend(kind.to_le_bytes());
        bytes.extend(worker.to_le_bytes());
        bytes.push(format);
        bytes.extend((value.len() as u32).to_le_bytes());
        bytes.extend(value);
    }
    bytes
}

/// The entries that these bytes are; none if they are not what was written.
pub(crate) fn read(mut bytes: &[u8]) -> Option<Vec<Entry<'static>>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let word = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes"));
        let (value, rest) = rest.split_at_checked(word(9) as usize)?;
        let value = |format| Value::owned(Bytes::from(value), format);
        let response = match head[8] {
            NONE => None,
            format => Some(value(Format::from_number(u32::from(format)))),
        };
        entries.push(Entry { kind: word(0), worker: word(4), data: None, response });
        bytes = rest;
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_they_were_written() {
        let of = |kind, response| Entry { kind, worker: 3, data: None, response };
        let json = Value::json(b"[1]");
        let buffer = Value::new(b"\0\n", Format::Buffer);
        let bytes = written(&[of(4, Some(json)), of(0, None), of(6, Some(buffer))]);
        let read_again = read(&bytes).expect("whole");
        let shown: Vec<_> = read_again
            .iter()
            .map(|it| (it.kind, it.worker, it.response.as_ref().map(|it| (it.format, it.to_vec()))))
            .collect();
        let expected = vec![
            (4, 3, Some((Format::Json, b"[1]".to_vec()))),
            (0, 3, None),
            (6, 3, Some((Format::Buffer, b"\0\n".to_vec()))),
        ];
        assert_eq!(shown, expected);
        assert!(read(&[]).expect("whole").is_empty());
        let ends = [HEAD + 3, 2 * HEAD + 3, bytes.len()];
        for end in 1..bytes.len() {
            assert_eq!(read(&bytes[..end]).is_some(), ends.contains(&end), "{end}");
        }
    }
}
