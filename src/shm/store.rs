//! The bytes of values: short ones on the heap, long ones in mappings of huge pages. It never reads them.
//!
//! The cost of a long value is not its bytes but the fresh pages under them. So values of more than [`LONG`] bytes lie
//! one after the other in mappings that ask for huge pages; a very long value has a mapping of its own. A mapping is
//! freed with the last of its values. A few are kept and used again, because their pages exist already.

use std::mem::MaybeUninit;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memmap2::{MmapMut, MmapRaw};
use smallvec::SmallVec;

use crate::os::memory::{Sink, use_huge_pages};

/// Values of more bytes are long: copying one costs more than the few calls that the store needs.
pub(crate) const LONG: usize = 16 * 1024;

/// Up to so many bytes need no allocation.
const INLINE: usize = 32;

/// What the processor maps at once, where the system allows it.
const HUGE_PAGE: usize = 2 << 20;

/// What it maps elsewhere.
const PAGE: usize = 4096;

/// The size of a mapping that values share: two huge pages, so that little is lost at its end, where the next value does
/// not fit.
const SHARED: usize = 2 * HUGE_PAGE;

/// A longer value has a mapping of its own, which JavaScript can be given as it is.
const LONGEST_SHARED: usize = SHARED / 4;

/// The most bytes of unused mappings that are kept.
const KEPT: usize = 32 << 20;

/// Values begin where the processor copies well.
const ALIGN: usize = 64;

/// The bytes of a value: short ones here or on the heap, long ones in the store.
#[derive(Debug)]
pub(crate) enum Bytes {
    Short(SmallVec<[u8; INLINE]>),
    Long(Block),
}

impl Bytes {
    /// No bytes, with room for so many.
    pub(crate) fn with_room(len: usize) -> Self {
        if len > LONG {
            Self::Long(Block::new(len))
        } else {
            Self::Short(SmallVec::with_capacity(len))
        }
    }

    /// Whether they are in the store, and worth to be moved instead of copied.
    pub(crate) fn is_long(&self) -> bool {
        matches!(self, Self::Long(_))
    }

    /// Removes all bytes. Memory on the heap is kept.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Short(bytes) => bytes.clear(),
            Self::Long(_) => *self = Self::default(),
        }
    }

    /// Makes room for so many more bytes.
    pub(crate) fn reserve(&mut self, more: usize) {
        let len = self.len() + more;
        match self {
            Self::Short(bytes) if len <= LONG => bytes.reserve(more),
            Self::Long(block) if len <= block.capacity => {}
            Self::Short(_) => self.move_to(len),
            // Twice as much, so that growing bit by bit copies each byte a few times at most.
            Self::Long(_) => self.move_to(len.max(self.len() * 2)),
        }
    }

    fn move_to(&mut self, capacity: usize) {
        let mut block = Block::new(capacity);
        block.append(self);
        *self = Self::Long(block);
    }

    pub(crate) fn append(&mut self, more: &[u8]) {
        self.reserve(more.len());
        match self {
            Self::Short(bytes) => bytes.extend_from_slice(more),
            Self::Long(block) => block.append(more),
        }
    }

    /// Keeps the first `at` bytes, and returns the others.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        match self {
            Self::Short(bytes) => {
                let rest = SmallVec::from_slice(&bytes[at..]);
                bytes.truncate(at);
                Self::Short(rest)
            }
            Self::Long(block) => Self::Long(block.split_off(at)),
        }
    }

    /// Gives back the room on the heap that was not needed.
    pub(crate) fn shrink(&mut self) {
        if let Self::Short(bytes) = self {
            bytes.shrink_to_fit();
        }
    }
}

impl Default for Bytes {
    fn default() -> Self {
        Self::Short(SmallVec::new())
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Short(bytes) => bytes,
            Self::Long(block) => block,
        }
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        if bytes.len() > LONG {
            let mut block = Block::new(bytes.len());
            block.append(bytes);
            Self::Long(block)
        } else {
            Self::Short(SmallVec::from_slice(bytes))
        }
    }
}

impl Sink for Bytes {
    fn spare(&mut self, len: usize) -> &mut [MaybeUninit<u8>] {
        self.reserve(len);
        match self {
            Self::Short(bytes) => {
                let at = bytes.len();
                // SAFETY: `reserve` has made room for `len` bytes behind the first `at`, and the vector, which owns
                // it, is borrowed as long as the slice.
                unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().add(at).cast(), len) }
            }
            Self::Long(block) => &mut block.spare()[..len],
        }
    }

    unsafe fn advance(&mut self, len: usize) {
        match self {
            // SAFETY: the caller has written the next `len` bytes, within the capacity.
            Self::Short(bytes) => unsafe { bytes.set_len(bytes.len() + len) },
            Self::Long(block) => block.len += len,
        }
    }
}

/// A part of a mapping: `len` written bytes, and room for the rest of `capacity`. No two blocks overlap, so each owns
/// its part, and may be sent to another thread.
#[derive(Debug)]
pub(crate) struct Block {
    mapping: Arc<Mapping>,
    start: usize,
    len: usize,
    capacity: usize,
}

impl Block {
    fn new(capacity: usize) -> Self {
        if capacity > LONGEST_SHARED {
            let mapping = Mapping::new(capacity);
            let capacity = mapping.region().len;
            return Self { mapping: Arc::new(mapping), start: 0, len: 0, capacity };
        }
        // Dropped after the lock is released.
        let _full;
        let mut shared = lock_shared();
        let needed = capacity.next_multiple_of(ALIGN);
        // No value is left there: its pages are used again, and warm.
        if shared.mapping.as_mut().is_some_and(|mapping| Arc::get_mut(mapping).is_some()) {
            shared.used = 0;
        }
        let has_room = shared.used + needed <= SHARED;
        let mapping = if let Some(mapping) = shared.mapping.as_ref().filter(|_| has_room) {
            Arc::clone(mapping)
        } else {
            let mapping = Arc::new(Mapping::new(SHARED));
            shared.used = 0;
            _full = shared.mapping.replace(Arc::clone(&mapping));
            mapping
        };
        let start = shared.used;
        shared.used += needed;
        drop(shared);
        Self { mapping, start, len: 0, capacity: needed }
    }

    /// Whether it has a good part of its mapping, which stays as long as this block: then JavaScript may keep it.
    pub(crate) fn may_pin_its_mapping(&self) -> bool {
        self.len >= self.mapping.region().len / 8
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        // SAFETY: `start` is inside of the mapping, since `new` and `split_off` take no part beyond its end.
        unsafe { self.mapping.region().begin().add(self.start) }
    }

    fn spare(&mut self) -> &mut [MaybeUninit<u8>] {
        let (at, room) = (self.len, self.capacity - self.len);
        // SAFETY: the `room` bytes at `at` are the end of this block, which lies inside of its mapping; nobody else has
        // a pointer into it, and it is borrowed as long as the slice.
        unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr().add(at).cast(), room) }
    }

    /// There must be room.
    fn append(&mut self, more: &[u8]) {
        self.spare()[..more.len()].write_copy_of_slice(more);
        self.len += more.len();
    }

    fn split_off(&mut self, at: usize) -> Self {
        assert!(at <= self.len, "split inside of what is written");
        let rest = Self {
            mapping: Arc::clone(&self.mapping),
            start: self.start + at,
            len: self.len - at,
            capacity: self.capacity - at,
        };
        (self.len, self.capacity) = (at, at);
        rest
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the first `len` bytes of the block are written, and inside of its mapping (`spare`). To write there
        // takes `&mut self`.
        unsafe {
            std::slice::from_raw_parts(self.mapping.region().begin().add(self.start), self.len)
        }
    }
}

/// The mapping that values share now, and how many of its bytes are taken.
struct Shared {
    mapping: Option<Arc<Mapping>>,
    used: usize,
}

static SHARED_NOW: Mutex<Shared> = Mutex::new(Shared { mapping: None, used: 0 });

fn lock_shared() -> MutexGuard<'static, Shared> {
    SHARED_NOW.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memory that blocks are parts of. When it is dropped, its region is kept for the next.
#[derive(Debug)]
struct Mapping(Option<Region>);

impl Mapping {
    fn new(len: usize) -> Self {
        Self(Some(Region::kept(len).unwrap_or_else(|| Region::new(len))))
    }

    fn region(&self) -> &Region {
        self.0.as_ref().expect("there until it is dropped")
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if let Some(region) = self.0.take() {
            region.keep();
        }
    }
}

/// Memory of the system: `len` bytes from `first` on, where a huge page can begin.
#[derive(Debug)]
struct Region {
    map: MmapRaw,
    first: usize,
    len: usize,
}

/// Unused regions, the oldest first.
static FREE: Mutex<Vec<Region>> = Mutex::new(Vec::new());

impl Region {
    fn new(len: usize) -> Self {
        let len = rounded(len);
        // The bytes before and behind are never touched, and cost nothing.
        let map = MmapMut::map_anon(len + HUGE_PAGE).expect("memory for a value");
        let map = MmapRaw::from(map);
        let first = map.as_mut_ptr().align_offset(HUGE_PAGE);
        use_huge_pages(&map, first, len);
        Self { map, first, len }
    }

    fn begin(&self) -> *mut u8 {
        // SAFETY: `new` has made the map large enough for `len` bytes from `first` on.
        unsafe { self.map.as_mut_ptr().add(self.first) }
    }

    /// An unused one that is large enough, and not much larger.
    fn kept(len: usize) -> Option<Self> {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let most = rounded(len).max(len + len / 2);
        let fits = |region: &Self| (len..=most).contains(&region.len);
        let at = free.iter().rposition(fits)?;
        Some(free.remove(at))
    }

    /// Keeps it for the next, in place of older ones.
    fn keep(self) {
        if self.len > KEPT {
            return;
        }
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(self);
        let mut bytes: usize = free.iter().map(|region| region.len).sum();
        let mut count = 0;
        while bytes > KEPT {
            bytes -= free[count].len;
            count += 1;
        }
        let dropped: Vec<Self> = free.drain(..count).collect();
        // Unmapping takes long: not under the lock.
        drop(free);
        drop(dropped);
    }
}

/// The size of a mapping for so many bytes. A huge page that is used by half costs less than the small ones instead.
fn rounded(len: usize) -> usize {
    let small = len.next_multiple_of(PAGE);
    if small % HUGE_PAGE > HUGE_PAGE / 2 { small.next_multiple_of(HUGE_PAGE) } else { small }
}

#[cfg(test)]
mod tests;
