//! What a run has answered, in a file that the same run reads when the program is started again.
//!
//! The file begins with a [`head`](record::Head): whose answers they are. A record for each answered event follows, in the
//! order of the answers: the number of the event in its run, a digest of its data, and the answer's bytes as they came from
//! the worker. Records are only ever appended, and each has a checksum: a crash can leave nothing worse than a torn last
//! record, which is cut off when the file is opened. Of each record its offset alone is in memory.
//!
//! While a file is open it is locked: two runs that wrote to it would make one of neither. The lock is the process's, and
//! ends with it.

mod error;
mod record;
mod sync;
mod window;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use self::error::Error;
use self::record::Head;
pub(crate) use self::record::{Answer, Record, digest};
pub(crate) use self::sync::Sync;
use self::sync::Syncer;
use self::window::Window;
use crate::os::file;

type Result<T> = std::result::Result<T, Error>;

/// In the place of an offset: nothing is written of the event. (At 0 there is the head.)
const NOTHING: u64 = 0;

/// The buffer of records that are to be written keeps no more memory than this.
const MOST_KEPT: usize = 1 << 20;

/// There are not so many events in a row whose answers are not in the file: 1 GB of the index.
const MOST_FAILED: usize = 1 << 27;

/// An open file.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    path: PathBuf,
    file: Arc<File>,
    /// Where the record of each event begins, by number, of those that were in the file when it was opened.
    index: Vec<u64>,
    window: Window,
    /// Where the next record is written.
    end: u64,
    /// Records that are not written yet.
    pending: Vec<u8>,
    sync: Sync,
    syncer: Option<Syncer>,
    /// Something could not be written: what follows would come behind a gap.
    is_broken: bool,
}

/// A file that was opened: what its head says of the program, or none if it is new.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) program: Option<String>,
}

impl Checkpoint {
    /// Opens a file, or creates it as one of this program's.
    pub(crate) fn open(path: &Path, program: &str, sync: Sync) -> Result<Opened> {
        let file = file::exclusive(path).map_err(Error::opening(path))?;
        let about = file.metadata().map_err(Error::system(path, "read"))?;
        if !about.is_file() {
            return Err(Error::Foreign { path: path.to_owned(), what: "is no regular file" });
        }
        let mut checkpoint = Self {
            path: path.to_owned(),
            file: Arc::new(file),
            index: Vec::new(),
            window: Window::default(),
            end: 0,
            pending: Vec::new(),
            sync,
            syncer: None,
            is_broken: false,
        };
        let found = checkpoint.read_head(about.len())?;
        if found.is_some() {
            checkpoint.read_records(about.len())?;
        } else {
            checkpoint.begin(program)?;
        }
        if let Sync::Every(interval) = sync {
            let syncer = Syncer::start(Arc::clone(&checkpoint.file), interval);
            checkpoint.syncer = Some(syncer.map_err(Error::system(path, "flushed to the disk"))?);
        }
        Ok(Opened { checkpoint, program: found })
    }

    /// What the head says; none if there is no whole one, as after a crash right at the start.
    fn read_head(&mut self, len: u64) -> Result<Option<String>> {
        let foreign = |what| Error::Foreign { path: self.path.clone(), what };
        let longest = usize::try_from(len).unwrap_or(usize::MAX).min(Head::LONGEST);
        let bytes = self.window.bytes(&self.file, 0, longest);
        let bytes = bytes.map_err(Error::system(&self.path, "read"))?.unwrap_or_default();
        match Head::parse(bytes).map_err(foreign)? {
            Some((program, end)) => {
                self.end = end as u64;
                Ok(Some(program))
            }
            None => Ok(None),
        }
    }

    fn begin(&mut self, program: &str) -> Result<()> {
        self.cut()?;
        self.pending = Head::bytes(program);
        self.flush()?;
        if self.sync != Sync::Never {
            file::sync_folder(&self.path).map_err(Error::system(&self.path, "created"))?;
        }
        Ok(())
    }

    /// Finds the records, and cuts off what is behind the last whole one.
    fn read_records(&mut self, len: u64) -> Result<()> {
        let reading = Error::system(&self.path, "read");
        let found = (|| {
            while let Some(head) = self.window.bytes(&self.file, self.end, Record::HEAD)? {
                let Some(whole) = Record::len(head).filter(|&all| all <= len - self.end) else {
                    break;
                };
                // It is shorter than what one answer may have.
                let Some(bytes) = self.window.bytes(&self.file, self.end, whole as usize)? else {
                    break;
                };
                let Some(record) = Record::parse(bytes) else { break };
                if !note(&mut self.index, record.number, self.end) {
                    break;
                }
                self.end += whole;
            }
            Ok(())
        })();
        found.map_err(reading)?;
        self.window.shrink();
        if self.end < len { self.cut() } else { Ok(()) }
    }

    fn cut(&mut self) -> Result<()> {
        self.window = Window::default();
        self.file.set_len(self.end).map_err(Error::system(&self.path, "cut"))
    }

    /// Whether there may be answers to events from this number on.
    pub(crate) fn has_from(&self, number: u64) -> bool {
        number < self.index.len() as u64
    }

    /// What was answered to the event of this number; none if nothing is written of it. Fails if it had other data.
    pub(crate) fn answer(&mut self, number: u64, digest: u64) -> Result<Option<Answer>> {
        let offset = usize::try_from(number).ok().and_then(|at| self.index.get(at).copied());
        let Some(offset) = offset.filter(|&offset| offset != NOTHING) else { return Ok(None) };
        let path = &self.path;
        let damaged = || Error::Damaged { path: path.clone(), offset };
        let reading = || Error::system(path, "read");
        let head = self.window.bytes(&self.file, offset, Record::HEAD).map_err(reading())?;
        let whole = head.and_then(Record::len).ok_or_else(damaged)?;
        let bytes = self.window.bytes(&self.file, offset, whole as usize).map_err(reading())?;
        let record = bytes.and_then(Record::parse).filter(|record| record.number == number);
        let record = record.ok_or_else(damaged)?;
        if record.digest != digest {
            return Err(Error::Data { path: path.clone(), number });
        }
        let answer = record.answer();
        self.window.shrink();
        if number + 1 == self.index.len() as u64 {
            self.index = Vec::new();
        }
        Ok(Some(answer))
    }

    /// What an answer that is whole, and means nothing, is.
    pub(crate) fn is_damaged(&self) -> Error {
        Error::Damaged { path: self.path.clone(), offset: self.end }
    }

    /// Writes down what an event was answered, with the next [`flush`](Self::flush).
    pub(crate) fn write(&mut self, record: &Record<'_>) {
        if !self.is_broken {
            record.append_to(&mut self.pending);
        }
    }

    /// Hands what was written down to the system: it is there from now on, whatever this process does next.
    pub(crate) fn flush(&mut self) -> Result<()> {
        if let Some(error) = self.syncer.as_ref().and_then(Syncer::error) {
            self.is_broken = true;
            return Err(self.unsynced(error));
        }
        if self.pending.is_empty() || self.is_broken {
            return Ok(());
        }
        let written = file::write_at(&self.file, &self.pending, self.end);
        if let Err(error) = written {
            self.is_broken = true;
            // The room is somebody else's, and a torn record is nobody's.
            let _ = self.cut();
            return Err(Error::system(&self.path, "written")(error));
        }
        self.end += self.pending.len() as u64;
        self.pending.clear();
        self.pending.shrink_to(MOST_KEPT);
        match &self.syncer {
            Some(syncer) => syncer.has_written(),
            None if self.sync == Sync::Always => {
                if let Err(error) = self.file.sync_data() {
                    self.is_broken = true;
                    return Err(self.unsynced(error));
                }
            }
            None => {}
        }
        Ok(())
    }

    fn unsynced(&self, error: std::io::Error) -> Error {
        Error::system(&self.path, "flushed to the disk")(error)
    }

    /// Nothing more is written: what was is on the disk, where that is wanted. Others may open the file.
    pub(crate) fn close(mut self) -> Result<()> {
        if self.is_broken {
            return Ok(());
        }
        self.flush()?;
        let failed = self.syncer.take().and_then(Syncer::stop);
        failed.map_or(Ok(()), |error| Err(self.unsynced(error)))
    }
}

/// Notes where a record is. False if its number is none that an event has.
fn note(index: &mut Vec<u64>, number: u64, offset: u64) -> bool {
    let Ok(at) = usize::try_from(number) else { return false };
    if at >= index.len().saturating_add(MOST_FAILED) {
        return false;
    }
    if at >= index.len() {
        index.resize(at + 1, NOTHING);
    }
    index[at] = offset;
    true
}

#[cfg(test)]
impl Checkpoint {
    /// The same of a file that may only be read: nothing can be written.
    pub(crate) fn refusing(mut self) -> Self {
        self.file = Arc::new(File::open(&self.path).expect("the file"));
        self
    }
}

#[cfg(test)]
mod tests;
