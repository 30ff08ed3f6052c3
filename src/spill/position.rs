//! How far a merge has come, as a text: a fingerprint of its extents, then of each how far that is.

use std::fmt::Write as _;

use xxhash_rust::xxh3::Xxh3;

use super::Result;
use super::cursor::Place;
use super::error::Error;
use super::extent::Extent;

/// A number that other extents do not have, as a rule.
pub(crate) fn fingerprint(extents: &[Extent]) -> u32 {
    let mut hash = Xxh3::new();
    for Extent { file, offset, length } in extents {
        hash.update(&(file.len() as u64).to_le_bytes());
        hash.update(file.as_bytes());
        hash.update(&offset.to_le_bytes());
        hash.update(&length.to_le_bytes());
    }
    hash.digest() as u32
}

pub(crate) fn write(fingerprint: u32, places: impl Iterator<Item = Place>) -> String {
    let mut text = format!("{fingerprint:x}");
    for place in places {
        // Writing to a string cannot fail.
        let _ = match place {
            Some((block, record)) => write!(text, ",{block}.{record}"),
            None => write!(text, ","),
        };
    }
    text
}

/// The places of so many extents.
pub(crate) fn read(text: &str, fingerprint: u32, count: usize) -> Result<Vec<Option<Place>>> {
    let mut fields = text.split(',');
    let is_theirs = fields.next().is_some_and(|first| first == format!("{fingerprint:x}"));
    let places: Option<Vec<_>> = fields.map(|field| place(field).map(Some)).collect();
    let places = places.filter(|places| is_theirs && places.len() == count);
    places.ok_or_else(|| Error::argument("from: it is no position in these extents"))
}

fn place(field: &str) -> Option<Place> {
    if field.is_empty() {
        return Some(None);
    }
    let (block, record) = field.split_once('.')?;
    Some(Some((block.parse().ok()?, record.parse().ok()?)))
}
