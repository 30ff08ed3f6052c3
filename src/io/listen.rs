//! Listens to one worker until it has exited and everything it said is heard.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::time::{Instant, sleep, sleep_until};

use super::control::Control;
use super::node::Channel;
use super::spawn::Served;
use crate::os::socket::{self, Polled};
use crate::pool::{Launch, Pool};

/// How long a process that closed its control socket may take to exit by itself.
const LINGER: Duration = Duration::from_secs(1);

/// What a start may take before the program is told that it is slow: most take a tenth of that, also where TypeScript is
/// compiled.
const SLOW_START: Duration = Duration::from_secs(5);

/// What a socket holds at the exit of a worker is read in so many pieces at most: more than the system keeps there. Whoever
/// writes on is another process, and would be listened to for ever.
const MOST_READS: usize = 1024;

/// How long a worker's own messages are left in the channel when JavaScript does not come to hear those that wait: the
/// worker feels it, as it would with Node's own channel.
const UNHEARD_PAUSE: Duration = Duration::from_millis(5);

/// What a start may take before the program is told that it is slow, if it is told anything.
pub(super) fn slow_start(launch: &Launch) -> Option<Duration> {
    let hint = launch.limits.hint.map(u64::from).map(Duration::from_millis);
    hint.map(|hint| hint.min(SLOW_START))
}

/// Listens to one worker until it has exited and everything it said is heard.
pub(super) async fn listen(pool: Arc<Pool>, served: Box<Served>) {
    let Served { slot, worker, pid, token, control, channel, writer, exit, relay } = *served;
    let (Ok(control), Ok(channel)) = (Polled::from_std(control), Polled::from_std(channel)) else {
        // Without a descriptor to poll nothing can be heard: end it, and learn how it ended.
        pool.kill(slot);
        let exit = exit.wait().await;
        pool.exited(slot, exit, false);
        return;
    };
    let mut control = Control::new(&pool, (slot, worker, pid), token, control);
    let mut node = Channel::new(&pool, slot, channel, writer);
    let deadline = control.started + pool.launch.deadline;
    let mut timed_out = false;
    let mut slow = slow_start(&pool.launch).map(|after| control.started + after);
    let mut linger = None;
    let exit = exit.wait();
    tokio::pin!(exit);
    let exit = loop {
        tokio::select! {
            // What was said comes before how it ended.
            biased;
            ready = control.stream.readable(), if control.open => {
                if ready.is_err() || control.read(Receive::WhenReady) == Heard::End {
                    control.open = false;
                    linger = Some(Instant::now() + LINGER);
                }
            }
            ready = node.stream.readable(), if node.open && !node.is_unheard => {
                if ready.is_err() || node.read(Receive::WhenReady) == Heard::End {
                    node.open = false;
                    pool.disconnected(slot);
                }
                node.is_unheard = pool.has_many_notes();
            }
            () = sleep(UNHEARD_PAUSE), if node.is_unheard => {
                node.is_unheard = pool.has_many_notes();
            }
            () = node.writer.is_full.notified(), if node.open && !node.is_full => {
                node.is_full = true;
            }
            ready = node.stream.writable(), if node.open && node.is_full => {
                node.is_full = ready.is_ok() && node.write_rest();
            }
            exit = &mut exit => break exit,
            () = sleep_until(deadline), if !control.registered && !timed_out => {
                // Also in a run that is over: a worker that never comes up must not outlive it.
                timed_out = true;
                pool.kill(slot);
            }
            () = sleep_until(slow.unwrap_or(deadline)), if slow.is_some() && !control.registered => {
                slow = None;
                pool.searches_long(slot);
            }
            () = sleep_until(control.torn.unwrap_or(deadline)), if control.torn.is_some() => {
                control.reject("it sent a part of a frame, and no more".into());
                control.open = false;
                control.torn = None;
            }
            () = sleep_until(linger.unwrap_or(deadline)), if linger.is_some() => {
                linger = None;
                if !pool.is_over() {
                    pool.kill(slot);
                }
            }
        }
    };
    // Others may wait for what it held.
    pool.died(slot);
    // What is in the streams by now may be news to the runtime.
    let is_over =
        |heard| heard == Heard::End || (heard == Heard::Nothing && socket::NOTHING_IS_NOTHING);
    let mut reads = 0..MOST_READS;
    while control.open
        && reads.next().is_some()
        && socket::settle(&control.stream).await
        && !is_over(control.read(Receive::Now))
    {}
    let mut reads = 0..MOST_READS;
    while node.open
        && reads.next().is_some()
        && socket::settle(&node.stream).await
        && !is_over(node.read(Receive::Now))
    {}
    if node.open {
        pool.disconnected(slot);
    }
    if let Some(relay) = relay {
        pool.wrote(slot, relay.end().await);
    }
    pool.exited(slot, exit, timed_out);
}

/// How what a stream holds is read, without waiting for more.
#[derive(Debug, Clone, Copy)]
pub(super) enum Receive {
    /// If the runtime knows that there is something.
    WhenReady,
    /// Whatever it knows.
    Now,
}

impl Receive {
    pub(super) fn receive(self, stream: &Polled, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::WhenReady => stream.try_read(bytes),
            Self::Now => socket::receive_now(stream, bytes),
        }
    }

    /// The same, and the process that sent it where the system says so.
    pub(super) fn receive_from(
        self,
        stream: &Polled,
        bytes: &mut [u8],
    ) -> io::Result<(usize, Option<u32>)> {
        match self {
            Self::WhenReady => {
                stream.try_io(Interest::READABLE, || socket::receive_from(stream, bytes))
            }
            Self::Now => socket::receive_from(stream, bytes),
        }
    }
}

/// What reading a stream brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Something,
    Nothing,
    End,
}

impl Heard {
    pub(super) fn of(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::WouldBlock { Self::Nothing } else { Self::End }
    }
}
