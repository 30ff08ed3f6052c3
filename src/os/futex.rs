//! Waiting for a word of shared memory to change, where the system has that across processes: Linux.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Whether [`wait`] and [`wake`] do anything here.
pub(crate) const IS_THERE: bool = cfg!(target_os = "linux");

/// Waits until the word is woken, but no longer than `most`; not at all if it is not `expected`.
#[cfg(target_os = "linux")]
pub(crate) fn wait(word: &AtomicU32, expected: u32, most: Duration) {
    use rustix::thread::futex;

    let seconds = i64::try_from(most.as_secs()).unwrap_or(i64::MAX);
    let most = futex::Timespec { tv_sec: seconds, tv_nsec: most.subsec_nanos().into() };
    // Whatever ends it: the caller looks at what it waits for.
    let _ = futex::wait(word, futex::Flags::empty(), expected, Some(&most));
}

/// Wakes whoever waits for the word, in whichever process.
#[cfg(target_os = "linux")]
pub(crate) fn wake(word: &AtomicU32) {
    let _ = rustix::thread::futex::wake(word, rustix::thread::futex::Flags::empty(), 1);
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn wait(_word: &AtomicU32, _expected: u32, _most: Duration) {}

#[cfg(not(target_os = "linux"))]
pub(crate) fn wake(_word: &AtomicU32) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::Instant;

    use super::*;

    #[test]
    fn who_waits_is_woken_and_a_word_that_has_changed_is_not_waited_for() {
        let word = AtomicU32::new(7);
        let long = Duration::from_secs(20);
        let begun = Instant::now();
        wait(&word, 6, long);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                while word.load(Ordering::SeqCst) == 7 {
                    wait(&word, 7, long);
                }
            });
            std::thread::sleep(Duration::from_millis(10));
            word.store(8, Ordering::SeqCst);
            wake(&word);
            waiter.join().expect("no panic");
        });
        assert!(begun.elapsed() < long);
        // A time that is over ends it too.
        wait(&word, 8, Duration::from_millis(1));
    }
}
