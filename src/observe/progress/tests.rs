//! Promised: what is drawn has the counts of the run, fits the terminal, and leaves the cursor where it was.

use console::measure_text_width;

use super::*;

const COLUMNS: u16 = 100;

fn tally(handed_over: u64, answered: u64, failed: u64) -> Tally {
    Tally { handed_over, answered, failed, nodes: Vec::new(), workers: Vec::new() }
}

fn activity(worker: u32, tasks: u64, doing: Doing) -> Activity {
    Activity { worker, host: None, tasks, doing }
}

fn running(text: &str) -> Doing {
    Doing::Running { event: 17, milliseconds: 2100, text: text.to_owned() }
}

fn progress(total: u64, is_terminal: bool) -> Progress {
    let (source, total): (Source, _) = (Box::new(|| None), AtomicU64::new(total));
    let names = Names::default();
    Progress {
        number: u64::MAX,
        source,
        names,
        is_terminal,
        total,
        estimate: ProgressBar::hidden(),
    }
}

/// The first line for a terminal.
fn bar(total: u64, tally: &Tally) -> String {
    progress(total, true).lines(tally, COLUMNS).swap_remove(0)
}

/// The first line for a file.
fn text(total: u64, tally: &Tally) -> String {
    progress(total, false).lines(tally, COLUMNS).swap_remove(0)
}

#[test]
fn a_known_total_makes_a_bar_as_wide_as_the_terminal() {
    let line = bar(2000, &tally(1004, 997, 3));
    assert!(line.starts_with(" 50% [=="), "{line}");
    assert!(line.contains("] 1,000/2,000 done, 3 failed, 4 in flight, "), "{line}");
    assert!(line.contains(", ETA "), "{line}");
    let (filled, width) = (line.matches('=').count(), line.find(']').expect("an end") - 6);
    assert_eq!(filled, width / 2, "half of it is filled: {line}");
    assert_eq!(measure_text_width(&line), usize::from(COLUMNS) - 1, "{line}");
    let whole = bar(10, &tally(10, 10, 0));
    assert!(whole.starts_with("100% [==") && whole.contains("==] 10/10 done, "), "{whole}");
}

#[test]
fn a_label_and_a_unit_stand_where_they_are_read() {
    let names = || Names { label: "dump".into(), unit: "tables".into() };
    let of = |total, is_terminal| Progress { names: names(), ..progress(total, is_terminal) };
    let line = |total, is_terminal| {
        of(total, is_terminal).lines(&tally(12, 10, 1), COLUMNS).swap_remove(0)
    };
    let whole = line(20, true);
    assert!(
        whole.starts_with("dump:  55% [==") && whole.contains("] 11/20 tables, 1 failed"),
        "{whole}"
    );
    assert_eq!(measure_text_width(&whole), usize::from(COLUMNS) - 1, "{whole}");
    assert!(line(0, true).contains(" dump: 11 tables, 1 failed, "));
    assert!(line(0, false).starts_with("dump: 11 tables, 1 failed, "));
    assert!(line(20, false).starts_with("dump: 11 of 20 tables (55 %), "));
    let end = summary(&tally(12, 11, 1), &names(), Duration::from_secs(2));
    assert_eq!(end, "dump: 12 tables, 1 failed, 6.0/s, 2.0s");
}

#[test]
fn of_a_flow_the_line_names_the_nodes_at_which_most_is() {
    let busy = |name: &str, waiting, running| Busy { name: name.into(), waiting, running };
    let long = "a".repeat(30);
    let nodes = vec![busy("parse", 1, 2), busy(&long, 1500, 2), busy("load", 4, 0)];
    let tally = Tally { nodes, ..tally(2000, 1, 0) };
    let line = text(0, &tally);
    let short = "a".repeat(19);
    let told = format!(", {short}…: 1,500 waiting, 2 running, load: 4 waiting, 0 running");
    assert!(line.ends_with(&told), "{line}");
}

#[test]
fn without_a_total_there_is_neither_a_bar_nor_an_eta() {
    let line = bar(0, &tally(10, 5, 0));
    assert!(line.contains(" 5 done, 0 failed, 5 in flight, "), "{line}");
    assert!(!line.contains("ETA") && !line.contains('['), "{line}");
    assert!(text(0, &tally(10, 5, 0)).starts_with("5 done, 0 failed, 5 in flight, "));
}

#[test]
fn the_total_is_what_was_handed_over_if_that_is_more_than_was_announced() {
    assert!(text(100, &tally(150, 75, 0)).starts_with("75 of 150 done (50 %), "));
    assert!(text(100, &tally(10, 5, 0)).starts_with("5 of 100 done (5 %), "));
}

#[test]
fn the_total_is_what_was_handed_over_once_no_more_comes() {
    let source: Source = Box::new(|| Some(tally(10, 5, 0)));
    let progress = Progress { source, ..progress(100, false) };
    progress.complete();
    let lines = progress.lines(&tally(10, 5, 0), COLUMNS);
    assert!(lines[0].starts_with("5 of 10 done (50 %), "), "{lines:?}");
}

#[test]
fn each_worker_has_a_line_in_columns() {
    let mut tally = tally(2000, 1200, 0);
    tally.workers = vec![
        activity(9, 1200, running(r#"{"table":"orders"}"#)),
        activity(10, 0, Doing::Starting),
        activity(11, 7, Doing::Waiting),
    ];
    assert_eq!(
        progress(0, true).lines(&tally, COLUMNS)[1..],
        [
            r#"worker  9: 1,200 done, event 17 for 2.1s {"table":"orders"}"#,
            "worker 10:     0 done, starting",
            "worker 11:     7 done, waiting",
        ]
    );
}

#[test]
fn a_worker_of_another_machine_is_named_after_it() {
    let mut tally = tally(2000, 1200, 0);
    let there = Activity { host: Some("a".into()), ..activity(2, 12, Doing::Busy) };
    tally.workers = vec![activity(1, 7, Doing::Waiting), there];
    assert_eq!(
        progress(0, true).lines(&tally, COLUMNS)[1..],
        ["worker   1:  7 done, waiting", "worker a/2: 12 done, busy"]
    );
}

/// The rows that a frame draws.
fn rows(frame: &str) -> Vec<String> {
    let rows = frame.split("\r\n").skip(1).map(|row| console::strip_ansi_codes(row).into_owned());
    rows.map(|row| row.trim_end_matches('\r').to_owned()).collect()
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut tally = tally(1 << 40, 1 << 39, 1 << 38);
    let wide = "\u{6f22}".repeat(100);
    tally.workers = (1..=50).map(|worker| activity(worker, 1 << 40, running(&wide))).collect();
    for columns in [1, 2, 10, 40, 79, 80, 81, 200] {
        for total in [0, 1 << 41] {
            let rows = rows(&frame(progress(total, true).lines(&tally, columns), (60, columns)));
            assert_eq!(rows.len(), 1 + 50);
            for row in rows {
                let width = measure_text_width(&row);
                assert!(width < usize::from(columns.max(2)), "{columns} columns: {width} {row}");
            }
        }
    }
}

#[test]
fn a_frame_leaves_the_cursor_in_an_empty_row_above_the_lines() {
    let lines: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
    let within = |drawn: &str| format!("          \r\x1b[K\x1b[?7l{drawn}\x1b[?7h");
    let three = within("\r\na\x1b[K\r\nb\x1b[K\r\nc\x1b[K\x1b[J\x1b[3A\r");
    assert_eq!(frame(lines, (4, 10)), three);
    assert_eq!(frame(Vec::new(), (4, 10)), within("\x1b[J"));
}

#[test]
fn lines_that_do_not_fit_are_counted() {
    let fitted = |count: usize, height| {
        let lines = (1..=count).map(|line| line.to_string()).collect();
        rows(&frame(lines, (height, 20))).join(" ")
    };
    assert_eq!(fitted(3, 4), "1 2 3");
    assert_eq!(fitted(5, 4), "1 2 … and 3 more");
    assert_eq!(fitted(5, 1), "1 … and 4 more", "the bar at least");
}

#[test]
fn the_summary_says_what_became_of_the_events() {
    let time = Duration::from_secs(2);
    assert_eq!(
        summary(&tally(10, 8, 2), &Names::default(), time),
        "10 done, 2 failed, 5.0/s, 2.0s"
    );
    assert_eq!(
        summary(&tally(10, 4, 1), &Names::default(), time),
        "5 done, 1 failed, 5 not finished, 2.5/s, 2.0s"
    );
}

#[test]
fn rates_and_times_have_the_digits_that_matter() {
    assert_eq!(
        [0.0, 0.26, 9.94, 10.0, 1234.5].map(rate),
        ["0.0/s", "0.3/s", "9.9/s", "10/s", "1,234/s"]
    );
    let times = [40, 9_940, 10_000, 75_000, 7_200_000].map(Duration::from_millis);
    assert_eq!(times.map(brief), ["0.0s", "9.9s", "10s", "75s", "2h"]);
}
