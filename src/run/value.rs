//! A value on its way through the master: its bytes and how they are encoded. It never decodes them.

use std::ops::Deref;

use crate::shm::store::Bytes;
use crate::wire::format::Format;
use crate::wire::number;

/// An event's data, a response, or a message. `Value<'static>` owns its bytes.
#[derive(Debug)]
pub(crate) struct Value<'a> {
    pub(crate) format: Format,
    bytes: Source<'a>,
}

#[derive(Debug)]
enum Source<'a> {
    Borrowed(&'a [u8]),
    Owned(Bytes),
}

impl<'a> Value<'a> {
    /// A value whose bytes are borrowed.
    pub(crate) fn new(bytes: &'a [u8], format: Format) -> Self {
        Self { format, bytes: Source::Borrowed(bytes) }
    }

    pub(crate) fn json(text: &'a [u8]) -> Self {
        Self::new(text, Format::Json)
    }

    pub(crate) fn owned(bytes: Bytes, format: Format) -> Self {
        Self { format, bytes: Source::Owned(bytes) }
    }

    /// A value whose bytes are moved out of `bytes` if they are long, because copying those is dear, and borrowed if
    /// they are short.
    pub(crate) fn out_of(bytes: &'a mut Bytes, format: Format) -> Self {
        if bytes.is_long() {
            Self::owned(std::mem::take(bytes), format)
        } else {
            Self::new(bytes, format)
        }
    }

    /// The same value, borrowed.
    pub(crate) fn lent(&self) -> Value<'_> {
        Value::new(self, self.format)
    }

    pub(crate) fn into_owned(self) -> Value<'static> {
        let format = self.format;
        Value::owned(self.into_bytes(), format)
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        match self.bytes {
            Source::Borrowed(bytes) => Bytes::from(bytes),
            Source::Owned(bytes) => bytes,
        }
    }

    /// The number that it is, if it is a small whole one.
    pub(crate) fn small(&self) -> Option<i32> {
        if self.format == Format::Json { number::parse(self) } else { None }
    }
}

impl Deref for Value<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Source::Borrowed(bytes) => bytes,
            Source::Owned(bytes) => bytes,
        }
    }
}
