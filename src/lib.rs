//! The core of `@tiemma/sonic-distribute`: a pool of Node.js processes that re-run one program.
//!
//! ```text
//!  master process                                     worker process (one of n)
//!  JavaScript thread      I/O thread                  I/O thread         JavaScript thread
//!  lib/run.js             supervisor                  worker             lib/worker.js
//!     | staging ring          |                           |                   |
//!     v                       v                           v                   v
//!  [ pool: scheduler, tasks, results ] == task ring ====================> claims, runs
//!     ^   under one lock      |        <= answer ring =================== answers
//!     |                       | <------- control socket ----> | (bells, end of file)
//!     |                       | <------- Node's own channel ----------------> process.send
//! ```
//!
//! **Data plane.** Events go out and answers come back through rings in memory that the two
//! processes share ([`ring`], laid out in [`protocol`]); the control socket is only a doorbell. What
//! a killed worker had published is whole, and which events it had started is a word in the same
//! memory: that is why a crash costs exactly the events that ran. An event is started by a
//! compare-and-swap on that word, and recalled by one on the same word, so it is never both.
//!
//! **Control.** Whoever has something to do locks the [`pool`] and does it: the JavaScript thread
//! that hands an event to an idle worker, or the I/O thread that a worker rang. The [`scheduler`]
//! decides, purely; the pool's state acts; the [`supervisor`] listens, restarts and gives up.
//!
//! **Layers**, each knowing only those before it: `memory`, `frame`, `channel`, `note`, `scheduler`,
//! `results`, `socket`, `child` → `ring`, `error` → `protocol` → `link` → `task` → `worker`, `pool`
//! with `supervisor` → `binding`, which alone knows Node-API. (A test reads this paragraph.)
//!
//! **Invariants.** An event that was handed over ends once: answered, or failed with a reason. No
//! event is on two workers. No worker is idle while an event waits that it could take. Nothing that
//! JavaScript writes is trusted to be well-formed beyond this process: positions, lengths and
//! indices from a worker are checked.

#![cfg_attr(test, allow(dead_code, reason = "napi exports nothing into a test binary"))]

mod binding;
mod channel;
mod child;
mod error;
mod frame;
mod link;
mod memory;
mod note;
mod pool;
mod protocol;
mod results;
mod ring;
mod scheduler;
mod socket;
mod supervisor;
mod task;
#[cfg(test)]
mod tests;
mod worker;
