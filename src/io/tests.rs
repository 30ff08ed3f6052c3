//! Promised: a worker is heard only if it is the process that was started and speaks this version's
//! protocol; whatever else it says, it is killed and the reason kept. It is heard to the last word
//! before its end is told, is never waited for alone, and is ended if it does not come up in time or
//! cuts the wire. Node's own questions are answered; the rest of the channel is the program's.

mod channel;
mod control;
mod orders;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::event_loop::{Input, Io, obey};
use super::listen::listen;
use super::spawn::Served;
use crate::os::child::{Exit, ExitWatch};
use crate::os::memory::Memory;
use crate::os::socket;
use crate::pool::Pool;
use crate::pool::connection::Connection;
use crate::pool::node_channel::NodeChannel;
use crate::pool::order::Order;
use crate::pool::tests::{Bench, FROM_LANE};
use crate::run::Queue;
use crate::tests::player::{DEADLINE, NoProcess, shared_memory};
use crate::wire::layout::Layout;
use crate::wire::note::Note;
use crate::wire::protocol::{Hello, Message, VERSION};

const TOKEN: &str = "secret";

/// Who sends is this process.
fn pid() -> u32 {
    std::process::id()
}

/// A started process, played: its ends of the wires, and what is done to it.
struct Peer {
    control: StdUnixStream,
    channel: StdUnixStream,
    process: NoProcess,
    memory: Arc<Memory>,
    /// Tells how the process ended, as the reaper does.
    reaper: Option<oneshot::Sender<Exit>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Peer {
    /// Starts one in `slot`, and listening to it.
    fn start(bench: &Bench, slot: usize) -> Self {
        Self::start_as(bench, slot, pid())
    }

    /// The same, whose process has this id.
    fn start_as(bench: &Bench, slot: usize, pid: u32) -> Self {
        let pair = || {
            let (ours, theirs) = StdUnixStream::pair().expect("sockets");
            ours.set_nonblocking(true).expect("a socket");
            theirs.set_nonblocking(true).expect("a socket");
            (ours, theirs)
        };
        let ((control, their_control), (channel, their_channel)) = (pair(), pair());
        socket::tell_senders(&control, true).expect("a socket");
        let memory = shared_memory();
        let process = NoProcess::new(pid);
        let (reaper, exit) = oneshot::channel();
        let clone = |stream: &StdUnixStream| stream.try_clone().expect("a descriptor");
        let writer = Arc::new(NodeChannel::new(clone(&channel)));
        let child = Box::new(process.clone());
        let connection =
            Connection::new(child, clone(&control), Arc::clone(&writer), Arc::clone(&memory));
        bench.pool.started(slot, connection, None);
        let worker = bench.pool.place(slot).worker;
        let token = TOKEN.to_owned();
        let exit = ExitWatch::Thread(exit);
        let served =
            Served { slot, worker, pid, token, control, channel, writer, exit, relay: None };
        let listening = tokio::spawn(listen(Arc::clone(&bench.pool), Box::new(served)));
        Self {
            control: their_control,
            channel: their_channel,
            process,
            memory,
            reaper: Some(reaper),
            listening,
        }
    }

    /// One that has said who it is, and registered.
    fn registered(bench: &Bench, slot: usize) -> Self {
        let mut peer = Self::start(bench, slot);
        peer.say(&[hello(), Message::Registered]);
        peer
    }

    fn say(&mut self, messages: &[Message]) {
        let bytes: Vec<u8> = messages.iter().flat_map(Message::encode).collect();
        self.control.write_all(&bytes).expect("room");
    }

    fn line(&mut self, line: &str) {
        self.channel.write_all(format!("{line}\n").as_bytes()).expect("room");
    }

    /// The process ends: its sockets close, and the reaper says how.
    async fn exit(mut self, exit: Exit) {
        let reaper = self.reaper.take().expect("it ends once");
        drop((self.control, self.channel));
        reaper.send(exit).expect("somebody listens");
        ended(self.listening).await;
    }
}

async fn ended(listening: tokio::task::JoinHandle<()>) {
    let end = tokio::time::timeout(DEADLINE, listening).await;
    end.expect("its end is told in time").expect("no panic");
}

fn hello() -> Message {
    Message::Hello(Hello { version: VERSION, pid: pid(), token: TOKEN.into() })
}

/// Waits for what another task does.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < end, "in vain: {what}");
        tokio::task::yield_now().await;
    }
}

/// Waits until JavaScript is called, and hears what it does.
async fn heard(bench: &Bench) -> Vec<Note> {
    let notes = std::cell::RefCell::new(Vec::new());
    let hear = || {
        notes.borrow_mut().extend(bench.hear());
        !notes.borrow().is_empty()
    };
    until("a note", hear).await;
    notes.into_inner()
}
