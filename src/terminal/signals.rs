//! Takes what is drawn off the terminal when a signal ends this process or stops it: the prompt of the shell
//! comes there next.
//!
//! While something is drawn, a handler stands before whatever handles those signals: it erases, puts the former one
//! back and sends the signal again. JavaScript cannot do it: it may be busy, and its listeners would keep the
//! signal from ending the program.

use std::ffi::c_int;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, Ordering};

use nix::errno::Errno;

use super::{ERASE, IS_DRAWN};

/// What a terminal, or whoever waits for this process, ends or stops it by.
const SIGNALS: [c_int; 5] =
    [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGTSTP];

/// What handled each of them before. A signal's is written while [`erase`] does not handle it, and stays.
static FORMER: [AtomicPtr<libc::sigaction>; SIGNALS.len()] =
    [const { AtomicPtr::new(null_mut()) }; SIGNALS.len()];

/// Has signals erase what is drawn, those that somebody ignores excepted. Again and again while something is: a
/// signal that did not end the process has taken the handler away, and so may the program have. Only on the thread
/// where Node handles signals, as [`disarm`]: nobody changes a handler meanwhile.
pub(crate) fn arm() {
    for (&signal, former) in SIGNALS.iter().zip(&FORMER) {
        let Some(current) = handler_of(signal) else { continue };
        if current.sa_sigaction == libc::SIG_IGN || is_ours(&current) {
            continue;
        }
        let place = former.load(Ordering::SeqCst);
        if place.is_null() {
            former.store(Box::into_raw(Box::new(current)), Ordering::SeqCst);
        } else {
            // SAFETY: made above, and never freed. Only the handler reads it, which is not there now; where it
            // still runs it has put what was here back already.
            unsafe { *place = current };
        }
        let mut ours = current;
        ours.sa_sigaction = erase as *const () as usize;
        ours.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
        // SAFETY: a whole action, whose handler calls nothing that a handler may not.
        unsafe { libc::sigaction(signal, &raw const ours, null_mut()) };
    }
}

/// Puts the former handlers back, where nobody else has put another.
pub(crate) fn disarm() {
    for (&signal, former) in SIGNALS.iter().zip(&FORMER) {
        let former = former.load(Ordering::SeqCst);
        if !former.is_null() && handler_of(signal).is_some_and(|current| is_ours(&current)) {
            // SAFETY: what the system gave as this signal's action.
            unsafe { libc::sigaction(signal, former, null_mut()) };
        }
    }
}

fn handler_of(signal: c_int) -> Option<libc::sigaction> {
    // SAFETY: all zeroes are a valid action.
    let mut current: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: writes the action, and changes nothing.
    let done = unsafe { libc::sigaction(signal, null(), &raw mut current) };
    (done == 0).then_some(current)
}

fn is_ours(action: &libc::sigaction) -> bool {
    action.sa_sigaction == erase as *const () as usize
}

/// The handler. Calls only what `signal-safety(7)` lists.
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
    let at = SIGNALS.iter().position(|&each| each == signal);
    let former = at.map_or(null_mut(), |at| FORMER[at].load(Ordering::SeqCst));
    if !former.is_null() {
        // SAFETY: what the system gave as this signal's action. The signal is held back until this returns.
        unsafe {
            libc::sigaction(signal, former, null_mut());
            libc::raise(signal);
        }
    }
    Errno::set_raw(errno);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    static HEARD: AtomicU32 = AtomicU32::new(0);

    extern "C" fn hear(_signal: c_int) {
        HEARD.fetch_add(1, Ordering::SeqCst);
    }

    /// All in one, because a process has each signal once.
    #[test]
    fn a_signal_goes_where_it_went_before_and_ignored_ones_stay_so() {
        let set = |signal, handler: usize| {
            let mut action = handler_of(signal).expect("a signal");
            action.sa_sigaction = handler;
            // SAFETY: the handler is one.
            unsafe { libc::sigaction(signal, &raw const action, null_mut()) };
        };
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
