//! Memory that two threads or two processes see at once: the words and bytes under the rings.
//!
//! It owns the mapping and hands out atomic words and raw byte copies; it knows nothing of what
//! they mean. Nobody ever holds a Rust reference to the bytes, because the other side may write.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::AtomicU32;

use memmap2::{MmapMut, MmapOptions, MmapRaw};

/// What bytes can be appended to.
pub(crate) trait Sink {
    /// Room for `len` more bytes.
    fn spare(&mut self, len: usize) -> &mut [MaybeUninit<u8>];

    /// Takes the first `len` bytes of that room in.
    ///
    /// # Safety
    ///
    /// There was room for them, and they are written.
    unsafe fn advance(&mut self, len: usize);
}

impl Sink for Vec<u8> {
    fn spare(&mut self, len: usize) -> &mut [MaybeUninit<u8>] {
        self.reserve(len);
        &mut self.spare_capacity_mut()[..len]
    }

    unsafe fn advance(&mut self, len: usize) {
        // SAFETY: the caller has written them.
        unsafe { self.set_len(self.len() + len) }
    }
}

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
        // ever accessed as atomics, in this process and in the others.
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
    pub(crate) fn read(&self, offset: usize, len: usize, to: &mut impl Sink) {
        assert!(offset + len <= self.len(), "read outside the memory");
        let room = &mut to.spare(len)[..len];
        // SAFETY: in bounds (above, on either side); the room is writable and never overlaps this
        // mapping; every bit pattern is a valid `u8`.
        unsafe {
            std::ptr::copy_nonoverlapping(
                self.as_mut_ptr().add(offset),
                room.as_mut_ptr().cast(),
                len,
            );
            to.advance(len);
        }
    }

    /// The `N` bytes at `offset`.
    pub(crate) fn array<const N: usize>(&self, offset: usize) -> [u8; N] {
        assert!(offset + N <= self.len(), "read outside the memory");
        let mut bytes = [0; N];
        // SAFETY: in bounds (above); the array never overlaps a mapping.
        unsafe {
            std::ptr::copy_nonoverlapping(self.as_mut_ptr().add(offset), bytes.as_mut_ptr(), N);
        }
        bytes
    }
}
