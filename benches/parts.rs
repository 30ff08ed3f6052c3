//! What the parts of the core cost that every event passes through: `npm run bench:parts`. For a change
//! in one of them; what the whole is worth, `npm run bench` says.

#![allow(dead_code, unused_imports, reason = "the parts have more than is measured here")]
#![allow(clippy::pedantic, clippy::missing_docs_in_private_items)]

use std::hint::black_box;
use std::sync::Arc;

use divan::Bencher;

#[path = "../src/core/mod.rs"]
mod core;
#[path = "../src/os/mod.rs"]
mod os;
#[path = "../src/run/results.rs"]
mod results;
#[path = "../src/shm/mod.rs"]
mod shm;
#[path = "../src/wire/mod.rs"]
mod wire;

use crate::core::scheduler::Scheduler;
use os::memory::Memory;
use results::{Entry, Results, Value, entry};
use shm::ring::{Consumer, Producer};
use shm::store::Bytes;
use wire::format::Format;
use wire::header::{Header, Kind, flag};
use wire::protocol::Place;

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
    let mut scheduler = Scheduler::new(workers, 512);
    let mut actions = Vec::new();
    for slot in 0..workers {
        scheduler.ready(slot, &mut actions);
    }
    let mut task = 0;
    bencher.bench_local(|| {
        let slot = task as usize % workers;
        scheduler.claimed(slot, task, false, &mut actions);
        let is_answered = scheduler.answered(slot, task, 0.01);
        scheduler.dispatch(&mut actions);
        task += 1;
        is_answered
    });
}
