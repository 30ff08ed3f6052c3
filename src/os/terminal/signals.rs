//! Takes what is drawn off the terminal when a signal ends this process or stops it: the prompt of the shell
//! comes there next.
//!
//! While something is drawn, a handler stands before whatever handles those signals: it erases, puts the former one
//! back and sends the signal again. JavaScript cannot do it: it may be busy, and its listeners would keep the
//! signal from ending the program.
//!
//! The system runs the handler on any thread, also while another arms or disarms. It touches atomics, constants, its
//! own stack, and the action in [`FORMER`], which never changes and is never freed. It calls `poll`, `write`,
//! `sigaction` and `raise`, all of `signal-safety(7)`; it takes no lock, allocates nothing and cannot panic. And
//! handlers change hands only while none is [at work](AT_WORK): none puts back one that has been replaced meanwhile.

use std::ffi::c_int;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::{ERASE, IS_DRAWN};

/// What a terminal, or whoever waits for this process, ends or stops it by.
const SIGNALS: [c_int; 5] =
    [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGTSTP];

/// The highest number of a signal on any system.
const LAST_SIGNAL: c_int = 64;

/// How long handlers at work are waited for: they need some microseconds, once their threads run.
const PATIENCE: Duration = Duration::from_secs(1);

/// What handled each of them before. It is there before [`erase`] handles the signal; the action that it points at is
/// one of [`KNOWN`].
static FORMER: [AtomicPtr<libc::sigaction>; SIGNALS.len()] =
    [const { AtomicPtr::new(null_mut()) }; SIGNALS.len()];

/// How many handlers are about to put a former action back.
static AT_WORK: AtomicUsize = AtomicUsize::new(0);

/// All former actions there have been, each once: they are never freed, and a program has few. Whoever arms or disarms
/// holds the lock meanwhile; the handler never takes it.
static KNOWN: Mutex<Vec<&'static libc::sigaction>> = Mutex::new(Vec::new());

/// Has signals erase what is drawn, those that somebody ignores excepted. Again and again while something is: a
/// signal that did not end the process has taken the handler away, and so may the program have.
pub(crate) fn arm() {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    for (&signal, former) in SIGNALS.iter().zip(&FORMER) {
        let is_due =
            |current: &libc::sigaction| current.sa_sigaction != libc::SIG_IGN && !is_ours(current);
        // A handler that is at work still puts an action back: what is found after that counts.
        if !handler_of(signal).is_some_and(|current| is_due(&current)) || !is_quiet() {
            continue;
        }
        let Some(current) = handler_of(signal).filter(is_due) else { continue };
        former.store(kept(&mut known, current), Ordering::SeqCst);
        let mut ours = current;
        ours.sa_sigaction = erase as *const () as usize;
        ours.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
        if let Some(found) = handle(signal, &ours)
            && !is_ours(&found)
            && !is_same(&found, &current)
        {
            // Somebody was faster, on another thread.
            former.store(kept(&mut known, found), Ordering::SeqCst);
        }
    }
}

/// Puts the former handlers back, where nobody else has put another. From then on no handler of ours does.
pub(crate) fn disarm() {
    let _known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    for (&signal, former) in SIGNALS.iter().zip(&FORMER) {
        // SAFETY: null, or one of `KNOWN`.
        if let Some(former) = unsafe { former.load(Ordering::SeqCst).as_ref() } {
            put_back(signal, former);
        }
    }
    is_quiet();
}

/// This action, where it stays.
fn kept(
    known: &mut Vec<&'static libc::sigaction>,
    action: libc::sigaction,
) -> *mut libc::sigaction {
    let found = known.iter().find(|known| is_same(known, &action)).copied();
    let kept = found.unwrap_or_else(|| {
        let new: &'static _ = Box::leak(Box::new(action));
        known.push(new);
        new
    });
    std::ptr::from_ref(kept).cast_mut()
}

/// Waits until no handler is at work. False if that takes too long.
fn is_quiet() -> bool {
    let end = Instant::now() + PATIENCE;
    while AT_WORK.load(Ordering::SeqCst) > 0 {
        if Instant::now() > end {
            return false;
        }
        thread::yield_now();
    }
    true
}

/// Puts a former action back, if the signal is ours.
fn put_back(signal: c_int, former: &libc::sigaction) {
    if handler_of(signal).is_some_and(|current| is_ours(&current))
        && let Some(found) = handle(signal, former)
        && !is_ours(&found)
    {
        // Somebody has put another there since the line before.
        handle(signal, &found);
    }
}

fn handler_of(signal: c_int) -> Option<libc::sigaction> {
    // SAFETY: all zeroes are a valid action.
    let mut current: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: writes the action, and changes nothing.
    let done = unsafe { libc::sigaction(signal, null(), &raw mut current) };
    (done == 0).then_some(current)
}

/// Has `action` handle a signal; says what has handled it until then.
fn handle(signal: c_int, action: &libc::sigaction) -> Option<libc::sigaction> {
    // SAFETY: all zeroes are a valid action.
    let mut found: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a whole action: one that the system gave, or whose handler calls nothing that a handler may not.
    let done = unsafe { libc::sigaction(signal, action, &raw mut found) };
    (done == 0).then_some(found)
}

fn is_ours(action: &libc::sigaction) -> bool {
    action.sa_sigaction == erase as *const () as usize
}

fn is_same(one: &libc::sigaction, other: &libc::sigaction) -> bool {
    let held_back = |action: &libc::sigaction, signal| {
        // SAFETY: reads the set. It knows what is no signal.
        unsafe { libc::sigismember(&raw const action.sa_mask, signal) == 1 }
    };
    one.sa_sigaction == other.sa_sigaction
        && one.sa_flags == other.sa_flags
        && (1..=LAST_SIGNAL).all(|signal| held_back(one, signal) == held_back(other, signal))
}

/// The handler.
extern "C" fn erase(signal: c_int) {
    let errno = Errno::last_raw();
    if IS_DRAWN.swap(false, Ordering::SeqCst) {
        let mut room = libc::pollfd { fd: libc::STDERR_FILENO, events: libc::POLLOUT, revents: 0 };
        // SAFETY: one is asked, and so many bytes are there. A terminal that is stopped would keep the signal
        // from doing what it is for.
        unsafe {
            if libc::poll(&raw mut room, 1, 0) != 0 {
                libc::write(libc::STDERR_FILENO, ERASE.as_ptr().cast(), ERASE.len());
            }
        }
    }
    AT_WORK.fetch_add(1, Ordering::SeqCst);
    let former = SIGNALS.iter().zip(&FORMER).find(|&(&each, _)| each == signal);
    // SAFETY: null, or one of `KNOWN`.
    let former = former.and_then(|(_, former)| unsafe { former.load(Ordering::SeqCst).as_ref() });
    if let Some(former) = former {
        put_back(signal, former);
    }
    AT_WORK.fetch_sub(1, Ordering::SeqCst);
    if former.is_some() {
        // SAFETY: the signal is held back until this returns, and goes to whatever handles it then.
        unsafe { libc::raise(signal) };
    }
    Errno::set_raw(errno);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    static HEARD: AtomicU32 = AtomicU32::new(0);

    /// A process has each signal once.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    extern "C" fn hear(_signal: c_int) {
        HEARD.fetch_add(1, Ordering::SeqCst);
    }

    extern "C" fn hear_too(_signal: c_int) {
        HEARD.fetch_add(1, Ordering::SeqCst);
    }

    fn set(signal: c_int, handler: usize) {
        let mut action = handler_of(signal).expect("a signal");
        action.sa_sigaction = handler;
        handle(signal, &action).expect("a signal");
    }

    /// The handler is the program's own whenever it is not armed, whatever signals come on other threads.
    #[test]
    fn every_signal_is_heard_once_while_another_thread_arms_and_disarms() {
        const COUNT: u32 = 10_000;
        const THREADS: u32 = 4;
        let _one_at_a_time = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let before = handler_of(libc::SIGHUP).expect("a signal");
        let own = [hear, hear_too].map(|handler| handler as *const () as usize);
        set(libc::SIGHUP, own[0]);
        HEARD.store(0, Ordering::SeqCst);
        let raise = || {
            for _ in 0..COUNT {
                // SAFETY: it has a handler.
                unsafe { libc::raise(libc::SIGHUP) };
            }
        };
        let raisers = [0; THREADS as usize].map(|_| thread::spawn(raise));
        let now = || handler_of(libc::SIGHUP).expect("a signal").sa_sigaction;
        let mut turns = 0;
        while turns == 0 || !raisers.iter().all(thread::JoinHandle::is_finished) {
            let own = own[turns % own.len()];
            set(libc::SIGHUP, own);
            (0..3).for_each(|_| assert_eq!(now(), own, "in turn {turns}"));
            arm();
            // Some signals come while it is armed, and some just then.
            (0..turns % 100).for_each(|_| std::hint::spin_loop());
            disarm();
            assert_eq!(now(), own, "disarmed in turn {turns}");
            turns += 1;
        }
        for raiser in raisers {
            raiser.join().expect("no panic");
        }
        assert_eq!(HEARD.load(Ordering::SeqCst), COUNT * THREADS);
        let kept = KNOWN.lock().expect("sound").len();
        assert!(kept <= SIGNALS.len() + own.len(), "{kept} actions are kept");
        handle(libc::SIGHUP, &before).expect("a signal");
    }

    #[test]
    fn disarming_waits_for_a_handler_that_is_about_to_put_its_former_back() {
        let _one_at_a_time = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let before = handler_of(libc::SIGHUP).expect("a signal");
        let [first, second] = [hear, hear_too].map(|handler| handler as *const () as usize);
        set(libc::SIGHUP, first);
        let former = handler_of(libc::SIGHUP).expect("a signal");
        arm();
        AT_WORK.fetch_add(1, Ordering::SeqCst);
        let handler = thread::spawn(move || {
            while handler_of(libc::SIGHUP).is_some_and(|current| is_ours(&current)) {
                thread::yield_now();
            }
            (0..100).for_each(|_| thread::yield_now());
            handle(libc::SIGHUP, &former).expect("a signal");
            AT_WORK.fetch_sub(1, Ordering::SeqCst);
        });
        disarm();
        set(libc::SIGHUP, second);
        handler.join().expect("no panic");
        assert_eq!(handler_of(libc::SIGHUP).expect("a signal").sa_sigaction, second);
        // One that runs late finds that it is replaced.
        erase(libc::SIGHUP);
        assert_eq!(handler_of(libc::SIGHUP).expect("a signal").sa_sigaction, second);
        handle(libc::SIGHUP, &before).expect("a signal");
    }

    #[test]
    fn a_signal_goes_where_it_went_before_and_ignored_ones_stay_so() {
        let _one_at_a_time = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        HEARD.store(0, Ordering::SeqCst);
        let is_armed = |signal| is_ours(&handler_of(signal).expect("a signal"));
        set(libc::SIGHUP, hear as *const () as usize);
        set(libc::SIGQUIT, libc::SIG_IGN);
        arm();
        assert!(is_armed(libc::SIGHUP) && is_armed(libc::SIGTSTP) && !is_armed(libc::SIGQUIT));
        for heard in 1..3 {
            // SAFETY: it has a handler.
            unsafe { libc::raise(libc::SIGHUP) };
            assert_eq!(HEARD.load(Ordering::SeqCst), heard);
            assert!(!is_armed(libc::SIGHUP));
            arm();
            assert!(is_armed(libc::SIGHUP));
        }
        disarm();
        let former = handler_of(libc::SIGHUP).expect("a signal").sa_sigaction;
        assert_eq!(former, hear as *const () as usize);
        assert!(SIGNALS.iter().all(|&signal| !is_armed(signal)));
        set(libc::SIGQUIT, libc::SIG_DFL);
    }
}
