//! The files of a shuffle, for JavaScript: of workers, but for where they are and their removal.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use napi::bindgen_prelude::{
    Buffer, External, ToNapiValue, TypeName, Uint8Array, Uint8ArraySlice, Uint32Array,
    Uint32ArraySlice,
};
use napi::{ValueType, sys};
use napi_derive::napi;

use super::text::{Argument, string};
use crate::shm::store::Bytes;
use crate::spill::error::Error;
use crate::spill::extent::Extent;
use crate::spill::numbers::Numbers;
use crate::spill::pairs::{self, Keys, Target, Values};
use crate::spill::{self, chunk, file, folder, merge};
use crate::wire::format::Format;

type Result<T> = std::result::Result<T, napi::Error<String>>;

fn failed(error: Error) -> napi::Error<String> {
    napi::Error::new(error.code().to_owned(), error.to_string())
}

fn wrong(what: &str) -> napi::Error<String> {
    failed(Error::argument(what))
}

/// The path of a pool's folder in `dir`. Nothing is created.
#[napi]
pub fn spill_base(dir: String, number: u32) -> Result<String> {
    let base = folder::base(Path::new(&dir), number);
    base.into_os_string().into_string().map_err(|_| wrong("dir: it is no text"))
}

/// Removes what processes that are gone left in `dir`. Errors are ignored.
#[napi]
pub fn spill_sweep(dir: String) {
    folder::sweep(Path::new(&dir));
}

/// Removes a pool's folder, or one in it, with all that is in it. It may not be there.
#[napi]
pub fn spill_remove(path: String) -> Result<()> {
    folder::remove(Path::new(&path)).map_err(failed)
}

pub struct SpillFile(RefCell<file::SpillFile>);

/// The file of this name in `dir`, to be written at its end. The first write creates both.
#[napi(ts_return_type = "ExternalObject<SpillFile>")]
pub fn spill_open(dir: String, file: String) -> Result<External<SpillFile>> {
    let file = file::SpillFile::new(Path::new(&dir), &file).map_err(failed)?;
    Ok(External::new(SpillFile(RefCell::new(file))))
}

/// Writes pairs: an array of scalars in JSON, and one of values that is as long. Returns what was written, as JSON:
/// `{"file": name, "parts": [[partition, offset, length, records], …]}`.
#[napi]
pub fn spill_write(
    #[napi(ts_arg_type = "ExternalObject<SpillFile>")] file: &External<SpillFile>,
    partitions: u32,
    side: u32,
    #[napi(ts_arg_type = "string")] keys: Argument<'_>,
    #[napi(ts_arg_type = "string")] values: Argument<'_>,
) -> Result<String> {
    let (keys, values) = (text(&keys, "keys")?, text(&values, "values")?);
    let write = || {
        let values = Values::json(&values)?;
        let mut file = file.0.borrow_mut();
        pairs::write(&mut file, Target { partitions, side }, Keys::Json(&keys), &values)
    };
    write().map_err(failed)
}

/// The different keys of one event.
pub struct SpillNumbers(RefCell<Numbers>);

/// No keys.
#[napi(ts_return_type = "ExternalObject<SpillNumbers>")]
pub fn spill_numbers() -> External<SpillNumbers> {
    External::new(SpillNumbers(RefCell::default()))
}

/// Writes into `numbers` which number each key has: the next one if it is new. Keys are strings, one in a line, or an array in JSON.
/// False, with nothing done, if there are other line breaks than these, or anything but ASCII: then they have to be JSON.
#[napi]
pub fn spill_number(
    #[napi(ts_arg_type = "ExternalObject<SpillNumbers>")] known: &External<SpillNumbers>,
    #[napi(ts_arg_type = "string")] keys: Argument<'_>,
    is_json: bool,
    mut numbers: Uint32ArraySlice<'_>,
) -> Result<bool> {
    let mut known = known.0.borrow_mut();
    // SAFETY: the array is this call's alone: no JavaScript runs until its end.
    let numbers = unsafe { numbers.as_mut() };
    if is_json {
        known.of_json(&text(&keys, "keys")?, numbers).map_err(failed)?;
        return Ok(true);
    }
    let lines = keys.read(Format::String).map_err(|_| wrong("keys: they are no string"))?;
    lines.map_or(Ok(false), |lines| known.of_lines(&lines, numbers)).map_err(failed)
}

/// All keys that have a number, in that order, as an array in JSON.
#[napi(ts_return_type = "string")]
pub fn spill_numbered(
    #[napi(ts_arg_type = "ExternalObject<SpillNumbers>")] known: &External<SpillNumbers>,
) -> Text {
    Text(known.0.borrow().to_json())
}

/// As `spillWrite`, for keys that have numbers: the values are in that order.
#[napi]
pub fn spill_write_numbered(
    #[napi(ts_arg_type = "ExternalObject<SpillFile>")] file: &External<SpillFile>,
    partitions: u32,
    side: u32,
    #[napi(ts_arg_type = "ExternalObject<SpillNumbers>")] keys: &External<SpillNumbers>,
    #[napi(ts_arg_type = "string")] values: Argument<'_>,
) -> Result<String> {
    let values = text(&values, "values")?;
    let write = || {
        let (values, keys) = (Values::json(&values)?, keys.0.borrow());
        let mut file = file.0.borrow_mut();
        pairs::write(&mut file, Target { partitions, side }, Keys::Numbered(&keys), &values)
    };
    write().map_err(failed)
}

/// As `spillWrite`, for values that may be of any format: value i is the bytes from `ends[i - 1]` to `ends[i]`. Formats: 0 JSON, 2 a
/// clone, 3 a buffer; plus 4: there is no value.
#[napi]
pub fn spill_write_bytes(
    #[napi(ts_arg_type = "ExternalObject<SpillFile>")] file: &External<SpillFile>,
    partitions: u32,
    side: u32,
    #[napi(ts_arg_type = "string")] keys: Argument<'_>,
    values: Uint8ArraySlice<'_>,
    ends: Uint32ArraySlice<'_>,
    formats: Uint8ArraySlice<'_>,
) -> Result<String> {
    let keys = text(&keys, "keys")?;
    let write = || {
        let values = Values::bytes(&values, &ends, &formats)?;
        let mut file = file.0.borrow_mut();
        pairs::write(&mut file, Target { partitions, side }, Keys::Json(&keys), &values)
    };
    write().map_err(failed)
}

fn text(argument: &Argument<'_>, name: &str) -> Result<Bytes> {
    let read = argument.read(Format::Json).ok().flatten();
    read.ok_or_else(|| wrong(&format!("{name}: it is no string")))
}

/// Merges extents of `dir` (JSON: `[[file, offset, length], …]`) into one of this partition, at the end of `file`. Returns what was
/// written, as `spillWrite` does.
#[napi]
pub fn spill_merge(
    #[napi(ts_arg_type = "ExternalObject<SpillFile>")] file: &External<SpillFile>,
    dir: String,
    extents: String,
    partition: u32,
) -> Result<String> {
    let extents = parse(&extents)?;
    let mut file = file.0.borrow_mut();
    merge::merge(&mut file, Path::new(&dir), &extents, partition).map_err(failed)
}

fn parse(extents: &str) -> Result<Vec<Extent>> {
    let parsed: std::result::Result<Vec<(String, u64, u64)>, _> = serde_json::from_str(extents);
    let parsed = parsed.map_err(|error| wrong(&format!("extents: {error}")))?;
    let extent = |(file, offset, length)| Extent { file, offset, length };
    Ok(parsed.into_iter().map(extent).collect())
}

pub struct Merge(RefCell<merge::Merge>);

/// Reads extents of `dir` as one, from the start or from a position on.
#[napi(ts_return_type = "ExternalObject<Merge>")]
pub fn spill_read(
    dir: String,
    extents: String,
    #[napi(ts_arg_type = "string | null")] from: Option<String>,
) -> Result<External<Merge>> {
    let extents = parse(&extents)?;
    let folder = PathBuf::from(dir);
    let merge = merge::Merge::open(&folder, &extents, from.as_deref()).map_err(failed)?;
    Ok(External::new(Merge(RefCell::new(merge))))
}

/// A text for JavaScript.
pub struct Text(Vec<u8>);

impl TypeName for Text {
    fn type_name() -> &'static str {
        "String"
    }
    fn value_type() -> ValueType {
        ValueType::String
    }
}

impl ToNapiValue for Text {
    unsafe fn to_napi_value(env: sys::napi_env, text: Self) -> napi::Result<sys::napi_value> {
        // SAFETY: `env` is live in this call (the trait's contract).
        unsafe { string(env, &text.0, text.0.is_ascii()) }
    }
}

/// Keys in order, each with its values: those of side 0 before those of side 1.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Chunk {
    /// An array, as JSON.
    #[napi(ts_type = "string")]
    pub keys: Text,
    /// How many values each key has here.
    pub counts: Uint32Array,
    /// Which side each value is of, unless all are of side 0.
    pub sides: Option<Uint8Array>,
    /// An array, as JSON, if all are JSON.
    #[napi(ts_type = "string")]
    pub values: Option<Text>,
    /// Else these three, as `spillWriteBytes` takes them.
    pub bytes: Option<Buffer>,
    pub ends: Option<Uint32Array>,
    pub formats: Option<Uint8Array>,
    /// There are more values of the last key.
    pub is_partial: bool,
    /// The first key is the last one of the chunk before.
    pub continues: bool,
}

impl From<chunk::Chunk> for Chunk {
    fn from(chunk: chunk::Chunk) -> Self {
        let chunk::Chunk { keys, counts, sides, values, is_partial, continues } = chunk;
        let chunk::Values { bytes, ends, kinds } = values;
        let (values, bytes, ends) = match kinds {
            None => (Some(Text(bytes)), None, None),
            Some(_) => (None, Some(Buffer::from(bytes)), Some(Uint32Array::new(ends))),
        };
        let formats = kinds.map(Uint8Array::new);
        let (counts, sides) = (Uint32Array::new(counts), sides.map(Uint8Array::new));
        Self {
            keys: Text(keys),
            counts,
            sides,
            values,
            bytes,
            ends,
            formats,
            is_partial,
            continues,
        }
    }
}

/// The next keys with their values, of about so many bytes: to a key's end, but for one with more than four times as many.
/// Null at the end.
#[napi(ts_return_type = "Chunk | null")]
pub fn spill_next(
    #[napi(ts_arg_type = "ExternalObject<Merge>")] merge: &External<Merge>,
    bytes: u32,
) -> Result<Option<Chunk>> {
    let chunk = merge.0.borrow_mut().next(bytes as usize).map_err(failed)?;
    Ok(chunk.map(Chunk::from))
}

/// Where `spillRead` goes on behind what has been read. Null at the end, and in the middle of a key.
#[napi]
pub fn spill_position(
    #[napi(ts_arg_type = "ExternalObject<Merge>")] merge: &External<Merge>,
) -> Option<String> {
    merge.0.borrow().position()
}

/// Nothing more is read of it: gives back its files and memory, which would wait for the garbage collector.
#[napi]
pub fn spill_close(#[napi(ts_arg_type = "ExternalObject<Merge>")] merge: &External<Merge>) {
    merge.0.borrow_mut().close();
}

/// Values as an event's answer carries them.
#[napi(object, object_from_js = false)]
pub struct SpillRecords {
    pub bytes: Buffer,
    /// Lines of text; else each record has its length before it.
    pub is_text: bool,
}

/// The next values, of about so many bytes, in the order of their keys. Each is a record that begins with the character
/// `prefix`. Null at the end.
#[napi(ts_return_type = "SpillRecords | null")]
pub fn spill_records(
    #[napi(ts_arg_type = "ExternalObject<Merge>")] merge: &External<Merge>,
    prefix: u32,
    bytes: u32,
) -> Result<Option<SpillRecords>> {
    let prefix = u8::try_from(prefix).map_err(|_| wrong("prefix: it is no character of ASCII"))?;
    let records = merge.0.borrow_mut().records(prefix, bytes as usize).map_err(failed)?;
    Ok(records.map(|spill::chunk::Records { bytes, is_text, .. }| SpillRecords {
        bytes: Buffer::from(bytes),
        is_text,
    }))
}
