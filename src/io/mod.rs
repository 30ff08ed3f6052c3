//! The I/O thread of a pool: it starts workers, listens to them until they exit, and does everything that waits. It holds no
//! state of the pool: what it hears it tells the pool, and what the pool orders it does.
//!
//! | file | what it does |
//! |---|---|
//! | `event_loop` | the thread; orders, timers |
//! | `spawn` | starts one worker, and again after a while |
//! | `listen` | everything that one worker says until it has exited |
//! | `control`, `node` | the control socket; Node's own channel |
//! | `monitors` | when limits are checked |
//! | `relay` | a copy of an error stream |

mod control;
pub(crate) mod event_loop;
mod listen;
mod monitors;
mod node;
pub(crate) mod relay;
pub(crate) mod spawn;

#[cfg(all(test, unix))]
mod tests;
