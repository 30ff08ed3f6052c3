//! The files of a shuffle: pairs of a key and a value, sorted by key, on the way from the workers that make them to the
//! workers that reduce them.
//!
//! | module | what it owns |
//! |---|---|
//! | `key` | keys as bytes whose order is the keys' order, and which partition a key is of |
//! | `numbers` | the different keys of an event, by number |
//! | `text` | arrays of JSON, taken apart without decoding what is in them |
//! | `pairs` | what one event writes, sorted |
//! | `record` | one pair as bytes |
//! | `block` | 32 KiB of records, compressed, with a checksum |
//! | `extent` | sorted blocks one after the other, written to a file at once |
//! | `file` | the file that a worker appends to |
//! | `files` | the few files that are open to be read |
//! | `cursor` | the place in one extent that is being read |
//! | `merge` | several extents, read as one |
//! | `position` | how far a merge has come, as a text |
//! | `chunk` | what a merge hands out at a time |
//! | `folder` | where the files are, and the removal of what dead processes left |
//!
//! Nothing in here knows pools, runs or workers. Bytes that are not exactly what was written at that place are an error,
//! because of checksums that depend on the place: never a wrong value, and never a panic.

pub(crate) mod chunk;
pub(crate) mod error;
pub(crate) mod extent;
pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod merge;
pub(crate) mod numbers;
pub(crate) mod pairs;

mod block;
mod cursor;
mod files;
mod key;
mod position;
mod record;
mod text;

/// What failed in here.
pub(crate) type Result<T> = std::result::Result<T, error::Error>;

#[cfg(test)]
mod tests;
