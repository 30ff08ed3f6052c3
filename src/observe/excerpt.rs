//! What people are shown of an event: the beginning of its data, as a terminal and a page may have it.

use crate::wire::format::Format;
use crate::wire::header::{flag, format_of};

/// So many bytes of an event's text are shown: more than a line of a terminal has room for.
pub(crate) const SHOWN: usize = 256;

/// The data of an event, as its lane has it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Data<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) flags: u32,
}

impl Data<'_> {
    /// Its beginning; nothing if it is no text.
    pub(crate) fn excerpt(self) -> String {
        let format = format_of(self.flags);
        if self.flags & flag::HOLE != 0 || format.is_binary() {
            return String::new();
        }
        let text = harmless(&String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(SHOWN)]));
        if format == Format::String { format!("\"{text}\"") } else { text }
    }
}

/// A text without what a terminal would obey.
pub(crate) fn harmless(text: &str) -> String {
    text.replace(is_obeyed, " ")
}

/// Whether a terminal would not show this, but do something, to the rest of the line for one. (What stands for
/// half a character is not wanted either.)
fn is_obeyed(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || c == char::REPLACEMENT_CHARACTER
}
