//! The core of `@tiemma/sonic-distribute`: a pool of Node.js processes that re-run one program.
//!
//! (The picture is completed below.)

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
mod worker;
