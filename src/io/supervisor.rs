//! Starts workers, listens to them until they end, and decides whether another one takes the place.
//!
//! One thread with one event loop serves a run; it sleeps unless a worker says something. It holds
//! no state of the run: what it hears it tells the pool, and what the pool orders it does. The
//! decision itself ([`judge`]) is a pure function.

mod looks;

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::io::Interest;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, warn};

use crate::core::error::{Error, Said, Search};
use crate::core::retry::{Again, Policy};
use crate::core::scheduler::TaskId;
use crate::io::relay::Relay;
use crate::observe::record::Level;
use crate::os::child::{self, Child, Exit, Pipes, Process, Recipe, descriptor};
use crate::os::memory::Memory;
use crate::os::socket::{self, Handle, Polled, Stream};
use crate::os::tried::{Step, tried};
use crate::pool::Pool;
use crate::pool::limits::Limits;
use crate::pool::link::{Link, NodeChannel, Reached};
use crate::pool::stopwatch;
use crate::run::stream::Order;
use crate::wire::channel::{self, Lines};
use crate::wire::frame::Decoder;
use crate::wire::note::Note;
use crate::wire::protocol::{Hello, Invitation, Layout, Message, VARIABLE, VERSION};

/// How often in a row a worker may end without having run an event before it is given up: once may
/// be an accident, and what fails three times fails always.
pub(crate) const ATTEMPTS: u32 = 3;

/// The wait before the second restart in a row, so that workers which cannot live do not use up
/// the machine; the first restart is immediate.
const BACKOFF: Duration = Duration::from_millis(100);

/// How often a worker is tried to be started again when the machine has no process, descriptor or memory
/// to spare, and the first pause; each further one is twice as long, so that it is three seconds in all.
const SHORTAGE_ATTEMPTS: u32 = 5;
const SHORTAGE_DELAY: Duration = Duration::from_millis(100);

/// How long a process that closed its control socket may take to end by itself.
const LINGER: Duration = Duration::from_secs(1);

/// What a start may take before the program is told that it is slow: most take a tenth of that, also where
/// TypeScript is compiled.
const SLOW_START: Duration = Duration::from_secs(5);

/// How long the rest of a control frame may take. Workers send each in one piece; what one that does not
/// says later would be taken for the rest, its bells too.
const TORN: Duration = Duration::from_secs(1);

/// What a socket holds at the end of a worker is read in so many pieces at most: more than the system
/// keeps there. Who writes on is another process, and would be listened to for ever.
const MOST_READS: usize = 1024;

/// How long a worker's own messages are left in the channel when JavaScript does not come to hear those that
/// wait: the worker feels it, as it would with Node's own channel.
const UNHEARD_PAUSE: Duration = Duration::from_millis(5);

/// The most bytes of replies that wait for a worker to read them: it asks a few short questions in its life.
const MAX_UNREAD: usize = 1 << 20;

/// What a run's workers are made of.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) recipe: Recipe,
    /// The ids of the workers, one a slot.
    pub(crate) workers: Vec<u32>,
    /// What goes before the program for each slot's Node: inspector ports differ.
    pub(crate) node_args: Vec<Vec<String>>,
    pub(crate) run: u32,
    /// Which call of the program the workers serve, for their JavaScript.
    pub(crate) call: String,
    /// How texts name that call.
    pub(crate) title: String,
    /// How values are encoded; the core only passes it on.
    pub(crate) serialization: String,
    /// In which order the entries are read while the run goes on, if they are.
    pub(crate) stream: Option<Order>,
    /// How long a worker may take from its start to the program's call.
    pub(crate) deadline: Duration,
    /// The most events there is room for a worker: by default [`MAX_WINDOW`](crate::core::scheduler::MAX_WINDOW).
    pub(crate) max_window: usize,
    /// While more bytes than this wait or run, there is room for one event a worker, however short they
    /// are: by default [`MAX_BYTES`].
    pub(crate) max_bytes: usize,
    /// Which events that failed are tried again, and how; none if none is.
    pub(crate) retries: Option<Policy>,
    /// The first event that fails stops the run.
    pub(crate) stop_on_failure: bool,
    /// How long the workers of a run that is stopped may take to end: by default [`STOP_GRACE`].
    pub(crate) stop_grace: Duration,
    pub(crate) limits: Limits,
    /// What is kept of the run for people to look at.
    pub(crate) record: Level,
    /// What the workers do is shown while they do it.
    pub(crate) shows_workers: bool,
    /// Nothing is to be written into what is drawn on the terminal.
    pub(crate) shares_terminal: bool,
    /// Milliseconds of the epoch when the run began.
    pub(crate) epoch: f64,
}

/// Long enough for most events to come to their end, and no longer than somebody waits who has given up.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(1);

/// Several megabytes hide any wake-up behind the copying of them.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// How long a worker that was woken for an event may take to claim it before another is woken too, up
/// to twice: much longer than a wake-up takes, and no longer than an event that counts as short.
const WATCH: Duration = Duration::from_millis(1);

/// How often answers are taken in that nobody rings for: what was answered is known within five milliseconds
/// whatever its worker does next, and a timer may be one or two late.
const POLL: Duration = Duration::from_millis(2);

/// An order for the I/O thread.
#[derive(Debug)]
pub(crate) enum Command {
    /// Listen to a worker that was started.
    Serve(Box<Served>),
    /// Start a worker in `slot` after `delay`.
    Start { slot: usize, delay: Duration },
    /// See to it that those who were woken come: [`Pool::watched`] after [`WATCH`], until it is false.
    Watch,
    /// Take in answers that nobody rings for: [`Pool::polled`] after [`POLL`], until it is false.
    Poll,
    /// Say when an event has rested that is to be tried again.
    Rest { task: TaskId, again: Again },
    /// End what is left of a stopped run when its grace is over.
    EndLater,
    /// End a worker that was let go, if it is still there after the grace that there is for that.
    EndLingering { slot: usize, pid: u32 },
    /// The run is over.
    Stop,
    /// JavaScript is gone, and the run with it.
    Abandon,
}

/// A started worker's streams, for the I/O thread.
#[derive(Debug)]
pub(crate) struct Served {
    slot: usize,
    worker: u32,
    pid: u32,
    token: String,
    control: Stream,
    channel: Stream,
    writer: Arc<NodeChannel>,
    exit: oneshot::Receiver<Exit>,
    relay: Option<Relay>,
}

/// What is known when a worker has ended.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) worker: u32,
    pub(crate) exit: Exit,
    pub(crate) reached: Reached,
    pub(crate) timed_out: bool,
    /// It ran an event, or was asked to go.
    pub(crate) proven: bool,
    /// Ends in a row that were not proven, this one included.
    pub(crate) failures: u32,
    pub(crate) said: Said,
    pub(crate) search: Box<Search>,
    /// What it last wrote to its error stream, as far as that is known.
    pub(crate) stderr: String,
    pub(crate) deadline: Duration,
}

/// What follows from an ending.
#[derive(Debug)]
pub(crate) enum Verdict {
    Restart(Duration),
    Retire(Error),
}

/// Whether another worker takes the place of one that ended while the run goes on.
pub(crate) fn judge(ending: Ending) -> Verdict {
    let Ending {
        worker,
        exit,
        reached,
        timed_out,
        proven,
        failures,
        said,
        search,
        stderr,
        deadline,
    } = ending;
    if timed_out {
        let milliseconds = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        return Verdict::Retire(if reached == Reached::Nothing {
            Error::NotLoaded { worker, milliseconds, stderr }
        } else {
            Error::StartTimeout { worker, milliseconds, search }
        });
    }
    if proven || failures < ATTEMPTS {
        let delay = if failures > 1 { BACKOFF * (failures - 1) } else { Duration::ZERO };
        return Verdict::Restart(delay);
    }
    Verdict::Retire(if reached == Reached::Call {
        Error::CrashLoop { worker, exit, said }
    } else {
        Error::StartExit { worker, exit, attempts: failures, said, search, stderr }
    })
}

/// A process that was started, as JavaScript needs to know it.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) worker: u32,
    pub(crate) pid: u32,
    /// The worker's descriptor and this process's end of the pipe, which is the caller's now.
    pub(crate) pipes: Vec<(usize, i32)>,
}

/// What to make of an error where memory was to be mapped that processes share.
pub(crate) fn mapping() -> impl FnOnce(io::Error) -> io::Error {
    tried(Step::Resource, "mapping shared memory", "mmap")
}

/// Starts a worker in `slot`, from whichever thread, and has the I/O thread listen to it. With
/// `announce` JavaScript is told by a note.
pub(crate) fn start(pool: &Pool, slot: usize, announce: bool) -> Result<Started, Error> {
    let launch = &pool.launch;
    let worker = launch.workers[slot];
    let failed =
        |source: io::Error| Error::Spawn { worker, program: launch.recipe.program.clone(), source };
    let wires = socket::wires(Layout::LEN).map_err(failed)?;
    let token = socket::token()
        .map_err(tried(Step::Resource, "taking random bytes", "getrandom"))
        .map_err(failed)?;
    let memory = Arc::new(Memory::of(&wires.memory).map_err(mapping()).map_err(failed)?);
    let first = i32::try_from(launch.recipe.stdio.len().max(3)).unwrap_or(3);
    stopwatch::reset(&memory);
    let invitation = Invitation {
        version: VERSION,
        run: launch.run,
        call: launch.call.clone(),
        worker,
        control: first + 1,
        memory: first + 2,
        backlog: first + 3,
        place: u32::try_from(slot).expect("fewer places than ids"),
        serialization: launch.serialization.clone(),
        times: launch.limits.task_timeout.is_some()
            || launch.retries.is_some()
            || launch.record != Level::Counts
            || launch.shows_workers,
        shares_terminal: launch.shares_terminal,
        max_tasks: launch.limits.max_tasks,
        parent: std::process::id(),
        token: token.clone(),
    };
    let mut recipe = launch.recipe.clone();
    recipe.args.splice(0..0, launch.node_args[slot].iter().cloned());
    let is_relayed = relay_stderr(pool, slot, &mut recipe);
    let invitation = serde_json::to_string(&invitation).expect("plain data is serialisable");
    recipe.env.extend([
        ("NODE_UNIQUE_ID".to_owned(), worker.to_string()),
        ("NODE_CHANNEL_FD".to_owned(), first.to_string()),
        ("NODE_CHANNEL_SERIALIZATION_MODE".to_owned(), "json".to_owned()),
        (VARIABLE.to_owned(), invitation),
    ]);
    let extra = vec![
        (wires.theirs.channel, first),
        (wires.theirs.control, first + 1),
        (wires.theirs.memory, first + 2),
        (pool.backlog().map_err(failed)?, first + 3),
    ];
    let control = wires.control.try_clone().map_err(failed)?;
    let writer = wires.channel.try_clone().map_err(failed)?;
    let writer = Arc::new(NodeChannel::new(writer));
    let (child, mut pipes) = Child::spawn(&recipe, extra).map_err(failed)?;
    let theirs = if is_relayed { take_pipe(&mut pipes, STDERR) } else { None };
    let relay = theirs.map(Relay::begin).transpose().map_err(|error| {
        child.discard();
        failed(error)
    })?;
    let (ended, exit) = oneshot::channel();
    // The receiver is gone only when the whole run is.
    let on_exit = move |exit| {
        let _ = ended.send(exit);
    };
    if let Err(error) = child.on_exit(on_exit) {
        child.discard();
        return Err(failed(error));
    }
    let pid = child.pid();
    debug!(worker, pid, "worker started");
    let number = |(at, pipe)| Ok((at, descriptor(pipe)?));
    let pipes: io::Result<Vec<(usize, i32)>> = pipes.into_iter().map(number).collect();
    let pipes = pipes.map_err(|error| {
        child.discard();
        failed(error)
    })?;
    let fork = announce.then(|| Note::Fork { worker, pid, pipes: pipes.clone() });
    let link = Link::new(Box::new(child), wires.control, Arc::clone(&writer), memory);
    pool.started(slot, link, fork);
    let channel = wires.channel;
    let served = Served { slot, worker, pid, token, control, channel, writer, exit, relay };
    // The I/O thread outlives every worker; when it is gone, so is the pool.
    let _ = pool.commands.send(Command::Serve(Box::new(served)));
    Ok(Started { worker, pid, pipes })
}

/// A process's error stream.
const STDERR: usize = 2;

/// Has a worker's error stream pass through this process, if the one before it died before it could say why. The first
/// one has this process's own stream, and so has every one that comes up at once.
fn relay_stderr(pool: &Pool, slot: usize, recipe: &mut Recipe) -> bool {
    match recipe.stdio.get_mut(STDERR) {
        Some(stream @ child::Stream::Inherit) if pool.is_unheard(slot) => {
            *stream = child::Stream::Pipe;
            true
        }
        _ => false,
    }
}

/// Takes this process's end of the pipe to one of a worker's descriptors.
fn take_pipe(pipes: &mut Pipes, descriptor: usize) -> Option<Handle> {
    let at = pipes.iter().position(|(at, _)| *at == descriptor)?;
    Some(pipes.swap_remove(at).1)
}

/// Starts a worker in `slot` when the run begins. None if the machine has none to spare now: then the I/O
/// thread tries again.
pub(crate) fn start_first(pool: &Pool, slot: usize) -> Result<Option<Started>, Error> {
    match start(pool, slot, false) {
        Err(error) if error.is_shortage() => {
            // The I/O thread has just been started, and ends with the run.
            let _ = pool.commands.send(Command::Start { slot, delay: SHORTAGE_DELAY });
            Ok(None)
        }
        started => {
            if started.is_err() {
                // The call rejects: this and the others are never started.
                (slot..pool.launch.workers.len()).for_each(|slot| pool.not_needed(slot));
            }
            started.map(Some)
        }
    }
}

/// Starts the I/O thread of a run.
pub(crate) fn run(
    pool: Arc<Pool>,
    commands: mpsc::UnboundedReceiver<Command>,
) -> io::Result<thread::JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(
        tried(Step::Resource, "preparing to wait for workers", "epoll_create1, eventfd"),
    )?;
    thread::Builder::new()
        .name("sonic-io".into())
        .spawn(move || runtime.block_on(obey(pool, commands)))
        .map_err(tried(Step::Resource, "starting a thread", "clone"))
}

async fn obey(pool: Arc<Pool>, mut commands: mpsc::UnboundedReceiver<Command>) {
    pool.watch_kills();
    looks::begin(&pool);
    while let Some(command) = commands.recv().await {
        match command {
            Command::Serve(served) => {
                tokio::spawn(listen(Arc::clone(&pool), served));
            }
            Command::Start { slot, delay } => {
                tokio::spawn(restart(Arc::clone(&pool), slot, delay));
            }
            Command::Watch => {
                tokio::spawn(repeat(Arc::clone(&pool), WATCH, Pool::watched));
            }
            Command::Poll => {
                tokio::spawn(repeat(Arc::clone(&pool), POLL, Pool::polled));
            }
            Command::Rest { task, again } => {
                let pool = Arc::clone(&pool);
                tokio::spawn(async move {
                    let delay = Duration::try_from_secs_f64(again.delay / 1e3);
                    sleep(delay.unwrap_or_default()).await;
                    pool.rested(task, again.after);
                });
            }
            Command::EndLater => {
                let pool = Arc::clone(&pool);
                tokio::spawn(async move {
                    tokio::time::sleep(pool.launch.stop_grace).await;
                    pool.kill_all();
                });
            }
            Command::EndLingering { slot, pid } => {
                tokio::spawn(looks::end_lingering(Arc::clone(&pool), slot, pid));
            }
            Command::Stop => break,
            Command::Abandon => {
                pool.abandon();
                break;
            }
        }
    }
}

/// Does this after each such pause, until it is false.
async fn repeat(pool: Arc<Pool>, pause: Duration, act: fn(&Pool) -> bool) {
    loop {
        sleep(pause).await;
        if !act(&pool) {
            break;
        }
    }
}

/// Starts a worker after `delay`, and again after longer ones as long as the machine has no process to
/// spare, a few times.
async fn restart(pool: Arc<Pool>, slot: usize, mut delay: Duration) {
    let delays = (0..SHORTAGE_ATTEMPTS).map(|attempt| SHORTAGE_DELAY * 2_u32.pow(attempt));
    for next in delays.map(Some).chain([None]) {
        pause(&pool, delay).await;
        if pool.is_released() {
            pool.not_needed(slot);
            return;
        }
        let Err(error) = start(&pool, slot, true) else { return };
        warn!(%error, "restart failed");
        match next {
            Some(next) if error.is_shortage() => delay = next,
            _ => {
                pool.not_started(slot, &error);
                return;
            }
        }
    }
}

/// Waits for so long, or until there is nothing to wait for.
async fn pause(pool: &Pool, delay: Duration) {
    let end = Instant::now() + delay;
    while !delay.is_zero() && Instant::now() < end && !pool.is_released() {
        sleep_until(end.min(Instant::now() + SHORTAGE_DELAY)).await;
    }
}

/// What a start may take before the program is told that it is slow, if it is told anything.
fn slow_start(launch: &Launch) -> Option<Duration> {
    let hint = launch.limits.hint.map(u64::from).map(Duration::from_millis);
    hint.map(|hint| hint.min(SLOW_START))
}

/// Listens to one worker until it has ended and everything it said is heard.
async fn listen(pool: Arc<Pool>, served: Box<Served>) {
    let Served { slot, worker, pid, token, control, channel, writer, exit, relay } = *served;
    let (Ok(control), Ok(channel)) = (Polled::from_std(control), Polled::from_std(channel)) else {
        // Without a descriptor to poll nothing can be heard: end it, and learn how it ended.
        pool.kill(slot);
        let exit = exit.await.unwrap_or(Exit::Unknown);
        pool.ended(slot, exit, false);
        return;
    };
    let mut control = Control {
        pool: &pool,
        slot,
        worker,
        pid,
        started: Instant::now(),
        token,
        stream: control,
        decoder: Decoder::default(),
        torn: None,
        greeted: false,
        foreigner: None,
        registered: false,
        open: true,
    };
    let mut node = Channel::new(&pool, slot, channel, writer);
    let deadline = control.started + pool.launch.deadline;
    let mut timed_out = false;
    let mut slow = slow_start(&pool.launch).map(|after| control.started + after);
    let mut linger = None;
    tokio::pin!(exit);
    let exit = loop {
        tokio::select! {
            // What was said comes before how it ended.
            biased;
            ready = control.stream.readable(), if control.open => {
                if ready.is_err() || control.read(Receive::WhenReady) == Heard::End {
                    control.open = false;
                    linger = Some(Instant::now() + LINGER);
                }
            }
            ready = node.stream.readable(), if node.open && !node.is_unheard => {
                if ready.is_err() || node.read(Receive::WhenReady) == Heard::End {
                    node.open = false;
                    pool.disconnected(slot);
                }
                node.is_unheard = pool.has_many_notes();
            }
            () = sleep(UNHEARD_PAUSE), if node.is_unheard => {
                node.is_unheard = pool.has_many_notes();
            }
            () = node.writer.is_full.notified(), if node.open && !node.is_full => {
                node.is_full = true;
            }
            ready = node.stream.writable(), if node.open && node.is_full => {
                node.is_full = ready.is_ok() && node.write_rest();
            }
            exit = &mut exit => break exit.unwrap_or(Exit::Unknown),
            () = sleep_until(deadline), if !control.registered && !timed_out => {
                // Also in a run that is over: a worker that never comes up must not outlive it.
                timed_out = true;
                pool.kill(slot);
            }
            () = sleep_until(slow.unwrap_or(deadline)), if slow.is_some() && !control.registered => {
                slow = None;
                pool.searches_long(slot);
            }
            () = sleep_until(control.torn.unwrap_or(deadline)), if control.torn.is_some() => {
                control.reject("it sent a part of a frame, and no more".into());
                control.open = false;
                control.torn = None;
            }
            () = sleep_until(linger.unwrap_or(deadline)), if linger.is_some() => {
                linger = None;
                if !pool.is_released() {
                    pool.kill(slot);
                }
            }
        }
    };
    // What is in the streams by now may be news to the runtime.
    let is_over =
        |heard| heard == Heard::End || (heard == Heard::Nothing && socket::NOTHING_IS_NOTHING);
    let mut reads = 0..MOST_READS;
    while control.open
        && reads.next().is_some()
        && socket::settle(&control.stream).await
        && !is_over(control.read(Receive::Now))
    {}
    let mut reads = 0..MOST_READS;
    while node.open
        && reads.next().is_some()
        && socket::settle(&node.stream).await
        && !is_over(node.read(Receive::Now))
    {}
    if node.open {
        pool.disconnected(slot);
    }
    if let Some(relay) = relay {
        pool.wrote(slot, relay.end().await);
    }
    pool.ended(slot, exit, timed_out);
}

/// How what a stream holds is read, without waiting for more.
#[derive(Debug, Clone, Copy)]
enum Receive {
    /// If the runtime knows that there is something.
    WhenReady,
    /// Whatever it knows.
    Now,
}

impl Receive {
    fn receive(self, stream: &Polled, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::WhenReady => stream.try_read(bytes),
            Self::Now => socket::receive_now(stream, bytes),
        }
    }

    /// The same, and the process that sent it where the system says so.
    fn receive_from(self, stream: &Polled, bytes: &mut [u8]) -> io::Result<(usize, Option<u32>)> {
        match self {
            Self::WhenReady => {
                stream.try_io(Interest::READABLE, || socket::receive_from(stream, bytes))
            }
            Self::Now => socket::receive_from(stream, bytes),
        }
    }
}

/// What a look at a stream brought.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Something,
    Nothing,
    End,
}

impl Heard {
    fn of(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::WouldBlock { Self::Nothing } else { Self::End }
    }
}

struct Control<'a> {
    pool: &'a Pool,
    slot: usize,
    worker: u32,
    pid: u32,
    started: Instant,
    token: String,
    stream: Polled,
    decoder: Decoder,
    /// A frame has come in part, and the rest has to by then.
    torn: Option<Instant>,
    greeted: bool,
    /// Another process than the one that was started has sent something.
    foreigner: Option<u32>,
    registered: bool,
    open: bool,
}

impl Control<'_> {
    /// Reads what is there. A peer that is no worker of ours is heard to the end with that.
    fn read(&mut self, receive: Receive) -> Heard {
        let mut bytes = [0; 4096];
        match self.receive(receive, &mut bytes) {
            Ok(0) => {
                self.torn = None;
                if let Err(malformed) = self.decoder.finish() {
                    self.pool.uncaught(self.slot, malformed.to_string());
                }
                return Heard::End;
            }
            Ok(count) => self.decoder.feed(&bytes[..count]),
            Err(error) => return Heard::of(&error),
        }
        let mut rang = false;
        loop {
            let heard = match self.decoder.next() {
                Ok(Some(frame)) => {
                    self.torn = None;
                    Message::decode(&frame).and_then(|message| self.hear(message))
                }
                Ok(None) => break,
                Err(malformed) => Err(malformed.to_string()),
            };
            match heard {
                Ok(rings) => rang |= rings,
                Err(what) => {
                    self.reject(what);
                    return Heard::End;
                }
            }
        }
        if self.torn.is_none() && self.decoder.finish().is_err() {
            self.torn = Some(Instant::now() + TORN);
        }
        if rang {
            self.pool.rang();
        }
        Heard::Something
    }

    /// Until the worker has said who it is, who sends is looked at too.
    fn receive(&mut self, receive: Receive, bytes: &mut [u8]) -> io::Result<usize> {
        if self.greeted {
            return receive.receive(&self.stream, bytes);
        }
        let (count, sender) = receive.receive_from(&self.stream, bytes)?;
        self.foreigner = self.foreigner.or(sender.filter(|&pid| pid != self.pid));
        Ok(count)
    }

    /// True if the rings should be looked at; what is wrong with a peer that would not say this.
    fn hear(&mut self, message: Message) -> Result<bool, String> {
        match message {
            Message::Hello(_) if self.greeted => return Err("it said twice who it is".into()),
            Message::Hello(hello) => self.greet(&hello)?,
            _ if !self.greeted => return Err("it spoke before it said who it is".into()),
            Message::Bell => return Ok(true),
            Message::Registered if self.registered => {
                return Err("it registered twice".into());
            }
            Message::Registered => {
                self.registered = true;
                self.pool.registered(self.slot);
                self.look_at_start();
            }
            Message::Refused(refusal) => {
                let error = Error::Refused {
                    worker: self.worker,
                    name: refusal.name,
                    code: refusal.code,
                    message: refusal.message,
                };
                self.pool.refused(&error);
            }
            Message::Uncaught(words) => self.pool.uncaught(self.slot, words),
            Message::Passed(call) => self.pool.passed(self.slot, call),
            Message::Exiting(words) => self.pool.exits(self.slot, words),
            Message::Release | Message::Ping => {
                return Err("it sent what only a master sends".into());
            }
        }
        Ok(false)
    }

    /// Has the program told if this start was slow.
    fn look_at_start(&self) {
        let took = self.started.elapsed();
        if slow_start(&self.pool.launch).is_some_and(|after| took >= after) {
            self.pool.started_slowly(self.slot, took.as_secs_f64());
        }
    }

    fn greet(&mut self, hello: &Hello) -> Result<(), String> {
        if hello.version != VERSION {
            return Err(format!("it is of version {}, not {VERSION}", hello.version));
        }
        if hello.token != self.token || hello.pid != self.pid || self.foreigner.is_some() {
            return Err("it is not the process that was started".into());
        }
        self.greeted = true;
        self.pool.joined(self.slot);
        // It only costs time from now on.
        let _ = socket::tell_senders(&self.stream, false);
        Ok(())
    }

    fn reject(&mut self, what: String) {
        let error = Error::Protocol { worker: self.worker, what };
        self.pool.uncaught(self.slot, error.to_string());
        self.pool.kill(self.slot);
    }
}

struct Channel<'a> {
    pool: &'a Pool,
    slot: usize,
    worker: u32,
    stream: Polled,
    writer: Arc<NodeChannel>,
    lines: Lines,
    /// Something waits for room.
    is_full: bool,
    /// JavaScript has yet to hear what was read.
    is_unheard: bool,
    /// How many bytes of replies the worker may not have read.
    unread: usize,
    open: bool,
}

impl<'a> Channel<'a> {
    fn new(pool: &'a Pool, slot: usize, stream: Polled, writer: Arc<NodeChannel>) -> Self {
        Self {
            pool,
            slot,
            worker: pool.launch.workers[slot],
            stream,
            writer,
            lines: Lines::default(),
            is_full: false,
            is_unheard: false,
            unread: 0,
            open: true,
        }
    }
}

impl Channel<'_> {
    /// Reads what is there.
    fn read(&mut self, receive: Receive) -> Heard {
        let mut bytes = [0; 8192];
        match receive.receive(&self.stream, &mut bytes) {
            Ok(0) => return Heard::End,
            Ok(count) => self.lines.feed(&bytes[..count]),
            Err(error) => return Heard::of(&error),
        }
        loop {
            match self.lines.next() {
                Ok(Some(line)) if self.hear(&line) => {}
                Ok(None) => return Heard::Something,
                Ok(Some(_)) | Err(_) => {
                    let what = "what it sent on Node's channel is no message of Node's".to_owned();
                    let error = Error::Protocol { worker: self.worker, what };
                    self.pool.uncaught(self.slot, error.to_string());
                    self.pool.kill(self.slot);
                    return Heard::End;
                }
            }
        }
    }

    /// False if that is nothing that Node says.
    fn hear(&mut self, line: &[u8]) -> bool {
        let worker = self.worker;
        match channel::interpret(line) {
            channel::Said::Online => self.pool.note(Note::Online { worker }),
            channel::Said::Listening(text) => self.pool.note(Note::Listening { worker, text }),
            channel::Said::Leaving { reply } => {
                self.pool.note(Note::Leaving { worker });
                return self.reply(&reply);
            }
            channel::Said::Asked { reply } => return self.reply(&reply),
            channel::Said::Message(text) => self.pool.note(Note::Message { worker, text }),
            channel::Said::Nothing => {}
            channel::Said::Garbage => return false,
        }
        true
    }

    /// False if the worker goes on asking, and does not read.
    fn reply(&mut self, line: &str) -> bool {
        if self.writer.is_sent() {
            self.unread = 0;
        }
        self.unread += line.len();
        // A closed channel shows when it is read.
        let _ = self.writer.send(line);
        self.unread <= MAX_UNREAD
    }

    /// Sends what waited for room. True if some still does.
    fn write_rest(&self) -> bool {
        let sent = self.stream.try_io(Interest::WRITABLE, || self.writer.send_rest());
        sent.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

// They play the other side with a socket.
#[cfg(all(test, unix))]
mod tests;
