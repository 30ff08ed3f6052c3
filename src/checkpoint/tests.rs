//! Promised: what was flushed is found again, in any order; a torn or damaged tail is cut off, and nothing before it; what is
//! no checkpoint, or somebody else's, is left as it is.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::*;

const PROGRAM: &str = r#"{"functions":[["square","1f"]]}"#;

/// A file of this test's own, removed with it.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("sonic-checkpoint-{}-{number}", std::process::id())))
    }

    fn open(&self) -> Result<Opened> {
        Checkpoint::open(&self.0, PROGRAM, Sync::Never)
    }

    fn again(&self) -> Checkpoint {
        let opened = self.open().expect("it is opened");
        assert_eq!(opened.program.as_deref(), Some(PROGRAM));
        opened.checkpoint
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.0).expect("the file")
    }

    fn put(&self, bytes: &[u8]) {
        fs::write(&self.0, bytes).expect("it is written");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // It may be a test of what is not there.
        let _ = fs::remove_file(&self.0);
    }
}

/// The answer to an event, of a length of its own.
fn payload(number: u64) -> Vec<u8> {
    let len = (number % 50 * 7 % 50) as usize;
    (0..len).map(|at| (number as u8).wrapping_mul(31).wrapping_add(at as u8)).collect()
}

fn write(checkpoint: &mut Checkpoint, number: u64) {
    let payload = payload(number);
    let (worker, flags, split) =
        ((number as u32).wrapping_add(1), 1 << 11, payload.len() as u32 / 2);
    let record = Record { number, digest: number ^ 7, worker, flags, split, payload: &payload };
    checkpoint.write(&record);
}

fn check(checkpoint: &mut Checkpoint, number: u64) {
    let answer = checkpoint.answer(number, number ^ 7).expect("it is read").expect("it is there");
    assert_eq!(*answer.payload, *payload(number));
    assert_eq!((answer.worker, answer.flags), (number as u32 + 1, 1 << 11));
    assert_eq!(answer.split, answer.payload.len() / 2);
}

/// A file with the answers to these events.
fn written(numbers: impl IntoIterator<Item = u64>) -> Place {
    let place = Place::new();
    let mut checkpoint = place.open().expect("it is opened").checkpoint;
    for number in numbers {
        write(&mut checkpoint, number);
    }
    checkpoint.close().expect("it is closed");
    place
}

#[test]
fn what_was_answered_in_any_order_is_found_by_number() {
    let mut numbers: Vec<u64> = (0..5000).filter(|number| number % 10 != 3).collect();
    fastrand::Rng::with_seed(1).shuffle(&mut numbers);
    let place = written(numbers);
    let mut checkpoint = place.again();
    for number in 0..5000 {
        assert!(checkpoint.has_from(number));
        if number % 10 == 3 {
            assert!(checkpoint.answer(number, number ^ 7).expect("it is read").is_none());
        } else {
            check(&mut checkpoint, number);
        }
    }
    assert!(!checkpoint.has_from(5000));
    assert!(checkpoint.answer(5000, 0).expect("it is read").is_none());
}

#[test]
fn a_second_opening_goes_on_at_the_end() {
    let place = written(0..10);
    let mut checkpoint = place.again();
    (10..20).for_each(|number| write(&mut checkpoint, number));
    checkpoint.flush().expect("it is written");
    drop(checkpoint);
    let mut checkpoint = place.again();
    (0..20).for_each(|number| check(&mut checkpoint, number));
}

#[test]
fn other_data_is_refused_by_the_number_of_its_event() {
    let place = written(0..3);
    let error = place.again().answer(1, 99).expect_err("other data");
    assert_eq!(error.code(), "ERR_SONIC_CHECKPOINT_CHANGED");
    assert!(error.to_string().contains("event 1 has other data"), "{error}");
}

/// Where each record ends, from the end of the head on.
fn ends(bytes: &[u8]) -> Vec<usize> {
    let (_, mut at) = Head::parse(bytes).expect("a head").expect("it is whole");
    let mut ends = vec![at];
    while at < bytes.len() {
        at += Record::len(&bytes[at..]).expect("a record") as usize;
        ends.push(at);
    }
    ends
}

#[test]
fn a_torn_tail_is_cut_off_at_every_byte() {
    let place = written(0..6);
    let whole = place.bytes();
    let ends = ends(&whole);
    for len in 0..=whole.len() {
        place.put(&whole[..len]);
        let opened = place.open().expect("it is opened");
        let mut checkpoint = opened.checkpoint;
        // Without a whole head there is no record that could be lost.
        let kept = ends.iter().filter(|&&end| end <= len).count().saturating_sub(1) as u64;
        assert_eq!(opened.program.is_some(), len >= ends[0], "{len}");
        assert!(!checkpoint.has_from(kept));
        (0..kept).for_each(|number| check(&mut checkpoint, number));
        write(&mut checkpoint, kept);
        checkpoint.close().expect("it is closed");
        let mut checkpoint = place.again();
        (0..=kept).for_each(|number| check(&mut checkpoint, number));
    }
}

#[test]
fn a_record_in_which_any_byte_has_changed_is_none_and_those_before_it_stand() {
    let place = written(0..5);
    let whole = place.bytes();
    let ends = ends(&whole);
    for at in ends[3]..ends[4] {
        for bit in [1, 0x80] {
            let mut damaged = whole.clone();
            damaged[at] ^= bit;
            place.put(&damaged);
            let mut checkpoint = place.again();
            (0..3).for_each(|number| check(&mut checkpoint, number));
            assert!(!checkpoint.has_from(3), "byte {at}");
        }
    }
}

#[test]
fn zeros_of_a_crashed_machine_are_cut_off() {
    let place = written(0..5);
    let mut bytes = place.bytes();
    let len = bytes.len();
    bytes.extend([0; 4096]);
    place.put(&bytes);
    let mut checkpoint = place.again();
    (0..5).for_each(|number| check(&mut checkpoint, number));
    drop(checkpoint);
    assert_eq!(place.bytes().len(), len);
}

#[test]
fn what_is_no_checkpoint_is_left_as_it_is() {
    let head = Head::bytes(PROGRAM);
    let mut damaged = head.clone();
    damaged[40] ^= 1;
    let mut endless = head.clone();
    endless[28..32].fill(0xff);
    for bytes in [b"my thesis".to_vec(), b"sonic-checkpoint v9\n".to_vec(), damaged, endless] {
        let place = Place::new();
        place.put(&bytes);
        let error = place.open().expect_err("it is refused");
        assert_eq!(error.code(), "ERR_SONIC_CHECKPOINT", "{error}");
        assert_eq!(place.bytes(), bytes);
    }
    let folder = Checkpoint::open(&std::env::temp_dir(), PROGRAM, Sync::Never);
    assert_eq!(folder.expect_err("a folder").code(), "ERR_SONIC_CHECKPOINT");
}

#[test]
fn a_file_in_use_is_refused_until_it_is_closed() {
    let place = written(0..1);
    let first = place.again();
    let error = place.open().expect_err("it is in use");
    assert_eq!(error.code(), "ERR_SONIC_CHECKPOINT_BUSY");
    drop(first);
    check(&mut place.again(), 0);
}

#[test]
fn a_file_that_is_changed_while_it_is_open_is_damaged() {
    let place = written(0..4);
    let mut checkpoint = place.again();
    checkpoint.window = Window::default();
    let mut bytes = place.bytes();
    let at = bytes.len() - 1;
    bytes[at] ^= 1;
    place.put(&bytes);
    check(&mut checkpoint, 0);
    let error = checkpoint.answer(3, 3 ^ 7).expect_err("it is damaged");
    assert!(error.to_string().contains("is damaged at offset"), "{error}");
}

#[test]
fn a_number_that_no_event_has_is_cut_off() {
    let place = written([0, u64::MAX, 1]);
    let mut checkpoint = place.again();
    check(&mut checkpoint, 0);
    assert!(!checkpoint.has_from(1));
}

#[test]
fn each_way_to_sync_writes_the_same() {
    for sync in [Sync::Never, Sync::Always, Sync::Every(Duration::from_millis(1))] {
        let place = Place::new();
        let mut checkpoint =
            Checkpoint::open(&place.0, PROGRAM, sync).expect("it opens").checkpoint;
        for number in 0..20 {
            write(&mut checkpoint, number);
            checkpoint.flush().expect("it is written");
        }
        checkpoint.close().expect("it is on the disk");
        let mut checkpoint = place.again();
        (0..20).for_each(|number| check(&mut checkpoint, number));
    }
}

#[test]
fn long_answers_are_read_and_their_memory_is_given_back() {
    let place = Place::new();
    let mut checkpoint = place.open().expect("it is opened").checkpoint;
    let long = vec![5; 5 << 20];
    for number in [1, 0] {
        let (worker, flags, split) = (1, 0, 0);
        checkpoint.write(&Record { number, digest: 0, worker, flags, split, payload: &long });
        checkpoint.flush().expect("it is written");
    }
    assert!(checkpoint.pending.capacity() <= MOST_KEPT);
    drop(checkpoint);
    let mut checkpoint = place.again();
    for number in [0, 1] {
        let answer = checkpoint.answer(number, 0).expect("it is read").expect("it is there");
        assert_eq!(*answer.payload, *long);
    }
    let mut empty = Window::default();
    std::mem::swap(&mut empty, &mut checkpoint.window);
    assert!(empty.bytes(&checkpoint.file, 0, 10).expect("it is read").is_some());
}
