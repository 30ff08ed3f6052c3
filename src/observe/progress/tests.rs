use super::*;

const COLUMNS: u16 = 100;

fn tally(handed_over: u64, answered: u64, failed: u64) -> Tally {
    Tally { handed_over, answered, failed, workers: Vec::new() }
}

fn activity(worker: u32, tasks: u64, doing: Doing) -> Activity {
    Activity { worker, tasks, doing }
}

fn running(text: &str) -> Doing {
    Doing::Running { event: 17, milliseconds: 2100, text: text.to_owned() }
}

#[test]
fn a_total_that_is_known_makes_a_bar_as_wide_as_the_terminal() {
    let progress = Progress::new(Some(2000));
    let lines = progress.lines(&tally(1004, 997, 3), COLUMNS);
    let [line] = &lines[..] else { panic!("one line, not {lines:?}") };
    assert!(line.starts_with(" 50% [=="), "{line}");
    assert!(line.contains("] 1,000/2,000 done, 3 failed, 4 in flight, "), "{line}");
    assert!(line.contains(", ETA "), "{line}");
    let (filled, bar) = (line.matches('=').count(), line.find(']').expect("an end") - 5);
    // One character of the bar is its head.
    assert!((filled + 1) * 2 >= bar - 2 && filled * 2 <= bar, "half of it is filled: {line}");
    assert!((90..100).contains(&measure_text_width(line)), "{line}");
}

#[test]
fn without_a_total_there_is_neither_a_bar_nor_an_end_in_sight() {
    let progress = Progress::new(None);
    let lines = progress.lines(&tally(10, 5, 0), COLUMNS);
    assert!(lines[0].contains("5 done, 0 failed, 5 in flight, "), "{lines:?}");
    assert!(!lines[0].contains("ETA") && !lines[0].contains('['), "{lines:?}");
    assert!(
        progress
            .text(&tally(10, 5, 0))
            .starts_with("sonic-distribute: 5 done, 0 failed, 5 in flight, ")
    );
}

#[test]
fn the_total_is_what_was_handed_over_once_that_is_all_or_more_than_was_said() {
    let mut progress = Progress::new(Some(100));
    assert!(progress.text(&tally(150, 75, 0)).contains(": 75 of 150 done (50 %), "));
    assert!(progress.text(&tally(10, 5, 0)).contains(": 5 of 100 done (5 %), "));
    progress.complete();
    assert!(progress.text(&tally(10, 5, 0)).contains(": 5 of 10 done (50 %), "));
    assert!(progress.text(&tally(0, 0, 0)).contains(": 0 of 0 done (0 %), "));
}

#[test]
fn each_worker_has_a_line_in_columns() {
    let mut tally = tally(2000, 1200, 0);
    tally.workers = vec![
        activity(9, 1200, running(r#"{"table":"orders"}"#)),
        activity(10, 0, Doing::Starting),
        activity(11, 7, Doing::Waiting),
    ];
    let lines = Progress::new(None).lines(&tally, COLUMNS);
    assert_eq!(
        lines[1..],
        [
            r#"worker  9: 1,200 done, event 17 for 2.1s {"table":"orders"}"#,
            "worker 10:     0 done, starting",
            "worker 11:     7 done, waiting",
        ]
    );
    assert!(
        Progress::new(None)
            .text(&tally)
            .ends_with("\nsonic-distribute: worker 11:     7 done, waiting")
    );
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut tally = tally(1 << 40, 1 << 39, 1 << 38);
    let wide = "\u{6f22}".repeat(100);
    tally.workers = (1..=50).map(|worker| activity(worker, 1 << 40, running(&wide))).collect();
    for columns in [1, 2, 10, 40, 79, 80, 81, 200] {
        for total in [None, Some(1 << 41)] {
            let lines = Progress::new(total).lines(&tally, columns);
            assert_eq!(lines.len(), 1 + 50);
            for line in lines {
                let width = measure_text_width(&line);
                let most = usize::from(columns.max(2));
                assert!(width < most, "{columns} columns: {width} {line}");
            }
        }
    }
}

#[test]
fn what_is_left_says_what_came_of_the_run() {
    let progress = Progress::new(Some(10));
    let whole = progress.summary(&tally(10, 8, 2), End::Whole);
    assert!(
        whole.starts_with("sonic-distribute: 10 done, 2 failed, ") && whole.ends_with('s'),
        "{whole}"
    );
    let stopped = progress.summary(&tally(10, 4, 1), End::Stopped);
    assert!(stopped.contains(": 5 done, 1 failed, 5 not finished, "), "{stopped}");
    assert!(stopped.ends_with(": stopped"), "{stopped}");
}

#[test]
fn rates_and_times_have_the_digits_that_say_something() {
    assert_eq!(
        [0.0, 0.26, 9.94, 10.0, 1234.5].map(rate),
        ["0.0/s", "0.3/s", "9.9/s", "10/s", "1,234/s"]
    );
    let times = [40, 9_940, 10_000, 75_000, 7_200_000].map(Duration::from_millis);
    assert_eq!(times.map(brief), ["0.0s", "9.9s", "10s", "75s", "2h"]);
}
