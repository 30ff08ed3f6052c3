//! The end of the error stream, where the progress of the runs of this process is shown: drawn over again and
//! again on a terminal, and a line now and then anywhere else.
//!
//! On a terminal the cursor always rests where the drawing begins. So whoever else writes there, in whatever
//! process, writes in the drawing's place, and what was drawn comes below at the next look: each drawing goes to a
//! row of its own ([`fresh_row`]), and never over what somebody has written. [`ERASE`] before it leaves nothing of the
//! drawing beside it; this package's own processes see to that (`lib/terminal.js`). Each drawing is one write, so
//! that it is whole.
//!
//! A thread of its own looks, because JavaScript may be busy; it is there while something is shown. It writes only
//! where there is room: nobody waits for a pipe that nobody reads, or for a terminal that is stopped. (The line at the
//! end waits for a terminal, as any line of the program's does.)
//!
//! There is one for the whole process, because that has one error stream.

use std::io::{self, Write};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use console::Term;

use crate::observe::progress::{End, Progress};
use crate::observe::tally::{Detail, Tally};
use crate::os::terminal::{self, ERASE, IS_DRAWN, has_room, is_in_foreground};
use crate::pool::Pool;

/// Between two looks at what is drawn: as often as an eye follows.
const DRAW: Duration = Duration::from_millis(100);

/// Between two lines where they stay.
const LINE: Duration = Duration::from_secs(5);

/// Has a terminal begin no new line at its last column, and do so again: what is wider than it was taken for must
/// not become two rows.
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";

/// Who is shown, and where.
static SCREEN: Screen = Screen { shown: Mutex::new(Shown::EMPTY), changed: Condvar::new() };

struct Screen {
    shown: Mutex<Shown>,
    /// Somebody is shown no more.
    changed: Condvar,
}

struct Shown {
    runs: Vec<Run>,
    next: u32,
    is_terminal: bool,
    /// The program is in the middle of a line: nothing is drawn until it is at its end.
    is_line_open: bool,
    has_thread: bool,
}

/// A run that is shown.
struct Run {
    id: u32,
    pool: Weak<Pool>,
    progress: Progress,
    detail: Detail,
    /// When a line of it was last written.
    told: Instant,
}

/// The rows and columns of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    rows: u16,
    columns: u16,
}

/// How a run is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Show {
    pub(crate) total: Option<u64>,
    pub(crate) detail: Detail,
    /// The error stream is a terminal on which the cursor can be moved.
    pub(crate) is_terminal: bool,
}

impl Shown {
    const EMPTY: Self = Self {
        runs: Vec::new(),
        next: 0,
        is_terminal: false,
        is_line_open: false,
        has_thread: false,
    };
}

/// Shows a run until [`end`]; says what it is called there.
pub(crate) fn begin(pool: &Arc<Pool>, show: Show) -> u32 {
    let mut shown = SCREEN.lock();
    if !shown.has_thread {
        let thread = thread::Builder::new().name("sonic-progress".into());
        // Where the system has none to spare there is just the line at the end.
        shown.has_thread = thread.spawn(|| SCREEN.watch()).is_ok();
    }
    let id = shown.next;
    shown.next = shown.next.wrapping_add(1);
    shown.is_terminal = show.is_terminal;
    shown.runs.push(Run {
        id,
        pool: Arc::downgrade(pool),
        progress: Progress::new(show.total),
        detail: show.detail,
        told: Instant::now(),
    });
    id
}

/// No more events come than the run has been handed.
pub(crate) fn complete(id: u32) {
    if let Some(run) = SCREEN.lock().runs.iter_mut().find(|run| run.id == id) {
        run.progress.complete();
    }
}

/// Shows a run no more, but for a line that stays and says what came of it.
pub(crate) fn end(id: u32, pool: &Pool, end: End) {
    let tally = pool.tally(Detail::Counts);
    let mut shown = SCREEN.lock();
    let Some(at) = shown.runs.iter().position(|run| run.id == id) else { return };
    let run = shown.runs.remove(at);
    let summary = run.progress.summary(&tally, end);
    if shown.is_terminal && is_in_foreground() {
        write(&format!("{}{ERASE}{summary}\n", fresh_row(size())));
    } else if shown.is_terminal || has_room() {
        write(&format!("{summary}\n"));
    }
    if shown.runs.is_empty() {
        IS_DRAWN.store(false, Ordering::SeqCst);
        terminal::disarm();
    }
    drop(shown);
    SCREEN.changed.notify_all();
}

/// The program is about to write to the terminal what does not end its line: nothing is drawn until it is ended.
pub(crate) fn open_line() {
    SCREEN.lock().is_line_open = true;
}

/// It has written the end of one.
pub(crate) fn end_line() {
    SCREEN.lock().is_line_open = false;
}

impl Screen {
    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread's whole life.
    fn watch(&self) {
        loop {
            let shown = self.lock();
            let (mut shown, _) = self
                .changed
                .wait_timeout_while(shown, DRAW, |shown| !shown.runs.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            shown.runs.retain(|run| run.pool.strong_count() > 0);
            if shown.runs.is_empty() {
                shown.has_thread = false;
                // Those that were abandoned have ended nothing.
                if IS_DRAWN.swap(false, Ordering::SeqCst) && has_room() {
                    write(ERASE);
                }
                return;
            }
            let pools: Vec<(u32, Weak<Pool>, Detail)> =
                shown.runs.iter().map(|run| (run.id, run.pool.clone(), run.detail)).collect();
            drop(shown);
            // Whoever holds the pool may be about to lock the screen.
            let tallies: Vec<(u32, Tally)> = pools
                .into_iter()
                .filter_map(|(id, pool, detail)| Some((id, pool.upgrade()?.tally(detail))))
                .collect();
            self.lock().look(&tallies);
        }
    }
}

impl Shown {
    fn look(&mut self, tallies: &[(u32, Tally)]) {
        // If there is none, nobody sees what is written now.
        if !has_room() {
            return;
        }
        let size = size();
        let (mut lines, mut workers) = (Vec::new(), Vec::new());
        for run in &mut self.runs {
            let Some((_, tally)) = tallies.iter().find(|(id, _)| *id == run.id) else { continue };
            if self.is_terminal {
                let mut drawn = run.progress.lines(tally, size.columns).into_iter();
                lines.extend(drawn.next());
                workers.extend(drawn);
            } else if run.told.elapsed() >= LINE {
                run.told = Instant::now();
                // A line always fits where there is room at all.
                for line in run.progress.text(tally).lines() {
                    if has_room() {
                        write(&format!("{line}\n"));
                    }
                }
            } else {
                run.progress.learn(tally);
            }
        }
        lines.extend(workers);
        // All may have ended since they were counted.
        if !lines.is_empty() && !self.is_line_open && is_in_foreground() {
            IS_DRAWN.store(true, Ordering::SeqCst);
            write(&drawing(&fitting(lines, size), size));
        }
    }
}

/// The lines that a terminal has room for, the row above them included; the last says how many more there are.
fn fitting(mut lines: Vec<String>, size: Size) -> Vec<String> {
    let most = usize::from(size.rows.saturating_sub(1)).max(1);
    if lines.len() > most {
        let kept = most.max(2) - 1;
        let more = lines.len() - kept;
        lines.truncate(kept);
        if most > 1 {
            lines.push(format!("… and {more} more"));
        }
    }
    lines
}

/// What draws the lines below the cursor and leaves it where it was. Each takes the place of what was there before:
/// a terminal that was cleared first would flicker.
fn drawing(lines: &[String], size: Size) -> String {
    let up = match lines.len() {
        0 | 1 => String::new(),
        count => format!("\x1b[{}A", count - 1),
    };
    let fresh = fresh_row(size);
    format!("{fresh}{NO_WRAP}{}{ERASE}{up}\r{WRAP}", lines.join("\x1b[K\r\n"))
}

/// Brings the cursor to the beginning of a row: of its own, unless somebody has written something there and has not
/// ended the line. (So many blanks fill the row, and a terminal goes on to the next one only with another character.)
fn fresh_row(size: Size) -> String {
    format!("{}\r", " ".repeat(size.columns.into()))
}

fn size() -> Size {
    let known = Term::stderr().size_checked().filter(|&(rows, columns)| rows > 0 && columns > 0);
    // As terminals were when nobody could ask.
    let (rows, columns) = known.unwrap_or((24, 80));
    Size { rows, columns }
}

fn write(text: &str) {
    // An error stream that is closed or full is no reason to say so there.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// The error stream, for lines that are to stand beside what is drawn.
pub(crate) fn beside() -> impl Write {
    Beside
}

struct Beside;

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !IS_DRAWN.load(Ordering::SeqCst) {
            return io::stderr().write(bytes);
        }
        io::stderr().write_all(&[ERASE.as_bytes(), bytes].concat())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_leaves_the_cursor_where_it_begins() {
        let size = Size { rows: 4, columns: 10 };
        let lines: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
        let within = |drawn: &str| format!("          \r\x1b[?7l{drawn}\r\x1b[?7h");
        assert_eq!(drawing(&lines[..1], size), within("a\x1b[J"));
        let three = within("a\x1b[K\r\nb\x1b[K\r\nc\x1b[J\x1b[2A");
        assert_eq!(drawing(&lines[..3], size), three);
    }

    #[test]
    fn lines_that_do_not_fit_are_counted() {
        let fitted = |count: usize, rows| {
            let lines = (1..=count).map(|line| line.to_string()).collect();
            fitting(lines, Size { rows, columns: 10 }).join(" ")
        };
        assert_eq!(fitted(3, 4), "1 2 3");
        assert_eq!(fitted(5, 4), "1 2 … and 3 more");
        assert_eq!(fitted(5, 3), "1 … and 4 more");
        assert_eq!(
            (fitted(5, 2), fitted(1, 0)),
            ("1".to_owned(), "1".to_owned()),
            "the bar at least"
        );
    }
}
