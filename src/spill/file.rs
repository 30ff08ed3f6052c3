//! The file that a worker appends to. It and its folders are created by the first write.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::Result;
use super::error::Error;
use super::extent::Writer;
use super::folder;
use crate::os::file::append;

/// So much of an extent that is merged is written at once.
const PIECE: usize = 1 << 20;

pub(crate) struct SpillFile {
    path: PathBuf,
    name: String,
    open: Option<Open>,
}

struct Open {
    file: File,
    /// Its length: what is behind it does not count.
    length: u64,
}

/// Something that is being written: what of it is in the file is taken back unless it is whole.
pub(crate) struct Append<'a> {
    file: &'a mut SpillFile,
    start: u64,
    pub(crate) writer: Writer,
}

impl SpillFile {
    pub(crate) fn new(folder: &Path, name: &str) -> Result<Self> {
        check_name(name)?;
        Ok(Self { path: folder.join(name), name: name.to_owned(), open: None })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Begins to write at the file's end.
    pub(crate) fn append(&mut self) -> Result<Append<'_>> {
        let start = match &self.open {
            Some(open) => open.length,
            None => self.open.insert(open(&self.path)?).length,
        };
        Ok(Append { file: self, start, writer: Writer::new(start) })
    }
}

impl Append<'_> {
    /// Writes what has been made, if that is much.
    pub(crate) fn write_piece(&mut self) -> Result<()> {
        if self.writer.made().len() < PIECE { Ok(()) } else { self.write() }
    }

    /// Writes what is left: from now on it is part of the file.
    pub(crate) fn commit(mut self) -> Result<()> {
        self.write()?;
        // So nothing is taken back.
        self.start = self.file.open.as_ref().map_or(0, |open| open.length);
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        let made = self.writer.made();
        if made.is_empty() {
            return Ok(());
        }
        let Some(open) = &mut self.file.open else {
            return Err(Error::argument("the file is not open"));
        };
        let written = open.file.write_all(made);
        // What did not succeed may have written a part.
        open.length += made.len() as u64;
        written.map_err(Error::system(&self.file.path, "written"))?;
        self.writer.taken();
        Ok(())
    }
}

impl Drop for Append<'_> {
    fn drop(&mut self) {
        if let Some(open) = self.file.open.take_if(|open| open.length != self.start) {
            // If it fails, the rest stays: the next write begins behind it, wherever that is.
            let _ = open.file.set_len(self.start);
        }
    }
}

fn open(path: &Path) -> Result<Open> {
    if let Some(parent) = path.parent() {
        folder::create(parent)?;
    }
    let file = append(path).map_err(Error::system(path, "opened to be written"))?;
    let about = file.metadata().map_err(Error::system(path, "looked at"))?;
    Ok(Open { file, length: about.len() })
}

/// A file's name comes from elsewhere: it must not lead out of its folder.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let is_fit = name.bytes().all(is_plain) && !name.contains("..") && name != ".";
    if is_fit && !name.is_empty() {
        return Ok(());
    }
    Err(Error::argument(format!("{name:?} is no name of a spilled file")))
}

#[cfg(test)]
mod tests;
