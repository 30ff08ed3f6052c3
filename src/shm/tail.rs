//! The last bytes that a worker's program has written to its error stream, in the memory that the worker
//! shares with its master: what it said before it died.
//!
//! A ring without a reader: the worker writes over what is oldest, and the master looks when the worker
//! has ended. It takes what it finds for text, and for nothing else.

use std::sync::atomic::Ordering;

use crate::os::memory::Memory;
use crate::wire::layout::Layout;

const SIZE: usize = Layout::TAIL_SIZE;

/// Puts `bytes` behind what was written before.
pub(crate) fn append(memory: &Memory, bytes: &[u8]) {
    let word = memory.word(Layout::TAIL_COUNT);
    let count = word.load(Ordering::Relaxed) as usize;
    let skipped = bytes.len().saturating_sub(SIZE);
    let kept = &bytes[skipped..];
    let at = (count + skipped) % SIZE;
    let (first, rest) = kept.split_at(kept.len().min(SIZE - at));
    memory.write(Layout::TAIL + at, first);
    memory.write(Layout::TAIL, rest);
    word.store((count + bytes.len()) as u32, Ordering::SeqCst);
}

/// What was written last: whole lines, if there is more than fits.
pub(crate) fn read(memory: &Memory) -> String {
    let count = memory.word(Layout::TAIL_COUNT).load(Ordering::SeqCst) as usize;
    let len = count.min(SIZE);
    let at = (count - len) % SIZE;
    let mut bytes = Vec::new();
    memory.read(Layout::TAIL + at, len.min(SIZE - at), &mut bytes);
    memory.read(Layout::TAIL, len - bytes.len(), &mut bytes);
    let is_cut = count > SIZE;
    let begin = if is_cut { memchr::memchr(b'\n', &bytes).map_or(0, |at| at + 1) } else { 0 };
    String::from_utf8_lossy(&bytes[begin..]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Memory {
        Memory::anonymous(Layout::LEN).expect("memory")
    }

    #[test]
    fn what_fits_is_there_as_it_was_written() {
        let memory = memory();
        assert_eq!(read(&memory), "");
        append(&memory, b"one\n");
        append(&memory, b"");
        append(&memory, "zw\u{f6}lf".as_bytes());
        assert_eq!(read(&memory), "one\nzw\u{f6}lf");
    }

    #[test]
    fn of_more_the_last_whole_lines_are_there_however_it_was_written() {
        let lines: Vec<String> = (0..3000).map(|number| format!("line {number}\n")).collect();
        let all = lines.concat();
        for step in [1, 7, 64, SIZE - 1, SIZE, SIZE + 1, all.len()] {
            let memory = memory();
            for piece in all.as_bytes().chunks(step) {
                append(&memory, piece);
            }
            let tail = read(&memory);
            assert!(all.ends_with(&tail) && tail.starts_with("line "), "{tail}");
            assert!((SIZE - 16..=SIZE).contains(&tail.len()), "{}", tail.len());
        }
    }

    #[test]
    fn a_line_without_an_end_is_there_in_part() {
        let memory = memory();
        append(&memory, "x".repeat(SIZE).as_bytes());
        append(&memory, &[0xff]);
        assert_eq!(read(&memory), "x".repeat(SIZE - 1) + "\u{fffd}");
    }

    #[test]
    fn a_count_that_is_garbage_is_read_within_bounds() {
        let memory = memory();
        append(&memory, "y\n".repeat(SIZE).as_bytes());
        for count in [1, SIZE as u32 + 1, u32::MAX] {
            memory.word(Layout::TAIL_COUNT).store(count, Ordering::SeqCst);
            assert!(read(&memory).len() <= SIZE);
        }
    }
}
