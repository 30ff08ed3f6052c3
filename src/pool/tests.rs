//! The pool against real links and real workers, without processes: the master's half is the pool
//! alone, each worker is a [`Player`]. Where a test wants an I/O thread, [`Ears`] is one.

mod big;
mod checkpoint;
mod concurrent;
mod crash;
mod credit;
mod each;
mod ends;
mod events;
mod flows;
mod hints;
mod hostile;
mod late;
mod notices;
mod observed;
mod parked;
mod polled;
mod recycled;
mod resized;
mod retries;
mod routed;
mod runs;
mod sharing;
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
use crate::core::error::Error;
use crate::core::scheduler::MAX_WINDOW;
use crate::core::sync::Who;
use crate::core::task_id::{RunId, TaskId};
use crate::observe::record::Level;
use crate::os::child::{Recipe, Stream};
use crate::os::socket;
use crate::pool::calls::Opened;
use crate::pool::connection::Connection;
use crate::pool::launch::{Group, Limits};
use crate::pool::node_channel::NodeChannel;
use crate::pool::resize::Place;
use crate::run::results::{Piece, entry};
use crate::run::value::Value;
use crate::run::words::Words;
use crate::run::{MAX_BYTES, Queue, RunOptions, STOP_GRACE};
use crate::shm::ring::{Consumer, Producer};
use crate::shm::store::Bytes;
use crate::sync::Hub;
use crate::tests::player::{
    Claimer, DEADLINE, Done, Ends, Heard, LONG, NoProcess, Outcome, Player, SHORT, Writer,
    has_come_alone, invitation, shared_memory, until,
};
use crate::wire::format::Format;
use crate::wire::frame::Decoder;
use crate::wire::header::{Header, Kind, flag};
use crate::wire::layout::{Layout, Shared};
use crate::wire::note::Note;
use crate::wire::protocol::{Invitation, Message};
use crate::worker::join::{Item, Signal};
use crate::worker::memories::Memories;

pub(crate) const ANSWERED: u32 = entry::DATA | entry::RESPONSE;
const CRASHED: u32 = entry::FAILED | entry::CRASH | entry::DATA | entry::RESPONSE;

/// The lane of a pool's first run, and what an answer says to an event from there.
const LANE: usize = 1;
pub(crate) const FROM_LANE: u32 = (LANE as u32) << flag::LANE_AT;

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
        places: (1..=workers).map(|worker| Place { worker, node_args: Vec::new() }).collect(),
        groups: vec![Group::default()],
        group_of: vec![0; workers as usize],
        number: 0,
        call: "{}".into(),
        title: "the call".into(),
        serialization: "json".into(),
        spill_folder: None,
        deadline,
        max_window: MAX_WINDOW,
        concurrency: 1,
        spin_limit: 2,
        limits: Limits::default(),
        notes_times: true,
        is_for_one_run: true,
    }
}

/// A run without any wishes, in a test.
pub(crate) fn plain() -> RunOptions {
    RunOptions {
        stream: None,
        max_bytes: MAX_BYTES,
        retries: None,
        stop_on_failure: false,
        stop_grace: STOP_GRACE,
        task_timeout: None,
        hint: None,
        record: Level::Counts,
        epoch: 0.0,
        about: None,
        is_numbered: false,
        is_uncounted: false,
        is_watched: false,
        tags: Vec::new(),
        chains: Vec::new(),
        flow: None,
        weight: 1.0,
    }
}

/// A pool with one run, and what it says to the rest of the master.
pub(crate) struct Bench {
    pub(crate) pool: Arc<Pool>,
    pub(crate) run: RunId,
    pub(crate) words: Arc<Words>,
    pub(crate) lanes: Arc<Memory>,
    writer: Writer,
    calls: Arc<AtomicUsize>,
    /// What the I/O thread is sent.
    pub(crate) orders: UnboundedReceiver<Order>,
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
        Self::with(launch, plain())
    }

    fn with(launch: Launch, options: RunOptions) -> Self {
        Self::with_hub(&Hub::new().expect("memory"), launch, options)
    }

    /// A pool that shares locks with others.
    fn of_hub(hub: &Arc<Hub>, launch: Launch) -> Self {
        Self::with_hub(hub, launch, plain())
    }

    fn with_hub(hub: &Arc<Hub>, launch: Launch, options: RunOptions) -> Self {
        let workers = launch.places.len();
        let (sender, orders) = unbounded_channel();
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let call = Box::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let file = socket::memory(Shared::LEN).expect("a memory file");
        let lanes = Arc::new(Memory::of(&file).expect("memory"));
        let shared = (file, Arc::clone(&lanes));
        // A test that has ended does not listen any more.
        let send = Arc::new(move |order| _ = sender.send(order));
        let pool = Arc::new(
            Pool::new(launch, shared, hub.stay().expect("it is used"), send, call).expect("memory"),
        );
        let Opened { id: run, words, writer, .. } = pool.open(options).expect("memory");
        let writer = Writer::of(writer, Arc::clone(&words));
        Self { pool, run, words, lanes, writer, calls, orders }.checked(workers)
    }

    /// One more run of the same pool.
    fn open(&self, options: RunOptions) -> (RunId, Arc<Words>, Writer) {
        let Opened { id, words, writer, .. } = self.pool.open(options).expect("memory");
        let writer = Writer::of(writer, Arc::clone(&words));
        (id, words, writer)
    }

    fn checked(mut self, workers: usize) -> Self {
        assert_eq!(self.orders.try_recv(), Ok(Order::Monitor { run: self.run }));
        assert_eq!(self.pool.launch.places.len(), workers);
        let (lane, is_tagged) = {
            let state = self.pool.lock();
            (state.runs[&self.run].lane(), state.runs[&self.run].is_tagged())
        };
        assert!(is_tagged || lane == LANE);
        self
    }

    /// A pool whose next event has this number in its lane, and whose next text begins at this position.
    fn starting_at(workers: u32, number: u64, position: u32) -> Self {
        let bench = Self::new(workers);
        bench.pool.lock().lanes.lane_mut(LANE).start_at(number, position);
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
        let worker = self.pool.place(slot).worker;
        let (control, theirs) = UnixStream::pair().expect("sockets");
        let (channel, their_channel) = UnixStream::pair().expect("sockets");
        let memory = shared_memory();
        let process = NoProcess::new(1000 + worker);
        let ours = control.try_clone().expect("a descriptor");
        let node = Arc::new(NodeChannel::new(channel));
        let (common, owner) = self.pool.membership().expect("a number");
        owner.came(Who { worker: Some(worker), pid: process.pid });
        let invitation = Invitation { owner: owner.number(), ..invitation(worker, "token") };
        let connection =
            Connection::new(Box::new(process.clone()), ours, node, Arc::clone(&memory)).of(owner);
        self.pool.started(slot, connection, None);
        let lanes = Arc::clone(&self.lanes);
        let memories = Memories {
            memory: Arc::clone(&memory),
            lanes: Arc::clone(&lanes),
            common: Arc::new(Memory::of(&common).expect("memory")),
        };
        let mut player = Player::join_as(&invitation, theirs, memories);
        let group = self.pool.launch.group_of(slot);
        player.claimer = Claimer::new(lanes, slot).in_group(group as u32);
        player.waits(true);
        Seat { player, process, control, channel: their_channel, memory }
    }

    /// The program of the worker in `slot` reaches its call, and the pool hears of it.
    fn register(&self, slot: usize, seat: &mut Seat) {
        seat.player.reach_call();
        self.pool.registered(slot);
    }

    /// Hands an event over as JavaScript does: into the lane, and to the core if that fails or a worker is parked.
    pub(crate) fn hand_over(&self, text: &str, flags: u32) {
        if !self.writer.write(flags, text) {
            self.pool.submit(self.run, text.as_bytes(), flags);
        } else if self.writer.has_parked() {
            self.pool.flush();
        }
    }

    /// Hands an event to one worker.
    pub(crate) fn submit_to(&self, worker: u32, text: impl Into<Bytes>, flags: u32) -> bool {
        self.pool.submit_to(self.run, worker, text, flags)
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
            self.pool.submit(self.run, text.to_string().as_bytes(), 0);
        }
    }

    /// How many results the pool has, without having it look for more.
    fn results(&self) -> usize {
        self.pool.lock().runs[&self.run].results.len()
    }

    /// What waits for a place in the run's lane.
    fn overflowing(&self) -> usize {
        self.pool.lock().runs[&self.run].outlets[0].overflow.len()
    }

    /// Whether JavaScript may put the next event in itself.
    fn has_place(&self) -> bool {
        let state = self.pool.lock();
        let front = state.lanes.front(state.runs[&self.run].lane());
        let memory = Arc::clone(state.lanes.memory());
        crate::queue::writer::Writer::new(memory, front, self.run, false).room(0).is_some()
    }

    /// The event of the run's lane whose worker must notify the master when it claims it.
    fn notify_at(&self) -> u32 {
        self.lanes.word(Shared::header(LANE, Shared::NOTIFY_AT)).load(Ordering::SeqCst)
    }

    /// `Map` waits for credit for the event of this number, or for none.
    fn wait_for(&self, number: impl Into<Option<u64>>) {
        self.words.wait_for(number.into());
    }

    /// Has the master claim what no worker has claimed in any lane, as if an event had to come back.
    fn take_back(&self) {
        self.pool.enter(|state| state.lanes.take_back(|_, _| true));
    }

    /// How many more events have credit than were handed over.
    fn credit(&self) -> i64 {
        self.words.allowed().cast_signed() - self.words.handed_over().cast_signed()
    }

    /// How many workers can run events.
    pub(crate) fn ready(&self) -> usize {
        self.pool.lock().scheduler.places()
    }

    /// How many events nobody had claimed when the pool last looked.
    fn unclaimed(&self) -> usize {
        self.pool.lock().lanes.unclaimed()
    }

    /// How many events are neither answered nor failed.
    fn outstanding(&self) -> usize {
        self.pool.lock().runs[&self.run].outstanding()
    }

    /// How often JavaScript was called since the last look; it looks now.
    pub(crate) fn calls(&self) -> usize {
        self.pool.is_called.store(false, Ordering::SeqCst);
        self.calls.swap(0, Ordering::SeqCst)
    }

    /// What JavaScript hears when it is called.
    pub(crate) fn hear(&self) -> Vec<Note> {
        self.calls();
        self.pool.notes()
    }

    /// Everything in a queue of the run.
    pub(crate) fn take(&self, queue: Queue) -> Vec<Entry> {
        self.take_of(self.run, queue)
    }

    /// Everything in a queue of any run, which says itself how much that is.
    fn take_of(&self, run: RunId, queue: Queue) -> Vec<Entry> {
        let count = self.pool.count(run, queue);
        let mut entries = Vec::new();
        while let Some(piece) = self.pool.take(run, queue) {
            let text = match piece {
                Piece::Numbers(_) | Piece::Array(_) => piece.json().expect("short"),
                Piece::Long(long) => {
                    let value = |value: Option<Value<'_>>| match value {
                        None => 0.into(),
                        Some(json) if json.format == Format::Json => {
                            serde_json::from_slice(&json).expect("JSON")
                        }
                        Some(text) => String::from_utf8(text.to_vec()).expect("ASCII").into(),
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
        self.pool.lock().slots[slot].connection.as_ref()?.last_error.clone()
    }

    pub(crate) fn orders(&mut self) -> Vec<Order> {
        std::iter::from_fn(|| self.orders.try_recv().ok()).collect()
    }

    /// The delays of the restarts that were ordered, by slot.
    pub(crate) fn restarts(&mut self) -> Vec<(usize, Duration)> {
        let start = |order| {
            if let Order::Start { slot, delay } = order { Some((slot, delay)) } else { None }
        };
        self.orders().into_iter().filter_map(start).collect()
    }
}

impl Seat {
    /// Answers what comes until it is over, asleep until it is woken, and each hundredth event after a pause.
    fn answer_now_and_then_late(&mut self, over: &AtomicBool, pause: Duration) {
        for count in 1.. {
            let next = self.player.next_woken(|| over.load(Ordering::SeqCst));
            let Some(item) = next else { return };
            if count % 100 == 0 {
                std::thread::sleep(pause);
            }
            self.player.answer(&item, Outcome::response("1").taking(2.0));
        }
    }

    /// Whether the worker is released in time. It may be notified of other things before.
    fn is_released(&self) -> bool {
        let mut signals = std::iter::from_fn(|| self.player.signals.recv_timeout(DEADLINE).ok());
        signals.any(|signal| signal == Signal::Released)
    }

    /// Runs `count` short events to their end; the responses are their data.
    fn run(&mut self, bench: &Bench, count: usize) {
        for _ in 0..count {
            let item = self.player.start();
            self.player.answer(&item, Outcome::response(&item.text));
            bench.pool.flush();
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

    /// Runs short events until there is credit for `window` of this worker, which had none before.
    fn widen(&mut self, bench: &Bench, window: usize) {
        let capacity = || bench.pool.lock().scheduler.capacity();
        let others = capacity() - 1;
        while capacity() < others + window {
            assert!(bench.submit_to(self.player.worker.id, b"0", 0));
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

/// The part of the I/O thread that the pool needs: it hears the notices of one worker.
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
                pool.flush();
            }
        };
        Self(Some(std::thread::spawn(listen)))
    }

    /// Hears the notices of every worker.
    fn of_all(bench: &Bench, seats: &[Seat]) -> Vec<Self> {
        seats.iter().enumerate().map(|(slot, seat)| Self::of(bench, slot, seat)).collect()
    }

    /// Waits for the end of the worker's words.
    fn join(mut self) {
        self.0.take().expect("joined once").join().expect("no panic");
    }
}

/// Ends the worker of `slot`.
fn kill(bench: &Bench, slot: usize, seat: Seat) {
    drop(seat);
    bench.pool.exited(slot, Exit::Signal(9), false);
}

fn replace(bench: &Bench, slot: usize, seat: Seat) -> Seat {
    kill(bench, slot, seat);
    let mut next = bench.seat(slot);
    bench.register(slot, &mut next);
    next
}
