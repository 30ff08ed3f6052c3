//! The core of `@tiemma/sonic-distribute`: a pool of Node.js processes that re-run one program.
//!
//! ```text
//!  master process                                     worker process (one of n)
//!  JavaScript thread      I/O thread                  I/O thread         JavaScript thread
//!  lib/run.js             supervisor                  worker             lib/worker.js
//!     |                       |                           |                   |
//!     | ==== backlog ===========================================================> claims, runs
//!     v                       v                           v                   |
//!  [ pool: scheduler, tasks, results ] <============ answer ring ============ answers
//!     ^   under one lock      |        == task ring ====> | ================> (for it alone)
//!     |                       | <------- control socket ----> | (bells, end of file)
//!     |                       | <------- Node's own channel ----------------> process.send
//! ```
//!
//! **Data plane.** Events wait in one [`backlog`], in memory that the master and all workers share;
//! a worker that is free claims the next one itself, by a compare-and-swap that says who has it. So
//! events start in the order in which they came, whoever is free first takes the next, and nobody
//! holds what he does not run: events that wait for each other meet as long as there are workers
//! enough. Answers come back through a ring that each worker has of its own ([`ring`]). What a killed
//! worker had claimed and what it had answered both stand in that memory, whole: that is why a crash
//! costs exactly the event that ran. The control socket is only a doorbell.
//!
//! **Who rings.** An answer must be known whatever its worker does next, and its JavaScript thread may be busy for
//! seconds then. So it rings for an answer as soon as that is published, before it runs anything else; but where events
//! are short that would cost more than they do. After answers to short events the master therefore polls the rings every
//! few milliseconds, and says so in a word that each worker reads after each answer: a worker that is polled rings only
//! when it pauses. When a poll finds nothing new the master takes the word back, *then* looks once more: an answer
//! is either seen by that look, or its worker has seen the word. Where nothing is answered nobody polls.
//!
//! **Control.** Whoever has something to do locks the [`pool`] and does it: the JavaScript thread
//! that wakes a sleeping worker, or the I/O thread that a worker rang. The [`scheduler`] decides,
//! purely; the pool's state acts; the [`supervisor`] listens, restarts and gives up.
//!
//! **Layers.** Each folder knows only those above it in this table. (A test reads it.)
//!
//! | folder | what lives there |
//! |---|---|
//! | `os` | what the system does, a file per system where they differ: shared memory, processes, sockets, clock, terminal |
//! | `wire` | the protocol, the layout of shared words, frames, formats |
//! | `shm` | rings and stores of bytes in shared memory |
//! | `core` | decisions, pure: scheduler, retries, order |
//! | `observe` | record, trace, progress |
//! | `run` | what belongs to one run: events and results |
//! | `queue` | events that wait, in memory that all workers share |
//! | `pool` | the lock, and everything that is done under it |
//! | `io` | the I/O thread: starts workers, listens, ends them |
//! | `worker` | the worker's half |
//! | `binding` | Node-API: convert in, call, convert out |
//!
//! **Invariants.** An event that was handed over ends once: answered, or failed with a reason. No
//! event is on two workers. No worker is idle while an event waits that it could take, for
//! longer than it takes to see that whoever was woken for it, was given it, or has claimed it and not read it, does not
//! come. An answer is known within five milliseconds. Nothing that JavaScript
//! writes is trusted to be well-formed beyond this process: positions, lengths and indices from a
//! worker are checked.

#![cfg_attr(test, allow(dead_code, reason = "napi exports nothing into a test binary"))]

mod binding;
mod core;
mod io;
mod observe;
mod os;
mod pool;
mod queue;
mod run;
mod shm;
#[cfg(test)]
mod tests;
mod wire;
mod worker;
