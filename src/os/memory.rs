//! Memory that threads or processes share: it owns the mapping, and gives out atomic words and copies of bytes. It knows
//! nothing of what they mean. There is never a Rust reference to the bytes, because the other side may write.

use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU32, AtomicU64};

#[cfg(unix)]
use memmap2::{MmapMut, MmapOptions, MmapRaw};

use super::Handle;

#[cfg(windows)]
pub(crate) use windows::section;

#[cfg(unix)]
type Map = MmapRaw;
#[cfg(windows)]
type Map = windows::View;

#[cfg(unix)]
fn map(shared: &Handle) -> io::Result<Map> {
    MmapOptions::new().map_raw(shared)
}

#[cfg(windows)]
fn map(shared: &Handle) -> io::Result<Map> {
    Map::of(shared)
}

#[cfg(unix)]
fn anonymous(len: usize) -> io::Result<Map> {
    Ok(MmapMut::map_anon(len)?.into())
}

#[cfg(windows)]
fn anonymous(len: usize) -> io::Result<Map> {
    Map::of(&section(len)?)
}

/// A buffer that bytes can be appended to.
pub(crate) trait Sink {
    /// Space for `len` more bytes.
    fn spare(&mut self, len: usize) -> &mut [MaybeUninit<u8>];

    /// Appends the first `len` bytes of that space.
    ///
    /// # Safety
    /// There was space for them, and they are written.
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

/// A page-aligned region of zeroed memory, shared with whoever maps the same.
#[derive(Debug)]
pub(crate) struct Memory {
    map: Map,
}

impl Memory {
    /// Memory of this process alone (its JavaScript thread included).
    pub(crate) fn anonymous(len: usize) -> io::Result<Self> {
        Ok(Self { map: anonymous(len)? })
    }

    /// Maps all of it, whichever process has made it.
    pub(crate) fn of(shared: &Handle) -> io::Result<Self> {
        Ok(Self { map: map(shared)? })
    }

    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    pub(crate) fn as_mut_ptr(&self) -> *mut u8 {
        self.map.as_mut_ptr()
    }

    /// Whether `len` bytes at `offset` lie inside, whatever the two numbers are.
    fn has(&self, offset: usize, len: usize) -> bool {
        self.len().checked_sub(offset).is_some_and(|rest| len <= rest)
    }

    /// A pointer to the byte at `offset`.
    pub(crate) fn at(&self, offset: usize) -> *mut u8 {
        assert!(offset <= self.len(), "byte {offset} lies outside the memory");
        self.as_mut_ptr().wrapping_add(offset)
    }

    /// The 32-bit word at `index`, counted in words.
    pub(crate) fn word(&self, index: usize) -> &AtomicU32 {
        assert!(index < self.len() / 4, "word {index} lies outside the memory");
        #[expect(clippy::cast_ptr_alignment, reason = "a mapping starts on a page")]
        let words = self.as_mut_ptr().cast::<u32>();
        // SAFETY: in bounds (above), aligned (a mapping starts on a page), and words are only
        // ever accessed as atomics, in this process and in the others.
        unsafe { AtomicU32::from_ptr(words.add(index)) }
    }

    /// The 64-bit word at `index`, counted in such words.
    pub(crate) fn long(&self, index: usize) -> &AtomicU64 {
        assert!(index < self.len() / 8, "long word {index} lies outside the memory");
        #[expect(clippy::cast_ptr_alignment, reason = "a mapping starts on a page")]
        let words = self.as_mut_ptr().cast::<u64>();
        // SAFETY: in bounds (above), aligned (a mapping starts on a page), and words are only
        // ever accessed as atomics of one size, in this process and in the others.
        unsafe { AtomicU64::from_ptr(words.add(index)) }
    }

    /// Copies `from` into the memory at `offset`.
    pub(crate) fn write(&self, offset: usize, from: &[u8]) {
        assert!(self.has(offset, from.len()), "write outside the memory");
        // SAFETY: in bounds (above); `from` is a live Rust slice, which never overlaps a mapping.
        // A peer that breaks the ring's protocol can only garble bytes, which are checked later.
        unsafe {
            std::ptr::copy_nonoverlapping(from.as_ptr(), self.as_mut_ptr().add(offset), from.len());
        }
    }

    /// Copies the bytes at `offset` into all of `to`.
    pub(crate) fn copy(&self, offset: usize, to: &mut [u8]) {
        assert!(self.has(offset, to.len()), "copy from outside the memory");
        // SAFETY: in bounds (above); `to` is a live Rust slice, which never overlaps a mapping.
        unsafe {
            std::ptr::copy_nonoverlapping(self.at(offset), to.as_mut_ptr(), to.len());
        }
    }

    /// Appends `len` bytes at `offset` to `to`.
    pub(crate) fn read(&self, offset: usize, len: usize, to: &mut impl Sink) {
        assert!(self.has(offset, len), "read outside the memory");
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
        let mut bytes = [0; N];
        self.copy(offset, &mut bytes);
        bytes
    }
}

/// Windows calls shared memory a section, and a mapping of it a view.
#[cfg(windows)]
mod windows {
    use std::io;
    use std::os::windows::io::OwnedHandle;
    use std::ptr;

    use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
    use windows_sys::Win32::System::Memory::{
        CreateFileMappingW, FILE_MAP_READ, FILE_MAP_WRITE, MEMORY_BASIC_INFORMATION,
        MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, PAGE_READWRITE, UnmapViewOfFile, VirtualQuery,
    };

    use crate::os::windows::{owned, raw};

    /// Makes a section of the paging file: zeroed, and at least `len` bytes long.
    pub(crate) fn section(len: usize) -> io::Result<OwnedHandle> {
        let size = len as u64;
        let (high, low) = ((size >> 32) as u32, size as u32);
        let file = INVALID_HANDLE_VALUE;
        // SAFETY: no pointer is given; the returned handle is nobody else's.
        unsafe {
            owned(CreateFileMappingW(file, ptr::null(), PAGE_READWRITE, high, low, ptr::null()))
        }
    }

    /// All of a section, mapped.
    #[derive(Debug)]
    pub(super) struct View {
        at: *mut u8,
        len: usize,
    }

    // SAFETY: the memory belongs to the process and to no thread; all access is atomic or copies bytes, because the other
    // side may be another process.
    unsafe impl Send for View {}

    // SAFETY: the same.
    unsafe impl Sync for View {}

    impl View {
        pub(super) fn of(section: &OwnedHandle) -> io::Result<Self> {
            // SAFETY: a new mapping, at a place where there is nothing.
            let view =
                unsafe { MapViewOfFile(raw(section), FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0) };
            if view.Value.is_null() {
                return Err(io::Error::last_os_error());
            }
            let mut about = MEMORY_BASIC_INFORMATION::default();
            // SAFETY: writes to `about`, whose size is given.
            let written = unsafe {
                VirtualQuery(view.Value, &raw mut about, size_of::<MEMORY_BASIC_INFORMATION>())
            };
            let view = Self { at: view.Value.cast(), len: about.RegionSize };
            if written == 0 { Err(io::Error::last_os_error()) } else { Ok(view) }
        }

        /// In whole pages.
        pub(super) fn len(&self) -> usize {
            self.len
        }

        pub(super) fn as_mut_ptr(&self) -> *mut u8 {
            self.at
        }
    }

    impl Drop for View {
        fn drop(&mut self) {
            // SAFETY: mapped in `of`, and nobody has a pointer to it any more.
            unsafe { UnmapViewOfFile(MEMORY_MAPPED_VIEW_ADDRESS { Value: self.at.cast() }) };
        }
    }
}

/// Asks for huge pages, where the system has them: the memory is only slower without.
pub(crate) fn use_huge_pages(map: &memmap2::MmapRaw, first: usize, len: usize) {
    #[cfg(all(target_os = "linux", not(miri)))]
    let _ = map.advise_range(memmap2::Advice::HugePage, first, len);
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = (map, first, len);
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;

    #[test]
    fn nothing_outside_is_touched_whatever_the_numbers_are() {
        let memory = Memory::anonymous(4096).expect("memory");
        let end = memory.len();
        memory.write(end, &[]);
        memory.write(end - 4, &[7; 4]);
        assert_eq!(
            (memory.array(end - 4), memory.word(end / 4 - 1).load(Relaxed)),
            ([7; 4], 0x0707_0707)
        );
        assert_eq!(memory.long(end / 8 - 1).load(Relaxed), 0x0707_0707_0000_0000);
        for offset in [end - 3, end, end + 1, usize::MAX - 3, usize::MAX] {
            let mut bytes = [0; 4];
            let is_refused = [
                catch_unwind(|| memory.write(offset, &[1; 4])).is_err(),
                catch_unwind(AssertUnwindSafe(|| memory.copy(offset, &mut bytes))).is_err(),
                catch_unwind(|| memory.array::<4>(offset)).is_err(),
                catch_unwind(|| memory.read(offset, 4, &mut Vec::new())).is_err(),
                catch_unwind(|| memory.read(4, offset, &mut Vec::new())).is_err(),
                catch_unwind(|| memory.word(offset).load(Relaxed)).is_err(),
                catch_unwind(|| memory.word(offset / 4 + 1).load(Relaxed)).is_err(),
                catch_unwind(|| memory.long(offset / 8 + 1).load(Relaxed)).is_err(),
            ];
            assert!(is_refused.iter().all(|&refused| refused), "{offset}: {is_refused:?}");
        }
    }
}
