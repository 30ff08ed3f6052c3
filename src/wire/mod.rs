//! What crosses between processes or to JavaScript, in types: the protocol, the layout of shared words, frames, formats.
//! It knows nobody.

pub(crate) mod channel;
pub(crate) mod flow;
pub(crate) mod format;
pub(crate) mod frame;
pub(crate) mod header;
pub(crate) mod layout;
pub(crate) mod note;
pub(crate) mod number;
pub(crate) mod protocol;
pub(crate) mod seq;
pub(crate) mod sync;
