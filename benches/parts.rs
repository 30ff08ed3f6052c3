//! Measures the parts of the core that every event passes through: `npm run bench:parts`. Use it for a change to
//! one of them. `npm run bench` measures the whole.

#![allow(dead_code, unused_imports, reason = "the parts have more than is measured here")]
#![allow(clippy::pedantic, clippy::missing_docs_in_private_items)]

use std::hint::black_box;
use std::sync::Arc;

use divan::Bencher;

#[path = "../src/core/mod.rs"]
mod core;
#[path = "../src/os/mod.rs"]
mod os;
/// Only what is measured of `run`: the rest needs more of the crate.
#[path = "../src/run"]
mod run {
    pub(crate) mod results;
    pub(crate) mod value;
}
#[path = "../src/shm/mod.rs"]
mod shm;
#[path = "../src/wire/mod.rs"]
mod wire;

use crate::core::event::Event;
use crate::core::scheduler::Scheduler;
use crate::core::task_id::Position;
use os::memory::Memory;
use run::results::{Entry, Results, entry};
use run::value::Value;
use shm::ring::{Consumer, Producer};
use shm::store::Bytes;
use wire::format::Format;
use wire::header::{Header, Kind, flag};
use wire::layout::Place;

fn main() {
    divan::main();
}

/// An answer through its ring: written and read.
#[divan::bench(args = [8, 1024, 100 * 1024, 1024 * 1024])]
fn ring(bencher: Bencher, len: usize) {
    const PLACE: Place = Place { tail: 0, head: 16, bytes: 4096, size: 1 << 20 };
    let memory = Arc::new(Memory::anonymous(4096 + (1 << 20)).expect("memory"));
    let producer = Producer::new(Arc::clone(&memory), PLACE);
    let mut consumer = Consumer::new(memory, PLACE);
    let (payload, header) = (vec![7; len], Header::new(Kind::Answer, flag::RESPONSE));
    let mut read = Bytes::default();
    bencher.bench_local(|| {
        let mut written = 0;
        loop {
            let done = producer.push(&header, black_box(&payload), &mut written);
            let popped = consumer.pop(&mut read).expect("sound");
            if done {
                break popped.or_else(|| consumer.pop(&mut read).expect("sound"));
            }
        }
    });
}

/// A result that is held, and taken with the others of its piece.
#[divan::bench(args = [8, 1024, 100 * 1024])]
fn results(bencher: Bencher, len: usize) {
    let text = vec![b'7'; len];
    let mut results = Results::default();
    bencher.bench_local(|| {
        let value = || Some(Value::new(black_box(&text), Format::Json));
        let kind = entry::DATA | entry::RESPONSE;
        results.push(Entry { kind, worker: 1, data: value(), response: value() });
        if results.len() > 1000 {
            while results.take().is_some() {}
        }
    });
}

/// An event that a worker claims and answers, as the scheduler sees it.
#[divan::bench(args = [2, 64])]
fn scheduler(bencher: Bencher, workers: usize) {
    let mut scheduler = Scheduler::new(std::iter::repeat_n(1, workers), 512);
    let mut effects = Vec::new();
    for slot in 0..workers {
        scheduler.on(Event::Started { slot }, &mut effects);
        scheduler.on(Event::Registered { slot }, &mut effects);
    }
    let mut task = 0;
    bencher.bench_local(|| {
        let slot = task as usize % workers;
        let from = Position { lane: 1, at: task };
        scheduler.on(Event::Claimed { slot, task, from, is_long: false }, &mut effects);
        scheduler.on(Event::Answered { slot, task, run: 0.01 }, &mut effects);
        task += 1;
        effects.len()
    });
}
