//! Promised: a worker is heard only if it is the process that was started and speaks this version's
//! protocol; whatever else it says, it is killed and the reason kept. It is heard to the last word
//! before its end is told, is never waited for alone, and is ended if it does not come up in time or
//! cuts the wire. Node's own questions are answered; the rest of the channel is the program's.

mod channel;
mod control;
mod orders;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream as StdUnixStream;

use super::*;
use crate::pool::Queue;
use crate::pool::tests::Bench;
use crate::tests::player::{DEADLINE, NoProcess, shared_memory};

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
        let link = Link::new(child, clone(&control), Arc::clone(&writer), Arc::clone(&memory));
        bench.pool.started(slot, link, None);
        let worker = bench.pool.launch.workers[slot];
        let token = TOKEN.to_owned();
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

/// The judgement of an ending, in words.
fn judged(ending: Ending) -> String {
    match judge(ending) {
        Verdict::Restart(delay) => format!("restart after {} ms", delay.as_millis()),
        Verdict::Retire(error) => format!("{}: {error}", error.code()),
    }
}

#[test]
fn what_follows_from_an_ending() {
    let ending = |registered, timed_out, proven, failures| Ending {
        worker: 3,
        exit: Exit::Code(1),
        reached: if registered { Reached::Call } else { Reached::Package },
        timed_out,
        proven,
        failures,
        said: Said { uncaught: Some("Error: x".into()), exits: None },
        search: Box::new(Search { title: "the call at job.js:3:7".into(), passed: Vec::new() }),
        stderr: String::new(),
        deadline: Duration::from_mins(1),
    };
    let cases = [
        (ending(true, false, true, 0), "restart after 0 ms"),
        (ending(true, false, false, 1), "restart after 0 ms"),
        (ending(true, false, false, 2), "restart after 100 ms"),
        (ending(false, false, false, 2), "restart after 100 ms"),
        // Whoever ran an event is replaced, whatever came before.
        (ending(true, false, true, 3), "restart after 200 ms"),
        (
            ending(true, false, false, 3),
            "ERR_SONIC_WORKER_START: worker 3 exited with code 1 again and again without having \
             run an event: Error: x; workers run the program too, what comes after the call \
             included, and the call resolves to undefined there: what only the master is to do \
             belongs behind isMaster()",
        ),
        // Nobody has thrown anything.
        (
            Ending {
                exit: Exit::Signal(9),
                said: Said::default(),
                ..ending(true, false, false, 3)
            },
            "ERR_SONIC_WORKER_START: worker 3 was killed by SIGKILL again and again without having \
             run an event",
        ),
        (
            ending(false, false, false, 3),
            "ERR_SONIC_WORKER_START: worker 3 exited with code 1 without reaching the call \
             at job.js:3:7 (3 attempts): Error: x; the worker re-runs the program, which must reach the same \
             MapReduce call",
        ),
        (
            Ending {
                said: Said { uncaught: None, exits: Some("process.exit(1) at /a.js:3:9".into()) },
                ..ending(true, false, false, 3)
            },
            "ERR_SONIC_WORKER_START: worker 3 exited with code 1 again and again without having \
             run an event: it called process.exit(1) at /a.js:3:9; workers run the program too, \
             what comes after the call included, and the call resolves to undefined there: exit \
             only if isMaster(), or set process.exitCode instead",
        ),
        (
            Ending {
                said: Said::default(),
                stderr: format!("{}SyntaxError: x\n\n", "line\n".repeat(50)),
                ..ending(false, false, false, 3)
            },
            &format!(
                "ERR_SONIC_WORKER_START: worker 3 exited with code 1 without reaching the call \
                 at job.js:3:7 (3 attempts); the worker re-runs the program, which must reach the same MapReduce \
                 call. It last wrote to stderr:\n{}SyntaxError: x",
                "line\n".repeat(23)
            ),
        ),
        (
            Ending { reached: Reached::Nothing, ..ending(false, true, false, 1) },
            "ERR_SONIC_WORKER_START: worker 3 did not load @tiemma/sonic-distribute within 60000 ms: \
             either the program does not come to that there, or its Node stands still, as it may \
             where it gets no thread (`ulimit -u`, the process limit of a container) \
             (SONIC_DISTRIBUTE_START_TIMEOUT sets the deadline in ms)",
        ),
        // A program that takes too long once takes too long again.
        (
            ending(false, true, false, 1),
            "ERR_SONIC_CALL_UNREACHABLE: worker 3 did not reach the call at job.js:3:7 within 60000 ms; the worker \
             re-runs the program, which must reach the same MapReduce call there too: what only the \
             master needs before it belongs behind isMaster() (SONIC_DISTRIBUTE_START_TIMEOUT sets the deadline in ms)",
        ),
    ];
    for (ending, expected) in cases {
        let name = format!("{ending:?}");
        assert_eq!(judged(ending), expected, "{name}");
    }
}
