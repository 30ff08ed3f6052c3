//! Answers and entries made of their parts.

use crate::run::results::{Entry, entry};
use crate::run::value::Value;
use crate::shm::store::Bytes;
use crate::wire::header::{Header, data_format_of, flag, format_of};

/// An answer that becomes a failure, with the JSON of an error.
pub(super) fn failed(header: Header, error: &str) -> (Header, Bytes) {
    let payload = Bytes::from(error.as_bytes());
    let flags = header.flags & !(flag::FORMAT | flag::OUTPUTS) | flag::FAILED | flag::RESPONSE;
    (Header { flags, split: payload.len() as u32, ..header }, payload)
}

/// An entry with these values.
pub(super) fn entry_of<'a>(
    kind: u32,
    worker: u32,
    data: Option<Value<'a>>,
    response: Option<Value<'a>>,
) -> Entry<'a> {
    let data_bit = if data.is_some() { entry::DATA } else { 0 };
    let response_bit = if response.is_some() { entry::RESPONSE } else { 0 };
    Entry { kind: kind | data_bit | response_bit, worker, data, response }
}

/// The response of an answer, and the changed data that follows it. Long ones are moved: the data into `rest`, and out of
/// there.
pub(super) fn values_of<'a>(
    payload: &'a mut Bytes,
    rest: &'a mut Bytes,
    split: usize,
    flags: u32,
) -> (Value<'a>, Value<'a>) {
    let (format, data_format) = (format_of(flags), data_format_of(flags));
    if payload.is_long() {
        *rest = payload.split_off(split);
        return (Value::out_of(payload, format), Value::out_of(rest, data_format));
    }
    let (response, data) = payload.split_at(split);
    (Value::new(response, format), Value::new(data, data_format))
}

/// The data of an event with this text and these flags.
pub(super) fn data_of(text: &mut Bytes, flags: u32) -> Option<Value<'_>> {
    (flags & flag::HOLE == 0).then(|| Value::out_of(text, format_of(flags)))
}
