//! What crosses between processes or to JavaScript, in types: the protocol, the layout of shared words, frames, formats.
//! It knows nobody.

pub(crate) mod channel;
pub(crate) mod format;
pub(crate) mod frame;
pub(crate) mod header;
pub(crate) mod note;
pub(crate) mod protocol;
#[cfg_attr(not(test), allow(dead_code, reason = "its users come with the lanes"))]
pub(crate) mod seq;
