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

/// An answer that is there: what its worker has sent, and where the response ends in it.
pub(super) struct Said<'a> {
    pub(super) flags: u32,
    pub(super) payload: &'a mut Bytes,
    pub(super) split: usize,
    /// Where changed data is moved, if that is long.
    pub(super) rest: &'a mut Bytes,
}

/// The entry of an event with this text and these flags, which was answered so. A `report` is in the place of the response.
pub(super) fn entry_of_answer<'a>(
    (kind, worker): (u32, u32),
    said: Said<'a>,
    (text, flags): (&'a mut Bytes, u32),
    report: Option<&'a [u8]>,
) -> Entry<'a> {
    let Said { flags: of_answer, payload, split, rest } = said;
    let (response, changed) = values_of(payload, rest, split, of_answer);
    let is_changed = of_answer & (flag::DATA | flag::DATA_HOLE) != 0;
    let data = if of_answer & flag::DATA_HOLE != 0 {
        None
    } else if is_changed {
        Some(changed)
    } else {
        data_of(text, flags)
    };
    // Changed data never is a whole event.
    let is_whole = flags & flag::WHOLE != 0 && !is_changed;
    let whole = if is_whole { entry::WHOLE } else { 0 };
    let response = report.map_or(response, Value::json);
    let response = (of_answer & flag::RESPONSE != 0).then_some(response);
    entry_of(kind | whole, worker, data, response)
}

/// The data of an event with this text and these flags.
pub(super) fn data_of(text: &mut Bytes, flags: u32) -> Option<Value<'_>> {
    (flags & flag::HOLE == 0).then(|| Value::out_of(text, format_of(flags)))
}
