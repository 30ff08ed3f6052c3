//! Memory that two threads or two processes see at once: the words and bytes under the rings.
//!
//! It owns the mapping and hands out atomic words and raw byte copies; it knows nothing of what
//! they mean. Nobody ever holds a Rust reference to the bytes, because the other side may write.

use std::fs::File;
use std::io;
use std::sync::atomic::AtomicU32;

use memmap2::{MmapMut, MmapOptions, MmapRaw};

/// A page-aligned region of zeroed memory, shared with whoever maps the same file.
#[derive(Debug)]
pub(crate) struct Memory {
    map: MmapRaw,
}

impl Memory {
    /// Memory of this process alone (its JavaScript thread included).
    pub(crate) fn anonymous(len: usize) -> io::Result<Self> {
        Ok(Self { map: MmapMut::map_anon(len)?.into() })
    }

    /// Maps all of `file`, which both processes have open.
    pub(crate) fn of_file(file: &File) -> io::Result<Self> {
        Ok(Self { map: MmapOptions::new().map_raw(file)? })
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    pub(crate) fn as_mut_ptr(&self) -> *mut u8 {
        self.map.as_mut_ptr()
    }

    /// Where the byte at `offset` is, for those who read and write by pointer.
    pub(crate) fn at(&self, offset: usize) -> *mut u8 {
        assert!(offset <= self.len(), "byte {offset} lies outside the memory");
        self.as_mut_ptr().wrapping_add(offset)
    }

    /// The 32-bit word at `index`, counted in words.
    pub(crate) fn word(&self, index: usize) -> &AtomicU32 {
        assert!((index + 1) * 4 <= self.len(), "word {index} lies outside the memory");
        #[expect(clippy::cast_ptr_alignment, reason = "a mapping starts on a page")]
        let words = self.as_mut_ptr().cast::<u32>();
        // SAFETY: in bounds (above), aligned (a mapping starts on a page), and words are only
        // ever accessed as atomics, here and by `Atomics` in JavaScript.
        unsafe { AtomicU32::from_ptr(words.add(index)) }
    }

    /// Copies `from` into the memory at `offset`.
    pub(crate) fn write(&self, offset: usize, from: &[u8]) {
        assert!(offset + from.len() <= self.len(), "write outside the memory");
        // SAFETY: in bounds (above); `from` is a live Rust slice, which never overlaps a mapping.
        // A peer that breaks the ring's protocol can only garble bytes, which are checked later.
        unsafe {
            std::ptr::copy_nonoverlapping(from.as_ptr(), self.as_mut_ptr().add(offset), from.len());
        }
    }

    /// Copies the bytes at `offset` into all of `to`.
    pub(crate) fn copy(&self, offset: usize, to: &mut [u8]) {
        assert!(offset + to.len() <= self.len(), "copy from outside the memory");
        // SAFETY: in bounds (above); `to` is a live Rust slice, which never overlaps a mapping.
        unsafe {
            std::ptr::copy_nonoverlapping(self.at(offset), to.as_mut_ptr(), to.len());
        }
    }

    /// Appends `len` bytes at `offset` to `to`.
    pub(crate) fn read(&self, offset: usize, len: usize, to: &mut Vec<u8>) {
        assert!(offset + len <= self.len(), "read outside the memory");
        to.reserve(len);
        // SAFETY: in bounds (above); the reserved tail of `to` is writable and never overlaps a
        // mapping; every bit pattern is a valid `u8`.
        unsafe {
            std::ptr::copy_nonoverlapping(
                self.as_mut_ptr().add(offset),
                to.as_mut_ptr().add(to.len()),
                len,
            );
            to.set_len(to.len() + len);
        }
    }
}
