//! Frames on the control socket: a length, a type, a body. Cuts bytes, knows no meaning.
//!
//! `u32` little-endian length of what follows, one byte of type, the body. The end of the stream
//! between two frames is clean; inside one it is an error.

/// The longest frame either side accepts: only short notices travel here, never events.
pub(crate) const MAX_FRAME: usize = 64 * 1024;

const LENGTH: usize = 4;

/// One frame, still without meaning.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) body: Vec<u8>,
}

/// What came over the socket is no frame of ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a control frame of {0} bytes")]
    Length(usize),
    #[error("the stream ended inside a control frame")]
    Truncated,
}

/// The bytes of a frame. A body beyond the limit is cut by the caller, who knows what it may lose.
pub(crate) fn encode(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(1 + body.len()).expect("a body below MAX_FRAME");
    let mut bytes = Vec::with_capacity(LENGTH + 1 + body.len());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.push(kind);
    bytes.extend_from_slice(body);
    bytes
}

/// Cuts frames out of bytes that arrive in pieces.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    bytes: Vec<u8>,
}

impl Decoder {
    /// Adds what arrived.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame, if it is there.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, Malformed> {
        let Some(length) = self.bytes.first_chunk::<LENGTH>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length == 0 || length > MAX_FRAME {
            return Err(Malformed::Length(length));
        }
        if self.bytes.len() < LENGTH + length {
            return Ok(None);
        }
        let rest = self.bytes.split_off(LENGTH + length);
        let frame = std::mem::replace(&mut self.bytes, rest);
        Ok(Some(Frame { kind: frame[LENGTH], body: frame[LENGTH + 1..].to_vec() }))
    }

    /// The stream has ended: clean only between frames.
    pub(crate) fn finish(&self) -> Result<(), Malformed> {
        if self.bytes.is_empty() { Ok(()) } else { Err(Malformed::Truncated) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_cut_at_every_offset_yields_the_whole_frames_and_then_an_error_or_a_clean_end() {
        let frames = [(1, b"hello".to_vec()), (2, vec![]), (3, vec![0xff; 300])];
        let mut stream = Vec::new();
        let mut bounds = vec![0];
        for (kind, body) in &frames {
            stream.extend(encode(*kind, body));
            bounds.push(stream.len());
        }
        for cut in 0..=stream.len() {
            for step in [1, 7, stream.len()] {
                let mut decoder = Decoder::default();
                let mut seen = Vec::new();
                for piece in stream[..cut].chunks(step) {
                    decoder.feed(piece);
                    while let Some(frame) = decoder.next().expect("well formed") {
                        seen.push((frame.kind, frame.body));
                    }
                }
                let whole = bounds.iter().filter(|&&b| b > 0 && b <= cut).count();
                assert_eq!(seen, frames[..whole], "cut at {cut}");
                assert_eq!(decoder.finish().is_ok(), bounds.contains(&cut), "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_length_of_zero_or_beyond_the_limit_is_refused_before_anything_is_allocated() {
        for length in [0, MAX_FRAME as u32 + 1, u32::MAX] {
            let mut decoder = Decoder::default();
            decoder.feed(&length.to_le_bytes());
            assert_eq!(decoder.next(), Err(Malformed::Length(length as usize)));
        }
    }
}
