//! What is shown of a run while it is on: a bar on a terminal, lines anywhere else. Told how far the run has
//! come it says how that looks; where it goes is the screen's business.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use console::{measure_text_width, truncate_str};
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState};
use indicatif::{ProgressStyle, TermLike};

use crate::observe::tally::{Activity, Doing, Tally};

/// Before each line that stands alone: who writes there.
const NAME: &str = "sonic-distribute";

const WITH_TOTAL: &str =
    "{percent:>3}% [{wide_bar}] {human_pos}/{human_len} done, {msg}, {rate}, {elapsed}, ETA {eta}";
const WITHOUT_TOTAL: &str = "{spinner} {human_pos} done, {msg}, {rate}, {elapsed}";

/// Where a terminal has no room for a bar, in columns.
const NARROW: u16 = 80;
const NARROW_WITH_TOTAL: &str = "{percent:>3}% {human_pos}/{human_len}, {msg}, ETA {eta}";

/// How a run was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It has come to its end.
    Whole,
    Stopped,
}

/// The progress of one run, which has begun when this is made.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    sheet: Sheet,
    /// How many events there will be, if that is known.
    total: Option<u64>,
    /// No more events are handed over: those that were are all that there are.
    is_complete: bool,
}

impl Progress {
    pub(crate) fn new(total: Option<u64>) -> Self {
        let sheet = Sheet::default();
        // It is drawn when this is asked for lines, and only then.
        let target = ProgressDrawTarget::term_like(Box::new(sheet.clone()));
        let bar = ProgressBar::with_draw_target(None, target);
        Self { bar, sheet, total, is_complete: false }
    }

    /// From now on it is known that no more events come than were handed over.
    pub(crate) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// The lines for a terminal of so many columns, none of them longer than that: the bar, and one for each worker.
    pub(crate) fn lines(&self, tally: &Tally, columns: u16) -> Vec<String> {
        self.learn(tally);
        let template = match self.bar.length() {
            None => WITHOUT_TOTAL,
            Some(_) if columns < NARROW => NARROW_WITH_TOTAL,
            Some(_) => WITH_TOTAL,
        };
        self.bar.set_style(style(template));
        self.bar.set_message(counts(tally));
        // The last column is left free: a terminal may begin another line when that is written to.
        let columns = columns.saturating_sub(1);
        let mut lines = vec![self.sheet.line(columns, || self.bar.force_draw())];
        lines.extend(activities(&tally.workers));
        lines.iter().map(|line| truncate_str(line, columns.into(), "…").into_owned()).collect()
    }

    /// The lines for where nothing can be drawn over.
    pub(crate) fn text(&self, tally: &Tally) -> String {
        self.learn(tally);
        let (position, length) = (HumanCount(self.bar.position()), self.bar.length());
        let mut text = format!("{NAME}: {position}");
        if let Some(length) = length {
            let _ = write!(text, " of {} done ({} %)", HumanCount(length), percent(&self.bar));
        } else {
            text.push_str(" done");
        }
        let (rate, elapsed) = (rate(self.bar.per_sec()), brief(self.bar.elapsed()));
        let _ = write!(text, ", {}, {rate}, {elapsed}", counts(tally));
        if length.is_some() && tally.ended() > 0 {
            let _ = write!(text, ", ETA {}", brief(self.bar.eta()));
        }
        for line in activities(&tally.workers) {
            let _ = write!(text, "\n{NAME}: {line}");
        }
        text
    }

    /// The line that is left when the run is over.
    pub(crate) fn summary(&self, tally: &Tally, end: End) -> String {
        let elapsed = self.bar.elapsed();
        let mean = rate(tally.ended() as f64 / elapsed.as_secs_f64().max(1e-9));
        let (ended, failed) = (HumanCount(tally.ended()), HumanCount(tally.failed));
        let mut text = format!("{NAME}: {ended} done, {failed} failed");
        if tally.in_flight() > 0 {
            let _ = write!(text, ", {} not finished", HumanCount(tally.in_flight()));
        }
        let _ = write!(text, ", {mean}, {}", brief(elapsed));
        if end == End::Stopped {
            text.push_str(": stopped");
        }
        text
    }

    /// Learns how far the run has come: what is said of its speed is better the more often that is.
    pub(crate) fn learn(&self, tally: &Tally) {
        if tally.handed_over == 0 {
            // The start of the workers says nothing about how fast they are.
            self.bar.reset_eta();
        }
        let known = if self.is_complete { Some(tally.handed_over) } else { self.total };
        // The program may have been wrong about it.
        let length = known.map(|total| total.max(tally.handed_over));
        self.bar.update(|state: &mut ProgressState| {
            state.set_pos(tally.ended());
            if let Some(length) = length {
                state.set_len(length);
            }
        });
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("a template");
    style.progress_chars("=> ").with_key(
        "rate",
        |state: &ProgressState, line: &mut dyn std::fmt::Write| {
            let _ = line.write_str(&rate(state.per_sec()));
        },
    )
}

fn counts(tally: &Tally) -> String {
    let (failed, in_flight) = (HumanCount(tally.failed), HumanCount(tally.in_flight()));
    format!("{failed} failed, {in_flight} in flight")
}

/// Events a second, in as many digits as say something.
fn rate(per_second: f64) -> String {
    if per_second < 10.0 {
        format!("{per_second:.1}/s")
    } else {
        format!("{}/s", HumanCount(per_second as u64))
    }
}

fn percent(bar: &ProgressBar) -> u64 {
    let length = bar.length().unwrap_or(0).max(1);
    bar.position().min(length) * 100 / length
}

/// A time as a person says it: in tenths of a second while those count.
fn brief(time: Duration) -> String {
    if time < Duration::from_secs(10) {
        format!("{:.1}s", time.as_secs_f64())
    } else {
        format!("{:#}", HumanDuration(time))
    }
}

/// A line for each worker, in columns.
fn activities(workers: &[Activity]) -> impl Iterator<Item = String> {
    let width = |texts: &mut dyn Iterator<Item = String>| {
        texts.map(|text| measure_text_width(&text)).max().unwrap_or(0)
    };
    let ids = width(&mut workers.iter().map(|activity| activity.worker.to_string()));
    let counts = width(&mut workers.iter().map(|activity| HumanCount(activity.tasks).to_string()));
    workers.iter().map(move |Activity { worker, tasks, doing }| {
        let tasks = HumanCount(*tasks).to_string();
        let doing = match doing {
            Doing::Starting => "starting".to_owned(),
            Doing::Waiting => "waiting".to_owned(),
            Doing::Gone => "gone".to_owned(),
            Doing::Running { event, milliseconds, text } => {
                let time = brief(Duration::from_millis((*milliseconds).into()));
                format!("event {event} for {time} {text}").trim_end().to_owned()
            }
        };
        format!("worker {worker:>ids$}: {tasks:>counts$} done, {doing}")
    })
}

/// A terminal of one line, on which the bar is drawn to be taken from.
#[derive(Debug, Clone, Default)]
struct Sheet(Arc<Mutex<(u16, String)>>);

impl Sheet {
    /// What `draw` leaves on it where it is `columns` wide.
    fn line(&self, columns: u16, draw: impl FnOnce()) -> String {
        *self.lock() = (columns, String::new());
        draw();
        self.lock().1.trim_end().to_owned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (u16, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TermLike for Sheet {
    fn width(&self) -> u16 {
        // On less the library counts below zero.
        self.lock().0.max(1)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        if text != "\r" {
            self.lock().1.push_str(text);
        }
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.lock().1.clear();
        Ok(())
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
