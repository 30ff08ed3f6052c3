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
//! **Layers**, each knowing only those before it: `clock`, `memory`, `format`, `frame`, `channel`,
//! `note`, `limits`, `scheduler`, `host`, `terminal`, `tree`, `cgroup`, `tried` → `socket` → `child` → `store`, `error`, `retry`
//! → `ring`, `results` → `protocol` → `stopwatch`, `tail`, `relay`, `tally`, `record` → `link` → `task` → `backlog`, `stream`, `trace` →
//! `worker`, `pool` with `supervisor` → `runner`, `progress` → `screen` → `binding`, which alone knows Node-API. (A test
//! reads this paragraph.)
//!
//! **Systems.** What Linux, macOS and Windows do each in its own way is in a file of that name below the module that
//! needs it: `socket` (streams, memory, who sends), `child` (how processes start and end, and what becomes of a worker
//! whose master ends), `tree` (the list of processes; on Windows a job has them), `terminal`; `memory`, `clock` and `host`
//! have it inside. What only one has yields "not known" on the others, or nothing. A test sees to it that no other
//! module asks for a system.
//!
//! **Invariants.** An event that was handed over ends once: answered, or failed with a reason. No
//! event is on two workers. No worker is idle while an event waits that it could take, for
//! longer than it takes to see that whoever was woken for it, was given it, or has claimed it and not read it, does not
//! come. An answer is known within five milliseconds. Nothing that JavaScript
//! writes is trusted to be well-formed beyond this process: positions, lengths and indices from a
//! worker are checked.

#![cfg_attr(test, allow(dead_code, reason = "napi exports nothing into a test binary"))]

mod backlog;
mod binding;
mod cgroup;
mod channel;
mod child;
mod clock;
mod error;
mod format;
mod frame;
mod host;
mod limits;
mod link;
mod memory;
mod note;
mod pool;
mod progress;
mod protocol;
mod record;
mod relay;
mod results;
mod retry;
mod ring;
mod runner;
mod scheduler;
mod screen;
mod socket;
mod stopwatch;
mod store;
mod stream;
mod supervisor;
mod tail;
mod tally;
mod task;
mod terminal;
#[cfg(test)]
mod tests;
mod trace;
mod tree;
mod tried;
mod worker;
