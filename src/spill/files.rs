//! The files that are read: a few are open at a time.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::Result;
use super::error::Error;
use super::file::check_name;
use crate::os::file::read_at;

/// So many are open at once: a process may have many merges, and few systems allow less than 256 files.
pub(crate) const MOST_OPEN: usize = 48;

pub(crate) struct Files {
    folder: PathBuf,
    names: Vec<String>,
    open: Vec<Open>,
    /// How many reads there were.
    reads: u64,
}

struct Open {
    /// The number of its name.
    name: usize,
    file: File,
    /// The number of the last read.
    used: u64,
}

impl Files {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), names: Vec::new(), open: Vec::new(), reads: 0 }
    }

    /// The number of the file of this name.
    pub(crate) fn number(&mut self, name: &str) -> Result<usize> {
        check_name(name)?;
        if let Some(known) = self.names.iter().position(|known| known == name) {
            return Ok(known);
        }
        self.names.push(name.to_owned());
        Ok(self.names.len() - 1)
    }

    pub(crate) fn path(&self, number: usize) -> PathBuf {
        self.folder.join(&self.names[number])
    }

    /// Fills the buffer from `offset` of a file on.
    pub(crate) fn read(&mut self, number: usize, buffer: &mut [u8], offset: u64) -> Result<()> {
        let at = match self.open.iter().position(|open| open.name == number) {
            Some(at) => at,
            None => self.open(number)?,
        };
        self.reads += 1;
        self.open[at].used = self.reads;
        let read = read_at(&self.open[at].file, buffer, offset);
        let path = self.path(number);
        if read.map_err(Error::system(&path, "read"))? == buffer.len() {
            return Ok(());
        }
        Err(Error::Damaged { path, offset, what: "the file ends before the extent" })
    }

    /// Opens a file, in the place of the one that was not read for longest if there are too many.
    fn open(&mut self, number: usize) -> Result<usize> {
        if self.open.len() >= MOST_OPEN {
            let oldest = (0..self.open.len()).min_by_key(|&at| self.open[at].used);
            self.open.swap_remove(oldest.unwrap_or(0));
        }
        let path = self.path(number);
        let file = File::open(&path).map_err(Error::system(&path, "opened to be read"))?;
        self.open.push(Open { name: number, file, used: 0 });
        Ok(self.open.len() - 1)
    }

    /// Nothing is open then.
    pub(crate) fn close(&mut self) {
        self.open = Vec::new();
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.open.len()
    }
}
