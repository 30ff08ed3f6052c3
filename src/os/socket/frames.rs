//! The frames that libuv puts around what it writes to a pipe that is Node's own channel, on Windows: since
//! Node 10 the same, see `uv__ipc_frame_header_t` in its `src/win/pipe.c`. Pure: bytes in, bytes out.

/// Flags, an unused word, the number of bytes that follow, and a word that is zero.
const HEADER: usize = 16;

const HAS_DATA: u32 = 1;

/// A socket comes along: what is needed to open it is between the header and the bytes.
const HAS_SOCKET: u32 = 2;
const SOCKET: usize = 632;

/// The header of a frame of `len` bytes.
pub(super) fn header(len: usize) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&HAS_DATA.to_le_bytes());
    header[8..12].copy_from_slice(&(len as u32).to_le_bytes());
    header
}

/// Removes the frames from a stream that arrives in pieces.
#[derive(Debug, Default)]
pub(super) struct Frames {
    header: [u8; HEADER],
    /// How many bytes of the header have arrived.
    begun: usize,
    /// How many bytes to skip, and then how many to keep.
    skipped: usize,
    rest: usize,
}

impl Frames {
    /// Moves the content of the frames to the front of `bytes`, and returns its length.
    pub(super) fn strip(&mut self, bytes: &mut [u8]) -> usize {
        let (mut from, mut to) = (0, 0);
        while from < bytes.len() {
            let there = bytes.len() - from;
            if self.skipped > 0 {
                let count = there.min(self.skipped);
                self.skipped -= count;
                from += count;
            } else if self.rest > 0 {
                let count = there.min(self.rest);
                bytes.copy_within(from..from + count, to);
                self.rest -= count;
                from += count;
                to += count;
            } else {
                let count = there.min(HEADER - self.begun);
                self.header[self.begun..][..count].copy_from_slice(&bytes[from..from + count]);
                self.begun += count;
                from += count;
                if self.begun == HEADER {
                    self.begin();
                }
            }
        }
        to
    }

    fn begin(&mut self) {
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| self.header[at + byte]));
        let flags = word(0);
        let skipped = if flags & HAS_SOCKET != 0 { SOCKET } else { 0 };
        let rest = if flags & HAS_DATA != 0 { word(8) as usize } else { 0 };
        (self.begun, self.skipped, self.rest) = (0, skipped, rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_framed_comes_out_wherever_the_stream_is_cut() {
        let mut stream = Vec::new();
        for text in ["{\"a\":1}\n", "", "x", "\"the longest of them\"\n"] {
            stream.extend(header(text.len()));
            stream.extend(text.bytes());
        }
        // One with a socket, which nobody here takes.
        let mut with_socket = header(4);
        with_socket[0] |= 6;
        stream.extend(with_socket);
        stream.extend([7; SOCKET]);
        stream.extend(b"last");
        for step in 1..stream.len() {
            let mut frames = Frames::default();
            let mut seen = Vec::new();
            for piece in stream.chunks(step) {
                let mut piece = piece.to_vec();
                let count = frames.strip(&mut piece);
                seen.extend_from_slice(&piece[..count]);
            }
            assert_eq!(seen, b"{\"a\":1}\nx\"the longest of them\"\nlast", "pieces of {step}");
        }
    }

    #[test]
    fn a_header_is_what_libuv_reads() {
        assert_eq!(header(0x0102), [1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0]);
    }
}
