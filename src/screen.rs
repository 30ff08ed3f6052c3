//! The end of the error stream, where the progress of the runs of this process is shown: drawn over again and
//! again on a terminal, and a line now and then anywhere else.
//!
//! On a terminal the cursor always rests where the drawing begins. So whoever else writes there, in whatever
//! process, writes in the drawing's place, and what was drawn comes below at the next look: nothing is ever drawn
//! over what somebody has written. [`ERASE`] before it leaves nothing of the drawing beside it; this package's
//! own processes see to that (`lib/terminal.js`). Each drawing is one write, so that it is whole.
//!
//! A thread of its own looks, because JavaScript may be busy; it is there while something is shown.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use console::Term;

use crate::child::is_in_foreground;
use crate::pool::Pool;
use crate::progress::{Progress, Size};
use crate::tally::Tally;

/// Between two looks at what is drawn: as often as an eye follows.
const DRAW: Duration = Duration::from_millis(100);

/// Between two lines where they stay.
const LINE: Duration = Duration::from_secs(5);

/// Clears the terminal from the cursor on.
const ERASE: &str = "\x1b[J";

/// Who is shown, and where.
static SCREEN: Screen = Screen { shown: Mutex::new(Shown::EMPTY), changed: Condvar::new() };

/// Something is drawn. Apart from the lock, for whoever must not wait for a terminal.
static IS_DRAWN: AtomicBool = AtomicBool::new(false);

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
    with_workers: bool,
    /// When a line of it was last written.
    told: Instant,
}

/// How a run is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Show {
    pub(crate) total: Option<u64>,
    pub(crate) with_workers: bool,
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
pub(crate) fn begin(pool: &Arc<Pool>, show: Show) -> io::Result<u32> {
    let mut shown = SCREEN.lock();
    if !shown.has_thread {
        thread::Builder::new().name("sonic-progress".into()).spawn(|| SCREEN.watch())?;
        shown.has_thread = true;
    }
    let id = shown.next;
    shown.next = shown.next.wrapping_add(1);
    shown.is_terminal = show.is_terminal;
    shown.runs.push(Run {
        id,
        pool: Arc::downgrade(pool),
        progress: Progress::new(show.total),
        with_workers: show.with_workers,
        told: Instant::now(),
    });
    Ok(id)
}

/// No more events come than the run has been handed.
pub(crate) fn complete(id: u32) {
    if let Some(run) = SCREEN.lock().runs.iter_mut().find(|run| run.id == id) {
        run.progress.complete();
    }
}

/// Shows a run no more, but for a line that stays and says what came of it.
pub(crate) fn end(id: u32, pool: &Pool, is_whole: bool) {
    let tally = pool.tally(false);
    let mut shown = SCREEN.lock();
    let Some(at) = shown.runs.iter().position(|run| run.id == id) else { return };
    let run = shown.runs.remove(at);
    let summary = run.progress.summary(&tally, is_whole);
    let begin = match (shown.is_line_open, IS_DRAWN.load(Ordering::SeqCst)) {
        (true, _) => "\n",
        (false, true) => ERASE,
        (false, false) => "",
    };
    shown.is_line_open = false;
    write(&format!("{begin}{summary}\n"));
    if shown.runs.is_empty() {
        IS_DRAWN.store(false, Ordering::SeqCst);
    }
    drop(shown);
    SCREEN.changed.notify_all();
}

/// The program writes to the terminal, and has come to the end of a line or not.
pub(crate) fn line_is_open(is_open: bool) {
    SCREEN.lock().is_line_open = is_open;
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
                return;
            }
            let pools: Vec<(u32, Weak<Pool>, bool)> =
                shown.runs.iter().map(|run| (run.id, run.pool.clone(), run.with_workers)).collect();
            drop(shown);
            // Whoever holds the pool may be about to lock the screen.
            let tallies: Vec<(u32, Tally)> = pools
                .into_iter()
                .filter_map(|(id, pool, workers)| Some((id, pool.upgrade()?.tally(workers))))
                .collect();
            self.lock().look(&tallies);
        }
    }
}

impl Shown {
    fn look(&mut self, tallies: &[(u32, Tally)]) {
        let mut text = String::new();
        let size = size();
        let mut lines = Vec::new();
        for run in &mut self.runs {
            let Some((_, tally)) = tallies.iter().find(|(id, _)| *id == run.id) else { continue };
            if self.is_terminal {
                lines.extend(run.progress.lines(tally, size));
            } else if run.told.elapsed() >= LINE {
                run.told = Instant::now();
                text += &run.progress.text(tally);
                text.push('\n');
            } else {
                run.progress.learn(tally);
            }
        }
        // All may have ended since they were counted.
        if !lines.is_empty() && !self.is_line_open && is_in_foreground() {
            IS_DRAWN.store(true, Ordering::SeqCst);
            text = drawing(&lines, size);
        }
        if !text.is_empty() {
            write(&text);
        }
    }
}

/// What draws the lines below the cursor and leaves it where it was. Each takes the place of what was there before:
/// a terminal that was cleared first would flicker.
fn drawing(lines: &[String], size: Size) -> String {
    let most = usize::from(size.rows.saturating_sub(1)).max(1);
    let lines = &lines[..lines.len().min(most)];
    let up = match lines.len() {
        0 | 1 => String::new(),
        count => format!("\x1b[{}A", count - 1),
    };
    format!("{}{ERASE}{up}\r", lines.join("\x1b[K\r\n"))
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
        assert_eq!(drawing(&lines[..1], size), "a\x1b[J\r");
        assert_eq!(drawing(&lines[..3], size), "a\x1b[K\r\nb\x1b[K\r\nc\x1b[J\x1b[2A\r");
        assert_eq!(drawing(&lines, size), drawing(&lines[..3], size), "no more than fit");
    }
}
