//! How the memory is laid out that processes share: words of 32 bits that steer, then bytes.

/// Where a ring lies in its memory: the words of its positions, its bytes, its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) tail: usize,
    pub(crate) head: usize,
    pub(crate) bytes: usize,
    pub(crate) size: u32,
}

/// The memory that one worker shares with its master: words (32 bits each) that steer, then the two
/// rings. Words that different sides write lie on cache lines of their own.
pub(crate) struct Layout;

impl Layout {
    /// How many events of the task ring have been claimed, by the worker that starts one (from `i` to
    /// `i + 1`) or by the master that takes back all that is left (from `i` to the number published).
    /// Both by compare-and-swap: an event is started or taken back, never both.
    pub(crate) const STARTED: usize = 16;
    /// Worker: 1 if its thread has to be rung for what comes through the task ring; the master that
    /// rings sets 0.
    pub(crate) const PARKED: usize = 64;
    /// Worker: 1 while it waits for room in the answer ring.
    pub(crate) const BLOCKED: usize = 80;
    /// Worker: 1 once it has notified the master, which sets 0 before it looks. Until then it need not be notified again.
    pub(crate) const NOTIFIED: usize = 81;
    /// Master: 1 while it has more for the task ring than fits.
    pub(crate) const STUCK: usize = 96;
    /// Master: not 0 while the worker must claim nothing; the sum of the reasons below. The worker notifies the
    /// master before it parks, and is notified when it may claim again.
    pub(crate) const WITHHELD: usize = 112;
    /// It has yet to run what is to come before all events.
    pub(crate) const PREPARES: u32 = 1;
    /// It is leaving. This one stays.
    pub(crate) const LEAVES: u32 = 2;
    /// The master checks whether its event is late, or kills it for that.
    pub(crate) const STOPS: u32 = 4;
    /// Master: 1 if the worker should ring after each answer.
    pub(crate) const NOTIFY_ALWAYS: usize = 113;
    /// Master: 1 once it kills the worker and its descendants, which stand still for that. A worker that sees
    /// its master gone then ends itself and them.
    pub(crate) const KILL_PENDING: usize = 114;
    /// Master: 1 while it looks for answers every few milliseconds by itself. While it is 0 the worker rings at
    /// once for each answer that it has published; otherwise only when it pauses.
    pub(crate) const POLLED: usize = 115;

    /// Worker: counted up by its I/O thread for every [`Message::Ping`], whatever JavaScript does.
    pub(crate) const HEARTBEAT: usize = 272;
    /// Worker: 1 once it has seen that it [leaves](Self::LEAVES), and claims nothing more.
    pub(crate) const SETTLED: usize = 273;
    /// Worker: how many frames of [`Kind::Abort`](crate::wire::header::Kind::Abort) its JavaScript has taken.
    pub(crate) const ABORTS: usize = 274;
    /// Worker, where the invitation asks for it: when events of the task ring started, in milliseconds of the monotonic
    /// clock modulo 2^32. Before it is claimed, the time and the index of the event `i` are written, in the two words from
    /// this one on plus twice `i` modulo [`Self::TIMES_LEN`].
    pub(crate) const TIMES: usize = 192;
    pub(crate) const TIMES_LEN: u32 = 32;
    /// The same for claimed events: after the claim and before the event runs the time is written, then the lane, then the
    /// event's number `i` there, in the three words from this one on plus three times `i` modulo [`Self::CLAIM_TIMES_LEN`].
    pub(crate) const CLAIM_TIMES: usize = 288;
    pub(crate) const CLAIM_TIMES_LEN: u32 = 128;

    /// Worker: 1 once its JavaScript heap has reached its limit.
    pub(crate) const HEAP_LIMIT: usize = 176;
    /// Worker: how many bytes its program has written to its error stream, modulo 2^32. The last of them
    /// are at [`Self::TAIL`], byte `i` at `i` modulo [`Self::TAIL_SIZE`].
    pub(crate) const TAIL_COUNT: usize = 177;
    pub(crate) const TAIL: usize = 4096 + 2 * Self::RING as usize;
    pub(crate) const TAIL_SIZE: usize = 4096;

    pub(crate) const RING: u32 = 1 << 20;
    pub(crate) const TASKS: Place = Place { tail: 32, head: 48, bytes: 4096, size: Self::RING };
    pub(crate) const ANSWERS: Place =
        Place { tail: 128, head: 144, bytes: 4096 + Self::RING as usize, size: Self::RING };
    pub(crate) const LEN: usize = Self::TAIL + Self::TAIL_SIZE;
}

/// The memory that all workers of a pool share with their master: the [lanes](crate::queue) in which events wait.
pub(crate) struct Shared;

impl Shared {
    /// How many lanes there are. A run has some of those between the first and the last.
    pub(crate) const LANES: usize = 8;
    /// The lane of events that come back: retries, and what was taken from a worker. It goes before all others.
    pub(crate) const FIRST: usize = 0;
    /// The lane of events with an address each: who may claim it. See [`Self::TO`].
    pub(crate) const ADDRESSED: usize = Self::LANES - 1;

    /// Master: bit `k` is 1 while lane `k` is in use. Workers try no other.
    pub(crate) const OPEN: usize = 16;
    /// Master: not 0 while it looks for answers by itself, so that no worker need notify it: [`Self::POLLS`], or
    /// [`Self::WAITS`] while it sleeps on [`Self::ANSWERED`].
    pub(crate) const LISTENS: usize = 32;
    pub(crate) const POLLS: u32 = 1;
    pub(crate) const WAITS: u32 = 2;
    /// Workers: counted up, and woken as a futex, for a master that [waits](Self::WAITS).
    pub(crate) const ANSWERED: usize = 48;
    /// How many workers may spin at the same time, each with the number of its slot plus 1 in one of these words:
    /// no more than there are processors. The master clears those of a worker that exited.
    pub(crate) const SPINNERS: usize = 64;
    pub(crate) const MAX_SPINNERS: usize = 64;
    /// Master: how many of those words are used.
    pub(crate) const SPIN_LIMIT: usize = 17;
    /// Master: 1 while an event of the addressed lane has a priority other than 0. Workers look for the highest then, and
    /// claim in all other lanes as if their events had the priority 0.
    pub(crate) const RANKED: usize = 18;
    /// Master: a word for each lane, with a bit for each group whose workers may claim there; in the addressed lane each entry
    /// says that for itself. It changes only while no event waits in the lane.
    pub(crate) const GROUPS: usize = 20;
    /// One bit a worker, 32 in each word, set while it is parked and any event should wake it.
    pub(crate) const PARKED: usize = 128;

    /// The first word of each lane's header, and how many words that has.
    const HEADERS: usize = 512;
    const HEADER: usize = 48;
    /// In a lane's header. Master: how many events have been put in, modulo 2^32 as every count here.
    pub(crate) const PUBLISHED: usize = 0;
    /// Workers: all events before this number are claimed. A hint of where to look; it may be low.
    pub(crate) const CLAIMED: usize = 16;
    /// Master: the worker that claims this event notifies it, after it has set [`Self::READ`].
    pub(crate) const NOTIFY_AT: usize = 32;
    /// Master: how much time the lane's runs have had ([`core::share`](crate::core::share)), modulo 2^32. Workers try the
    /// lane first that has had least.
    pub(crate) const SHARE: usize = 33;

    /// How many events have a place in a lane, each of [`Self::ENTRY`] words: its state, where its text begins (a
    /// position that only rises; the byte is at its remainder by [`Self::SIZE`]), the text's length in bytes, its
    /// flags, its run (in the upper half: how many attempts have failed). Event `i` has the place `i` modulo this.
    pub(crate) const PLACES: u32 = 1 << 13;
    pub(crate) const ENTRY: usize = 8;
    /// In a place of the addressed lane: who may claim the event, as [`to_groups`](Self::to_groups) or
    /// [`to_slot`](Self::to_slot) says.
    pub(crate) const TO: usize = 5;
    /// Beside it: the event's priority, a number with a sign.
    pub(crate) const PRIORITY: usize = 6;
    const TO_SLOT: u32 = 1 << 31;
    /// The most groups of workers: an address has a bit for each.
    pub(crate) const MAX_GROUPS: usize = 31;
    /// An event's state: its number without the bits that name the place, so that it tells one event from the next
    /// in the same place, plus who claimed it. 0: nobody yet; n: the worker in slot n - 1; [`Self::MASTER`]: it was
    /// taken back.
    pub(crate) const MASTER: u32 = 0xfff;
    /// Added to the state when the worker has read the text, by compare-and-swap: the master may have taken the event
    /// back before. Of a [long](crate::wire::header::flag::LONG) event it is there from the claim on.
    pub(crate) const READ: u32 = 0x1000;
    pub(crate) const MAX_WORKERS: u32 = Self::MASTER - 1;

    /// The index of the first lane's first place.
    const TABLES: usize = 1024;
    const TABLE: usize = Self::PLACES as usize * Self::ENTRY;
    /// The offset of the first lane's bytes, and how many bytes a lane has for texts. A text lies in one piece.
    const BYTES: usize = 4 * (Self::TABLES + Self::LANES * Self::TABLE);
    pub(crate) const SIZE: u32 = 1 << 22;
    /// Longer texts do not lie here: they come through the task ring of the worker that claims them.
    pub(crate) const LONGEST: usize = Self::SIZE as usize / 4;
    pub(crate) const LEN: usize = Self::BYTES + Self::LANES * Self::SIZE as usize;

    /// The index of a word in a lane's header.
    pub(crate) const fn header(lane: usize, word: usize) -> usize {
        Self::HEADERS + lane * Self::HEADER + word
    }

    /// The index of the first word of an event's place.
    pub(crate) const fn entry(lane: usize, number: u32) -> usize {
        let place = (number & (Self::PLACES - 1)) as usize;
        Self::TABLES + lane * Self::TABLE + place * Self::ENTRY
    }

    /// The state of an event that nobody has claimed.
    pub(crate) const fn free(number: u32) -> u32 {
        number & !(Self::PLACES - 1)
    }

    /// The address of all workers of these groups, a bit each.
    pub(crate) const fn to_groups(groups: u32) -> u32 {
        groups & !Self::TO_SLOT
    }

    /// The address of the worker in `slot`.
    pub(crate) const fn to_slot(slot: usize) -> u32 {
        Self::TO_SLOT | slot as u32
    }

    /// Whether an address is that of the worker in `slot`, which is in `group`.
    pub(crate) const fn is_to(address: u32, slot: usize, group: u32) -> bool {
        if address & Self::TO_SLOT != 0 {
            address == Self::to_slot(slot)
        } else {
            address & (1 << group) != 0
        }
    }

    /// The offset of the byte at a position of a lane's texts.
    pub(crate) const fn byte(lane: usize, position: u32) -> usize {
        Self::BYTES + lane * Self::SIZE as usize + (position & (Self::SIZE - 1)) as usize
    }

    /// The word and the bit of the worker in `slot` among the parked.
    pub(crate) const fn parked(slot: usize) -> (usize, u32) {
        (Self::PARKED + slot / 32, 1 << (slot % 32))
    }
}
