//! Shows on the error stream how far a run has come: a bar on a terminal, lines anywhere else, a summary at the end.
//!
//! On a terminal the cursor rests in an empty row above the bar. Whatever any process writes takes that row, and the
//! next drawing starts below it: nothing is drawn over, and no process needs to know who draws. A second line between
//! two drawings may keep the end of the bar to its right. (indicatif's own drawing would clear what was written since.)
//! Each run has a thread that draws, because JavaScript may be busy. It never blocks: what does not fit is dropped.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use console::{Term, is_dumb, measure_text_width, truncate_str, user_attended_stderr};
use indicatif::{HumanCount, HumanDuration, ProgressBar};

use crate::observe::tally::{Activity, Busy, Doing, Tally};
use crate::os::terminal::{has_room, is_in_foreground};

/// The time between two drawings: as often as an eye follows.
const DRAW: Duration = Duration::from_millis(100);
/// The time between two lines that stay.
const LINE: Duration = Duration::from_secs(5);

/// Of so many nodes of a flow the line tells.
const MOST_NODES: usize = 2;
/// The most of a node's name that is shown.
const LONGEST_NAME: usize = 20;

/// What is drawn of each run in this process, by number: there is one error stream.
static DRAWN: Mutex<BTreeMap<u64, Vec<String>>> = Mutex::new(BTreeMap::new());
/// A run is no longer drawn.
static REMOVED: Condvar = Condvar::new();

/// What the program calls a run, and its events.
#[derive(Debug)]
pub(crate) struct Names {
    /// What is done; nothing if that is not said.
    pub(crate) label: String,
    /// What is counted, in the plural.
    pub(crate) unit: String,
}

impl Default for Names {
    fn default() -> Self {
        Self { label: String::new(), unit: "done".to_owned() }
    }
}

impl Names {
    /// The label before a line.
    fn head(&self) -> String {
        if self.label.is_empty() { String::new() } else { format!("{}: ", self.label) }
    }
}

/// Counts a run's events; `None` if the run is gone.
pub(crate) type Source = Box<dyn Fn() -> Option<Tally> + Send + Sync>;

/// The progress of one run, shown until [`Progress::end`].
pub(crate) struct Progress {
    number: u64,
    source: Source,
    names: Names,
    is_terminal: bool,
    /// How many events there will be; 0 if unknown.
    total: AtomicU64,
    estimate: ProgressBar,
}

impl Progress {
    pub(crate) fn begin(total: u64, names: Names, source: Source) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        drawn().insert(number, Vec::new());
        let is_terminal = user_attended_stderr() && !is_dumb();
        let (total, estimate) = (AtomicU64::new(total), ProgressBar::hidden());
        let progress = Arc::new(Self { number, source, names, is_terminal, total, estimate });
        let shown = Arc::clone(&progress);
        // If no thread can be started, only the summary is shown.
        let _ = thread::Builder::new().name("sonic-progress".into()).spawn(move || shown.watch());
        progress
    }

    /// The run gets no more events.
    pub(crate) fn complete(&self) {
        if let Some(tally) = (self.source)() {
            self.total.store(tally.handed_over, Ordering::Relaxed);
        }
    }

    /// Removes the bar and writes the summary with the note.
    pub(crate) fn end(&self, note: &str) {
        self.draw(None);
        if let Some(tally) = (self.source)().filter(|_| self.is_terminal || has_room()) {
            write(&(summary(&tally, &self.names, self.estimate.elapsed()) + note));
        }
    }

    fn watch(&self) {
        let every = if self.is_terminal { DRAW } else { LINE };
        loop {
            let waited = REMOVED
                .wait_timeout_while(drawn(), every, |drawn| drawn.contains_key(&self.number));
            if !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out() {
                return;
            }
            self.draw((self.source)().map(|tally| self.lines(&tally, size().1)));
        }
    }

    /// Draws the run with these lines, if it is still shown; without lines, shows it no longer.
    fn draw(&self, lines: Option<Vec<String>>) {
        let mut drawn = drawn();
        let Some(own) = drawn.get_mut(&self.number) else { return };
        *own = lines.clone().unwrap_or_default();
        if lines.is_none() {
            drawn.remove(&self.number);
            REMOVED.notify_all();
        }
        if !self.is_terminal {
            lines.iter().flatten().filter(|_| has_room()).for_each(|line| write(line));
        } else if has_room() && is_in_foreground() {
            let text = frame(drawn.values().flatten().cloned().collect(), size());
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }

    /// The bar, as wide as the terminal, and a line for each worker.
    fn lines(&self, tally: &Tally, columns: u16) -> Vec<String> {
        let Self { estimate, is_terminal, names, .. } = self;
        if tally.handed_over == 0 {
            // How long the workers take to start says nothing about their speed.
            estimate.reset_eta();
        }
        let announced = self.total.load(Ordering::Relaxed);
        // The program may have announced too few.
        let total = if announced == 0 { 0 } else { announced.max(tally.handed_over) };
        estimate.set_length(total);
        estimate.update(|state| state.set_pos(tally.ended()));
        let (ended, elapsed) = (HumanCount(tally.ended()), HumanDuration(estimate.elapsed()));
        let (failed, in_flight) = (HumanCount(tally.failed), HumanCount(tally.in_flight()));
        let rate = rate(estimate.per_sec());
        let spinner = ["|", "/", "-", "\\"][elapsed.0.as_millis() as usize / 100 % 4];
        let mut line = format!("{failed} failed, {in_flight} in flight, {rate}, {elapsed:#}");
        if total > 0 {
            let _ = write!(line, ", ETA {:#}", HumanDuration(estimate.eta()));
        }
        line += &busiest(&tally.nodes);
        let (head, unit) = (names.head(), &names.unit);
        let (of, percent) = (HumanCount(total), tally.ended() * 100 / total.max(1));
        line = match (is_terminal, total) {
            (true, 0) => format!("{spinner} {head}{ended} {unit}, {line}"),
            (false, 0) => format!("{head}{ended} {unit}, {line}"),
            (false, _) => format!("{head}{ended} of {of} {unit} ({percent} %), {line}"),
            (true, _) => {
                let line = format!("{ended}/{of} {unit}, {line}");
                let width = usize::from(columns).saturating_sub(
                    measure_text_width(&(head.clone() + &line)) + "100% [] ".len() + 1,
                );
                let bar = "=".repeat(width * tally.ended() as usize / total as usize) + ">";
                format!("{head}{percent:>3}% [{bar:<width$.width$}] {line}")
            }
        };
        let width =
            |of: fn(&Activity) -> usize| tally.workers.iter().map(of).max().unwrap_or_default();
        let ids = width(|each| measure_text_width(&name(each)));
        let tasks = width(|each| HumanCount(each.tasks).to_string().len());
        let workers = tally.workers.iter().map(|each| activity(each, ids, tasks));
        std::iter::once(line).chain(workers).collect()
    }
}

/// The nodes of a flow at which most events are: more would not fit in a line.
fn busiest(nodes: &[Busy]) -> String {
    let mut busiest: Vec<&Busy> = nodes.iter().collect();
    busiest.sort_by_key(|node| std::cmp::Reverse(node.waiting + node.running));
    let mut text = String::new();
    for Busy { name, waiting, running } in busiest.into_iter().take(MOST_NODES) {
        let name = truncate_str(name, LONGEST_NAME, "…");
        let _ = write!(
            text,
            ", {name}: {} waiting, {} running",
            HumanCount(*waiting),
            HumanCount(*running)
        );
    }
    text
}

/// A worker, after its machine if that is another.
fn name(Activity { worker, host, .. }: &Activity) -> String {
    host.as_ref().map_or_else(|| worker.to_string(), |host| format!("{host}/{worker}"))
}

fn activity(each: &Activity, ids: usize, counts: usize) -> String {
    let doing = match &each.doing {
        Doing::Starting => "starting".to_owned(),
        Doing::Waiting => "waiting".to_owned(),
        Doing::Busy => "busy".to_owned(),
        Doing::Gone => "gone".to_owned(),
        Doing::Running { event, milliseconds, text } => {
            let time = brief(Duration::from_millis((*milliseconds).into()));
            format!("event {event} for {time} {text}")
        }
    };
    let (name, tasks) = (name(each), HumanCount(each.tasks).to_string());
    format!("worker {name:>ids$}: {tasks:>counts$} done, {doing}")
}

fn summary(tally: &Tally, names: &Names, elapsed: Duration) -> String {
    let (ended, failed) = (HumanCount(tally.ended()), HumanCount(tally.failed));
    let mut text = format!("{}{ended} {}, {failed} failed", names.head(), names.unit);
    if tally.in_flight() > 0 {
        let _ = write!(text, ", {} not finished", HumanCount(tally.in_flight()));
    }
    let mean = rate(tally.ended() as f64 / elapsed.as_secs_f64().max(1e-9));
    format!("{text}, {mean}, {}", brief(elapsed))
}

fn rate(per_second: f64) -> String {
    let count = HumanCount(per_second as u64);
    if per_second < 10.0 { format!("{per_second:.1}/s") } else { format!("{count}/s") }
}

/// A time in one unit, with tenths of a second below ten.
fn brief(time: Duration) -> String {
    let tenths = format!("{:.1}s", time.as_secs_f64());
    if time.as_secs() < 10 { tenths } else { format!("{:#}", HumanDuration(time)) }
}

/// Draws the lines below the cursor's row, as many as fit, and returns there. The blanks move the cursor to the start
/// of an empty row: they fill one, and reach the next only if somebody wrote half a line before them.
fn frame(mut lines: Vec<String>, (rows, columns): (u16, u16)) -> String {
    let kept = usize::from(rows.max(3)) - 2;
    if lines.len() > kept + 1 {
        let more = format!("… and {} more", lines.len() - kept);
        lines.splice(kept.., [more]);
    }
    let (blanks, width) = (" ".repeat(columns.into()), columns.saturating_sub(1).into());
    // Terminals disagree on how wide some characters are: without wrapping, a line stays in its row.
    let mut frame = format!("{blanks}\r\x1b[K\x1b[?7l");
    for line in &lines {
        let _ = write!(frame, "\r\n{}\x1b[K", truncate_str(line, width, "…"));
    }
    frame += "\x1b[J";
    if !lines.is_empty() {
        let _ = write!(frame, "\x1b[{}A\r", lines.len());
    }
    frame + "\x1b[?7h"
}

/// The terminal's rows and columns.
fn size() -> (u16, u16) {
    let known = Term::stderr().size_checked();
    known.filter(|&(rows, columns)| rows > 0 && columns > 0).unwrap_or((24, 80))
}

fn drawn() -> MutexGuard<'static, BTreeMap<u64, Vec<String>>> {
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a line among the program's own. A closed error stream is no reason to fail.
fn write(line: &str) {
    let _ = io::stderr().write_all(format!("sonic-distribute: {line}\n").as_bytes());
}

#[cfg(test)]
mod tests;
