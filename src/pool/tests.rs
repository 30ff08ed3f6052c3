//! The pool against real links and real workers, without processes: the master's half is the pool
//! alone, each worker is a [`Player`]. Where a test wants an I/O thread, [`Ears`] is one.

mod bells;
mod big;
mod crash;
mod ends;
mod events;
mod hints;
mod hostile;
mod late;
mod observed;
mod polled;
mod recycled;
mod retries;
mod room;
mod sleepers;
mod stopped;
mod taken_back;
mod unread;

use std::io::Read;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::os::child::{Recipe, Stream};
use crate::os::socket;
use crate::pool::limits::Limits;
use crate::pool::link::NodeChannel;
use crate::run::results::{Long, Piece, entry};
use crate::shm::ring::{Consumer, Producer};
use crate::tests::player::{
    DEADLINE, Done, Ends, Heard, LONG, NoProcess, Outcome, Player, SHORT, Writer, has_come_alone,
    shared_memory, until,
};
use crate::wire::format::Format;
use crate::wire::frame::Decoder;
use crate::wire::header::{Header, Kind, flag};
use crate::wire::protocol::{Board, Common, Layout, Message};
use crate::worker::join::{Item, Signal};

pub(crate) const ANSWERED: u32 = entry::DATA | entry::RESPONSE;
const CRASHED: u32 = entry::FAILED | entry::CRASH | entry::DATA | entry::RESPONSE;

/// One entry of a queue: its kind, its worker's id, the event's data, the response.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) kind: u32,
    pub(crate) worker: u32,
    pub(crate) data: serde_json::Value,
    pub(crate) response: serde_json::Value,
}

impl Entry {
    fn new(kind: u32, worker: u32, data: impl Into<serde_json::Value>, response: &str) -> Self {
        let response = serde_json::from_str(response).expect("JSON");
        Self { kind, worker, data: data.into(), response }
    }
}

/// What a run's workers are made of, in a test: nothing.
pub(crate) fn launch(workers: u32, deadline: Duration) -> Launch {
    let recipe = Recipe {
        program: "no program".into(),
        args: Vec::new(),
        env: Vec::new(),
        cwd: None,
        stdio: vec![Stream::Ignore; 3],
        uid: None,
        gid: None,
        hides_window: false,
    };
    Launch {
        recipe,
        workers: (1..=workers).collect(),
        node_args: vec![Vec::new(); workers as usize],
        run: 0,
        call: "{}".into(),
        title: "the call".into(),
        serialization: "json".into(),
        deadline,
        max_window: crate::core::scheduler::MAX_WINDOW,
        max_bytes: crate::io::supervisor::MAX_BYTES,
        limits: Limits::default(),
        retries: None,
        stop_on_failure: false,
        stream: None,
        stop_grace: crate::io::supervisor::STOP_GRACE,
        record: crate::observe::record::Level::Counts,
        shows_workers: false,
        shares_terminal: false,
        epoch: 0.0,
    }
}

/// A pool, and what it says to the rest of the master.
pub(crate) struct Bench {
    pub(crate) pool: Arc<Pool>,
    board: Arc<Memory>,
    pub(crate) backlog: Arc<Memory>,
    writer: Writer,
    calls: Arc<AtomicUsize>,
    pub(crate) commands: UnboundedReceiver<Command>,
}

/// A worker's place at the bench: the worker itself, and what the master has of it.
struct Seat {
    player: Player,
    process: NoProcess,
    /// The master's end of the control socket.
    control: UnixStream,
    /// The worker's end of Node's channel.
    channel: UnixStream,
    memory: Arc<Memory>,
}

impl Bench {
    /// A pool whose workers, of the ids 1, 2, …, are not started yet.
    pub(crate) fn new(workers: u32) -> Self {
        Self::with_deadline(workers, DEADLINE)
    }

    pub(crate) fn with_deadline(workers: u32, deadline: Duration) -> Self {
        Self::launched(launch(workers, deadline))
    }

    fn launched(launch: Launch) -> Self {
        let workers = launch.workers.len();
        let board = Arc::new(Memory::anonymous(Board::LEN).expect("memory"));
        let (sender, commands) = unbounded_channel();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let call = Box::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let file = socket::memory(Common::LEN).expect("a memory file");
        let backlog = Arc::new(Memory::of(&file).expect("memory"));
        let shared = (file, Arc::clone(&backlog));
        let pool = Arc::new(Pool::new(launch, Arc::clone(&board), shared, sender, call));
        let writer = Writer::new(Arc::clone(&backlog), Arc::clone(&board), workers);
        Self { pool, board, backlog, writer, calls, commands }
    }

    /// A pool whose next event has this number, and whose next text begins at this position.
    fn starting_at(workers: u32, number: u64, position: u32) -> Self {
        let bench = Self::new(workers);
        bench.pool.lock().backlog.start_at(number, position);
        bench
    }

    /// A pool whose workers have all registered.
    fn running<const N: usize>() -> (Self, [Seat; N]) {
        Self::new(N as u32).run()
    }

    fn run<const N: usize>(self) -> (Self, [Seat; N]) {
        let bench = self;
        let mut seats = std::array::from_fn(|slot| bench.seat(slot));
        for (slot, seat) in seats.iter_mut().enumerate() {
            bench.register(slot, seat);
        }
        bench.hear();
        (bench, seats)
    }

    /// Starts a worker in `slot` that has not registered.
    fn seat(&self, slot: usize) -> Seat {
        let worker = self.pool.launch.workers[slot];
        let (control, theirs) = UnixStream::pair().expect("sockets");
        let (channel, their_channel) = UnixStream::pair().expect("sockets");
        let memory = shared_memory();
        let process = NoProcess::new(1000 + worker);
        let ours = control.try_clone().expect("a descriptor");
        let node = Arc::new(NodeChannel::new(channel));
        let link = Link::new(Box::new(process.clone()), ours, node, Arc::clone(&memory));
        self.pool.started(slot, link, None);
        let backlog = Arc::clone(&self.backlog);
        let player = Player::join(worker, "token", theirs, Arc::clone(&memory), backlog);
        player.waits(true);
        Seat { player, process, control, channel: their_channel, memory }
    }

    /// The program of the worker in `slot` reaches its call, and the pool hears of it.
    fn register(&self, slot: usize, seat: &mut Seat) {
        seat.player.reach_call();
        self.pool.registered(slot);
    }

    /// Hands an event over as JavaScript does: into the backlog, and to the core if that fails or a
    /// worker sleeps.
    pub(crate) fn hand_over(&self, text: &str, flags: u32) {
        if !self.writer.write(flags, text) {
            self.pool.submit(text.as_bytes(), flags);
        } else if self.writer.has_sleepers() {
            self.pool.flush();
        }
    }

    /// Hands over numbers.
    pub(crate) fn map(&self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            self.hand_over(&number.to_string(), 0);
        }
    }

    /// Has the core take events in, as JavaScript does with those that it cannot put in itself.
    fn submit(&self, texts: impl IntoIterator<Item = u32>) {
        for text in texts {
            self.pool.submit(text.to_string().as_bytes(), 0);
        }
    }

    pub(crate) fn word(&self, at: usize) -> u32 {
        self.board.word(at).load(Ordering::SeqCst)
    }

    fn set(&self, at: usize, value: u32) {
        self.board.word(at).store(value, Ordering::SeqCst);
    }

    /// How many more events have a place than were handed over.
    fn room(&self) -> i32 {
        let state = self.pool.lock();
        let handed_over = state.backlog.published() + state.overflow.len() as u64 + state.left;
        self.word(Board::ALLOWED).wrapping_sub(handed_over as u32).cast_signed()
    }

    /// How many workers can run events.
    pub(crate) fn ready(&self) -> usize {
        self.pool.lock().scheduler.ready_count()
    }

    /// How many events nobody had claimed when the pool last looked.
    fn unclaimed(&self) -> usize {
        self.pool.lock().backlog.unclaimed()
    }

    /// How many events are neither answered nor failed.
    fn outstanding(&self) -> usize {
        let state = self.pool.lock();
        state.backlog.unclaimed() + state.overflow.len() + state.scheduler.outstanding()
    }

    /// How often JavaScript was called since the last look; it looks now.
    pub(crate) fn calls(&self) -> usize {
        self.set(Board::CALLED, 0);
        self.calls.swap(0, Ordering::SeqCst)
    }

    /// What JavaScript hears when it is called.
    pub(crate) fn hear(&self) -> Vec<Note> {
        self.calls();
        self.pool.notes()
    }

    /// Everything in a queue, which says itself how much that is.
    pub(crate) fn take(&self, queue: Queue) -> Vec<Entry> {
        let count = self.pool.count(queue);
        let mut entries = Vec::new();
        while let Some(piece) = self.pool.take(queue) {
            let text = match piece {
                Piece::Numbers(_) | Piece::Array(_) => piece.json().expect("short"),
                Piece::Long(long) => {
                    let value = |value: Option<Long>| match value {
                        None => 0.into(),
                        Some(Long { format: Format::Json, bytes }) => {
                            serde_json::from_slice(&bytes).expect("JSON")
                        }
                        Some(Long { bytes, .. }) => {
                            String::from_utf8(bytes.to_vec()).expect("ASCII").into()
                        }
                    };
                    entries.push(Entry {
                        kind: long.kind,
                        worker: long.worker,
                        data: value(long.data),
                        response: value(long.response),
                    });
                    continue;
                }
            };
            let values: Vec<serde_json::Value> = serde_json::from_slice(&text).expect("JSON");
            let number = |value: &serde_json::Value| value.as_u64().expect("a number") as u32;
            entries.extend(values.chunks(4).map(|entry| Entry {
                kind: number(&entry[0]),
                worker: number(&entry[1]),
                data: entry[2].clone(),
                response: entry[3].clone(),
            }));
        }
        assert_eq!(entries.len(), count, "the count of {queue:?}");
        entries
    }

    /// The data of everything in a queue, as the numbers that `submit` makes.
    pub(crate) fn numbers(&self, queue: Queue) -> Vec<u32> {
        let number = |entry: &Entry| entry.data.as_u64().expect("a number") as u32;
        self.take(queue).iter().map(number).collect()
    }

    /// What is known to have gone wrong with the worker of `slot`.
    pub(crate) fn said(&self, slot: usize) -> Option<String> {
        self.pool.lock().slots[slot].link.as_ref()?.said.clone()
    }

    pub(crate) fn orders(&mut self) -> Vec<Command> {
        std::iter::from_fn(|| self.commands.try_recv().ok()).collect()
    }

    /// The delays of the restarts that were ordered, by slot.
    pub(crate) fn restarts(&mut self) -> Vec<(usize, Duration)> {
        let start = |order| {
            if let Command::Start { slot, delay } = order { Some((slot, delay)) } else { None }
        };
        self.orders().into_iter().filter_map(start).collect()
    }
}

impl Seat {
    /// Runs `count` short events to their end; the responses are their data.
    fn run(&mut self, bench: &Bench, count: usize) {
        for _ in 0..count {
            let item = self.player.start();
            self.player.answer(&item, Outcome::response(&item.text));
            bench.pool.rang();
        }
    }

    /// Runs what comes until it is over.
    fn serve(&mut self, over: &AtomicBool, run: impl Fn(&mut Player, &Item)) {
        while !over.load(Ordering::SeqCst) {
            if let Some(item) = self.player.next_within(Duration::from_millis(20))
                && self.player.claim(&item)
            {
                run(&mut self.player, &item);
            }
        }
    }

    /// Runs short events until there is room for `window` of this worker, which had none before.
    fn widen(&mut self, bench: &Bench, window: usize) {
        let capacity = || bench.pool.lock().scheduler.capacity();
        let others = capacity() - 1;
        while capacity() < others + window {
            assert!(bench.pool.submit_to(self.player.worker.id, b"0", 0));
            self.run(bench, 1);
        }
        bench.take(Queue::Results);
    }

    /// What was sent to this worker alone, started or not: the text of each.
    fn arrived(&mut self) -> Vec<String> {
        let text = |item: Item| String::from_utf8(item.text.to_vec()).expect("UTF-8");
        self.player.arrived().into_iter().map(text).collect()
    }
}

impl Drop for Seat {
    /// Ends the threads that listen at either end.
    fn drop(&mut self) {
        // A socket that is closed already is as good.
        let _ = self.control.shutdown(Shutdown::Both);
    }
}

/// The part of the I/O thread that the pool needs: it hears the bells of one worker.
struct Ears(Option<JoinHandle<()>>);

impl Ears {
    fn of(bench: &Bench, slot: usize, seat: &Seat) -> Self {
        let pool = Arc::clone(&bench.pool);
        let mut stream = seat.control.try_clone().expect("a descriptor");
        let listen = move || {
            let mut decoder = Decoder::default();
            let mut bytes = [0; 1024];
            while let Ok(count @ 1..) = stream.read(&mut bytes) {
                decoder.feed(&bytes[..count]);
                while let Some(frame) = decoder.next().expect("well formed") {
                    if Message::decode(&frame) == Ok(Message::Registered) {
                        pool.registered(slot);
                    }
                }
                pool.rang();
            }
        };
        Self(Some(std::thread::spawn(listen)))
    }

    /// Hears the bells of every worker.
    fn of_all(bench: &Bench, seats: &[Seat]) -> Vec<Self> {
        seats.iter().enumerate().map(|(slot, seat)| Self::of(bench, slot, seat)).collect()
    }

    /// Waits for the end of the worker's words.
    fn join(mut self) {
        self.0.take().expect("joined once").join().expect("no panic");
    }
}
