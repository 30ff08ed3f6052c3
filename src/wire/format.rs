//! What the bytes of a value are, the same on every wire.

/// How a value is encoded. A number of two bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u32)]
pub(crate) enum Format {
    #[default]
    Json = 0,
    /// The string itself, of ASCII alone.
    String = 1,
    /// What V8's structured clone makes of a value.
    Clone = 2,
    /// The bytes of a `Buffer`.
    Buffer = 3,
}

impl Format {
    /// All bits that a format has.
    pub(crate) const MASK: u32 = 3;

    /// The format with this number; of a larger one the lowest bits count.
    pub(crate) fn from_number(number: u32) -> Self {
        match number & Self::MASK {
            0 => Self::Json,
            1 => Self::String,
            2 => Self::Clone,
            _ => Self::Buffer,
        }
    }

    pub(crate) fn number(self) -> u32 {
        self as u32
    }

    /// Whether the bytes are no text.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Self::Clone | Self::Buffer)
    }
}
