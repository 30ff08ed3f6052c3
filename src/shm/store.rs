//! Where long texts are held: memory with pages as large as the system gives, written once.
//!
//! What a long text costs is not its bytes but the fresh pages under them. So texts of more than
//! [`LONG`] bytes do not lie on the heap, whose pages are small, but one after the other in mappings
//! that ask for huge ones; a very long text has a mapping of its own. A mapping is given back with the
//! last of its texts, and a few are kept to be used again: their pages are there already.

use std::mem::MaybeUninit;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::os::memory::use_huge_pages;
use memmap2::{MmapMut, MmapRaw};
use smallvec::SmallVec;

use crate::os::memory::Sink;

/// A text of more bytes is long: copying it costs more than the few calls that holding it elsewhere
/// takes.
pub(crate) const LONG: usize = 16 * 1024;

/// Shorter texts need no allocation of their own.
const INLINE: usize = 32;

/// What the processor maps at once where the system allows it.
const HUGE_PAGE: usize = 2 << 20;

/// What it maps elsewhere.
const PAGE: usize = 4096;

/// How many bytes a mapping has that texts share: two huge pages, so that the end of one that has no
/// room for the next text is no great loss.
const SHARED: usize = 2 * HUGE_PAGE;

/// A longer text has a mapping of its own, which can be handed on as it is.
const LONGEST_SHARED: usize = SHARED / 4;

/// The most bytes of mappings that nobody uses and that are kept to be used again.
const KEPT: usize = 32 << 20;

/// Texts begin where the processor copies well.
const ALIGN: usize = 64;

/// The bytes of a value: short ones here or on the heap, long ones in the store.
#[derive(Debug)]
pub(crate) enum Bytes {
    Short(SmallVec<[u8; INLINE]>),
    Long(Block),
}

impl Bytes {
    /// No bytes yet, but room for so many.
    pub(crate) fn with_room(len: usize) -> Self {
        if len > LONG {
            Self::Long(Block::new(len))
        } else {
            Self::Short(SmallVec::with_capacity(len))
        }
    }

    /// Whether they are in the store: then they are to be moved and not copied.
    pub(crate) fn is_long(&self) -> bool {
        matches!(self, Self::Long(_))
    }

    /// Forgets them. What is on the heap is used again.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Short(bytes) => bytes.clear(),
            Self::Long(_) => *self = Self::default(),
        }
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, more: usize) {
        let len = self.len() + more;
        match self {
            Self::Short(bytes) if len <= LONG => bytes.reserve(more),
            Self::Long(block) if len <= block.capacity => {}
            Self::Short(_) => self.move_to(len),
            // Twice as many, so that growing bit by bit copies each byte a few times at most.
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

    /// Gives back the room that was not needed.
    pub(crate) fn shrink(&mut self) {
        match self {
            Self::Short(bytes) => bytes.shrink_to_fit(),
            Self::Long(block) => block.shrink(),
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
                // SAFETY: the room was reserved just now, and is this vector's alone.
                unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().add(at).cast(), len) }
            }
            Self::Long(block) => &mut block.spare()[..len],
        }
    }

    unsafe fn advance(&mut self, len: usize) {
        match self {
            // SAFETY: the caller has written them, into room that there is.
            Self::Short(bytes) => unsafe { bytes.set_len(bytes.len() + len) },
            Self::Long(block) => block.len += len,
        }
    }
}

/// A part of a mapping that is its owner's alone: `len` bytes that are written, and room.
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
        // Nobody has a text there any more: its pages are there, and warm.
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

    /// Whether enough of the memory that it keeps is its own: then it may be kept for long.
    pub(crate) fn has_a_good_part_of_its_memory(&self) -> bool {
        self.len >= self.mapping.region().len / 8
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        // SAFETY: the block lies inside of its mapping.
        unsafe { self.mapping.region().begin().add(self.start) }
    }

    fn spare(&mut self) -> &mut [MaybeUninit<u8>] {
        let (at, room) = (self.len, self.capacity - self.len);
        // SAFETY: inside of the block, which is this owner's alone.
        unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr().add(at).cast(), room) }
    }

    /// There must be room.
    fn append(&mut self, more: &[u8]) {
        let spare = &mut self.spare()[..more.len()];
        // SAFETY: of the same length (above), and `more` is no part of what nobody else has.
        unsafe {
            std::ptr::copy_nonoverlapping(more.as_ptr(), spare.as_mut_ptr().cast(), more.len());
        }
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

    fn shrink(&mut self) {
        let end = self.start + self.capacity;
        let needed = self.len.next_multiple_of(ALIGN).min(self.capacity);
        let mut shared = lock_shared();
        let is_last = shared.used == end
            && shared.mapping.as_ref().is_some_and(|mapping| Arc::ptr_eq(mapping, &self.mapping));
        if is_last {
            shared.used = self.start + needed;
            self.capacity = needed;
        }
    }
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: written, inside of the mapping, and nobody else's.
        unsafe {
            std::slice::from_raw_parts(self.mapping.region().begin().add(self.start), self.len)
        }
    }
}

/// The mapping that texts share at the moment, and how many of its bytes they have.
struct Shared {
    mapping: Option<Arc<Mapping>>,
    used: usize,
}

static SHARED_NOW: Mutex<Shared> = Mutex::new(Shared { mapping: None, used: 0 });

fn lock_shared() -> MutexGuard<'static, Shared> {
    SHARED_NOW.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memory that one or several blocks are parts of. Its region is kept for the next when it is dropped.
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

/// What the system gave: `len` bytes that begin where a huge page can.
#[derive(Debug)]
struct Region {
    map: MmapRaw,
    first: usize,
    len: usize,
}

/// Those that nobody uses, the oldest first.
static FREE: Mutex<Vec<Region>> = Mutex::new(Vec::new());

impl Region {
    fn new(len: usize) -> Self {
        let len = rounded(len);
        // What is before and behind is never touched, and costs nothing.
        let map = MmapMut::map_anon(len + HUGE_PAGE).expect("memory for a text");
        let map = MmapRaw::from(map);
        let first = map.as_mut_ptr().align_offset(HUGE_PAGE);
        use_huge_pages(&map, first, len);
        Self { map, first, len }
    }

    fn begin(&self) -> *mut u8 {
        // SAFETY: the map has `len` bytes from there on.
        unsafe { self.map.as_mut_ptr().add(self.first) }
    }

    /// One that was kept and is large enough, if it is not much larger.
    fn kept(len: usize) -> Option<Self> {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        let most = rounded(len).max(len + len / 2);
        let fits = |region: &Self| (len..=most).contains(&region.len);
        let at = free.iter().rposition(fits)?;
        Some(free.remove(at))
    }

    /// Keeps it for the next, in the place of older ones.
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
        // The system takes its time: not under the lock.
        drop(free);
        drop(dropped);
    }
}

/// How long a mapping is for so many bytes. A huge page at the end that is half used costs less than as
/// many small ones as it needs.
fn rounded(len: usize) -> usize {
    let small = len.next_multiple_of(PAGE);
    if small % HUGE_PAGE > HUGE_PAGE / 2 { small.next_multiple_of(HUGE_PAGE) } else { small }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::player::until;

    fn text(len: usize) -> Vec<u8> {
        /// No two places that a mistake could mix up are alike.
        const PERIOD: usize = 65_521;
        let pattern: Vec<u8> = (0..len.min(PERIOD)).map(|at| (at * 31 + at / 251) as u8).collect();
        pattern.repeat(len.div_ceil(PERIOD))[..len].to_vec()
    }

    #[test]
    fn bytes_of_every_length_are_what_was_put_in_also_bit_by_bit_and_split() {
        for len in [0, 1, INLINE, INLINE + 1, LONG, LONG + 1, LONGEST_SHARED, SHARED, SHARED + 7] {
            let all = text(len);
            let whole = Bytes::from(&all[..]);
            assert!(*whole == all && whole.is_long() == (len > LONG), "{len} bytes");
            let mut grown = Bytes::default();
            for part in all.chunks(4099) {
                grown.append(part);
            }
            grown.shrink();
            assert!(*grown == all, "{len} bytes bit by bit");
            let rest = grown.split_off(len / 3);
            assert!(*grown == all[..len / 3] && *rest == all[len / 3..], "{len} bytes split");
            // Behind the first part there is no room: it is the other's.
            grown.append(b"more");
            assert!(grown.ends_with(b"more") && *rest == all[len / 3..], "{len} bytes and more");
        }
    }

    #[test]
    fn texts_in_one_mapping_do_not_touch_each_other() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut held: Vec<(Bytes, Vec<u8>)> = Vec::new();
        for _ in 0..300 {
            let all = text(random.usize(LONG + 1..LONG * 9));
            let mut bytes = Bytes::with_room(all.len() * random.usize(1..4));
            bytes.append(&all);
            if random.bool() {
                bytes.shrink();
            }
            held.push((bytes, all));
            while held.len() > random.usize(1..30) {
                let (bytes, all) = held.swap_remove(random.usize(..held.len()));
                assert!(*bytes == all);
            }
        }
    }

    fn mapping(bytes: &Bytes) -> std::sync::Weak<Mapping> {
        let Bytes::Long(block) = bytes else { panic!("short") };
        Arc::downgrade(&block.mapping)
    }

    #[test]
    fn a_mapping_is_given_back_with_the_last_of_its_texts() {
        let mut own = Bytes::from(text(SHARED * 3));
        let freed = mapping(&own);
        let rest = own.split_off(SHARED);
        drop(own);
        assert!(freed.strong_count() > 0 && *rest == text(SHARED * 3)[SHARED..]);
        drop(rest);
        assert_eq!(freed.strong_count(), 0);
        // Of the shared ones only the one in use is held when all texts are gone.
        let texts: Vec<Bytes> = (0..50).map(|_| Bytes::from(text(LONGEST_SHARED / 2))).collect();
        let mut shared: Vec<_> = texts.iter().map(mapping).collect();
        shared.dedup_by(|a, b| a.ptr_eq(b));
        assert!(shared.len() >= 6, "{} mappings", shared.len());
        drop(texts);
        let is_held = |mapping: &&std::sync::Weak<Mapping>| mapping.strong_count() > 0;
        // Texts of other tests may lie there too, for a while.
        until("they are given back", || shared.iter().filter(is_held).count() <= 1);
    }

    #[test]
    fn what_is_kept_for_the_next_is_bounded() {
        drop((0..20).map(|_| Bytes::from(text(SHARED + 1))).collect::<Vec<_>>());
        drop(Bytes::with_room(KEPT * 4));
        let free = FREE.lock().expect("sound");
        assert!(free.iter().map(|region| region.len).sum::<usize>() <= KEPT);
    }

    #[test]
    fn only_what_has_a_good_part_of_its_mapping_may_pin_it() {
        let may_pin = |bytes: &Bytes| matches!(bytes, Bytes::Long(block) if block.has_a_good_part_of_its_memory());
        // A mapping that was kept may be half as long again.
        let [small, large] = [SHARED / 8 - 1, SHARED / 16 * 3].map(|len| Bytes::from(text(len)));
        assert!(!may_pin(&small) && may_pin(&large));
        let mut response = Bytes::from(text(SHARED));
        let data = response.split_off(SHARED - LONG);
        assert!(may_pin(&response) && !may_pin(&data));
    }
}
