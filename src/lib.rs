//! The core of `@tiemma/sonic-distribute`: pools of Node.js processes that re-run one program.
//!
//! ```text
//!  master process                                     worker process (one of n)
//!  JavaScript thread      I/O thread                  I/O thread         JavaScript thread
//!  lib/master             io                          worker::join       lib/worker, worker::runner
//!     |                       |                           |                   |
//!     | ==== lanes ============================================================> claims, runs
//!     v                       v                           v                   |
//!  [ pool: workers, runs ] <===================== answer ring ============ answers
//!     ^   under one lock      |        == task ring ====> | ================> (for it alone)
//!     |                       | <------- control socket ----> | (wake-ups, end of file)
//!     |                       | <------- Node's own channel ----------------> process.send
//! ```
//!
//! **Pools and runs.** A [`pool`] has workers: slots, processes, connections, lanes. It serves any number of [`run`]s, at once
//! and one after another; a run has its events, results, failures, retries and record. `MapReduce` is a pool with one run.
//! Of a pool that stays (`createPool`), each worker is told through its task ring what a run is about before it runs any of
//! its events, and that the run is over; the calls of one kind are events of one run, whose entries have their numbers.
//! Such a pool may have an event in each worker, that waits for its turn there ([`each`](pool::each)), and may grow and shrink
//! ([`resize`](pool::resize)): a slot is closed when its worker was one too many, and is the first to be used again.
//!
//! **Data.** Events wait in [lanes](queue), in memory that the master and all workers share. A worker that is free claims
//! the next one itself, by a compare-and-swap that says who has it. So events of a run start in the order in which they
//! came, on whichever worker is free first, and no worker holds what it does not run: events that wait for each other meet
//! as long as there are enough workers. Events that come back (retries, and what was taken from a worker) go into a lane of
//! their own, which all workers try first. Answers come back through a [ring](shm::ring) that each worker has of its own.
//! What a killed worker had claimed and answered stands in that memory, whole. That is why a crash costs exactly the events
//! that ran. The control socket carries wake-ups only.
//!
//! **Several at once.** A worker runs as many events at once as its group says. Those of a worker that crashes may all be why:
//! each that is tried again runs with no other beside it. One that is late, or whose run is stopped, ends beside the others
//! (`pool::abandon`): the master is done with it, and its worker claims nothing more until it is too. What an event adds to
//! its run (`pool::note`) is written before its answer, and holds with that alone.
//!
//! **Tags, keys, priorities.** Workers may differ: each belongs to a group. An event that names its workers waits in the master,
//! by address ([`core::router`]); a few of each address at a time are in the last lane, whose entries say who may claim them.
//! So does one with a priority: its entry says that too, and a worker claims the highest. Everything else about them is as about
//! others. Where tags alone say that, and are the same for all events of a run, of a chain or of a flow's node, these have a lane
//! of their own (`pool::tagged`), and cost no more than events without tags: a word of each lane says which groups may claim
//! there. One that comes back is the router's. A worker of an exclusive group claims in no lane for events without tags.
//!
//! **Shares.** Runs that are as urgent share the workers by the time that their events have run, over their weights
//! ([`core::share`]). The master keeps the account, and writes into a word of each lane how far its runs are; workers claim
//! in the lane that is least far. The word may be some events behind, the account never is.
//!
//! **Locks.** Locks, counters and what else the processes of a program share ([`sync`]) belong to no pool. Counters, and locks that
//! nobody waits for, are words in memory that all of them have ([`shm::common`]). Every other question goes through the
//! worker's answer ring to the hub, under its pool's lock, and the answer comes through the task ring, of whichever worker
//! it is for. A lock is freed when the exit of its holder is known, never earlier.
//!
//! **Flows.** A run's events may go through a graph of nodes, each with a function, tags and rules of its own. Its plan says where
//! what leaves a node goes; master and workers have the same. An event's flags name the node that it enters; nodes that may run in
//! the same event do so. What an event makes comes with its answer ([`wire::flow`]) and counts when that is taken in
//! (`pool::flow`), all of it or nothing: each item becomes an event of the next node, or an entry at a sink, and passes as bytes.
//! How far the nodes have come is a matter of counts ([`core::flow`]): one that waits for all opens when what is before it has
//! ended, well or not, and nothing of it is on its way; then what it holds is one event, or the master's JavaScript reduces it.
//! Events wait in a queue of each node ([`run::flow`]) and are handed out from the end of the flow on, as many as those behind
//! have room for what they make; the source has credit by the same rule, and a stream's reader that is behind holds up what leads
//! to sinks.
//!
//! **Shuffles.** Pairs that are to meet by key go from worker to worker through files ([`spill`]). The event that makes them
//! appends them to its worker's file, sorted, and its answer says where: what no answer tells of does not exist. The master keeps
//! the extents of each partition, and has workers merge them where there are too many for one event to read.
//!
//! **Checkpoints.** A run may have its answers written to a [file](checkpoint), by the number of their events among those that the
//! program hands over, before anybody hears of them. Begun again, it hands the same events over, and each whose answer is there
//! ends at once (`pool::checkpoint`).
//!
//! **Decisions.** Everything that happens is one closed [`Event`](core::event::Event); the pure [`core`] answers with
//! [`Effect`](core::event::Effect)s. How far a worker or a run has come is one enum each
//! ([`lifecycle`](core::lifecycle)). Whoever has something to do locks the pool and does it: the JavaScript thread or the
//! I/O thread. The pool turns frames into events and effects into writes; what has to wait, it orders from [`io`].
//!
//! **Notices.** An answer must be known whatever its worker does next, and its JavaScript thread may be busy for seconds
//! then. So a worker notifies the master of each answer as soon as that is published, before it runs anything else. Where
//! events are short that would cost more than they do: then the master polls the rings every few milliseconds, and says so
//! in a word that each worker reads after each answer. When a poll finds nothing new the master takes the word back, *then*
//! looks once more: either that look sees an answer, or its worker has seen the word. A worker whose last notice the master
//! has not heard does not notify again: the master looks at everything after it has heard one. Where events run about a
//! millisecond, and where a pool's call is awaited, the JavaScript thread itself waits for workers, while nothing else is to
//! be done ([`Pool::listen_for_credit`](pool::Pool::listen_for_credit)).
//!
//! **Wake-ups.** A worker that finds nothing to claim parks; one is woken for each event that waits. Where there are more
//! workers than processors and events take less time than a wake-up, the others stay parked as long as those that are awake
//! keep claiming: they would only take the processors from them, and from the master.
//!
//! # Paths
//!
//! **An event.** `lib/master/input.js` calls `put`; [`queue::writer`] publishes it, and [`pool`] wakes a parked worker
//! (`wake::wake_parked`). [`queue::claimer`] claims it there; [`worker::runner`] has JavaScript run it and publishes the
//! answer. [`io::control`](io) hears the notice; `pool::collect` scans the claims and reads the ring; the scheduler learns
//! `Claimed` and `Answered`; the run delivers an entry; `pool::credit` gives new credit and calls JavaScript.
//!
//! **A spawn.** `pool_spawn`, or [`Order::Start`](pool::order::Order), runs [`io::spawn`]: process, wires, invitation.
//! `Pool::started` stores the connection: `Event::Started`, the worker is *booting*. `io::listen` follows it. Its hello says
//! that it loaded this package (`Pool::joined`); at its call it registers: `Event::Registered`, it is *ready*, and what waited
//! for it alone is given to it. In a pool that stays it claims nothing before it has run what `each` keeps (`State::prepare`).
//!
//! **A crash.** The exit is known (`os::child`); `io::listen` reads what is left in the streams and calls `Pool::exited`
//! (`pool::exit`). It collects the last claims and answers, and takes back what the worker had not started.
//! `Event::Exited`: what had not started goes back into the first lane, what ran fails or is tried again (`pool::fail`); the
//! slot is *empty*. [`core::verdict`] decides: `Order::Start` after a delay, or `Event::Closed` and the slot is *closed*.
//!
//! **A shutdown.** `pool_release`: the runs end, `Event::Released` for each slot. Workers claim nothing more
//! (`Effect::Withhold`) and are told (`Effect::Release`): they are *leaving*, and exit when their event loop is empty.
//! `Order::EndLingering` kills a worker that is still there after its grace: it is *dying*. With the last exit the pool
//! closes, JavaScript is told, and `Order::Stop` ends the I/O thread.
//!
//! # Layers
//!
//! Each folder knows only those above it in this table. (A test reads it.)
//!
//! | folder | what lives there |
//! |---|---|
//! | `os` | what the system does, a file per system where they differ: shared memory, processes, sockets, clock, terminal |
//! | `spill` | sorted files of a shuffle: written by workers, merged by workers |
//! | `wire` | the protocol, the layout of shared words, frames, formats |
//! | `shm` | rings and stores of bytes in shared memory |
//! | `checkpoint` | what a run has answered, in a file that the same run reads when it begins again |
//! | `core` | decisions, pure: scheduler, lifecycles, retries, verdicts |
//! | `observe` | record, trace, progress |
//! | `run` | what belongs to one run: results, failures, order, record |
//! | `queue` | lanes: events that wait, in memory that all workers share |
//! | `sync` | the hub: locks and what else all processes of a program share, for all pools |
//! | `pool` | the lock, and everything that is done under it |
//! | `io` | the I/O thread: starts workers, listens, ends them |
//! | `worker` | the worker's half |
//! | `binding` | Node-API: convert in, call, convert out |
//!
//! `core` needs exits and clock readings of `os` as plain values, so `os` is the first; it knows nothing of what it is used
//! for.
//!
//! # Invariants
//!
//! An event that was handed over ends once: answered, or failed with a reason. No event is on two workers, unless it was
//! abandoned on one of them, nor on one that it does not name. No worker is idle while an event waits that it could take, for
//! longer than it takes to see that a worker does not come that was woken for it or has claimed it and not read it. An answer
//! is known within five milliseconds. An item of a flow reaches each target of its exit once; what an event cannot have made, by
//! the plan, costs that event alone; and no node takes in without end what those behind it do not. Nothing that JavaScript writes is trusted to be well-formed beyond its process:
//! positions, lengths and indices from a worker are checked, and what the master must be able to rely on is in private memory.

#![cfg_attr(test, allow(dead_code, reason = "napi exports nothing into a test binary"))]

mod binding;
mod checkpoint;
mod core;
mod io;
mod observe;
mod os;
mod pool;
mod queue;
mod run;
mod shm;
mod spill;
mod sync;
#[cfg(test)]
mod tests;
mod wire;
mod worker;
