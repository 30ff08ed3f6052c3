//! Several extents, read as one: by key, then side, then in the order of the extents. A tree of losers says which extent is
//! next, so that a step compares a record with one of each level only.

use std::path::Path;

use super::Result;
use super::cursor::{Cursor, Step};
use super::error::Error;
use super::extent::{Extent, told};
use super::file::SpillFile;
use super::files::Files;
use super::key::Rank;
use super::position;

/// Extents of one merge: each has one block in memory.
pub(crate) const MOST_EXTENTS: usize = 256;

pub(crate) struct Merge {
    files: Files,
    cursors: Vec<Cursor>,
    /// The first is the winner of all; each other one lost the comparison that its place stands for.
    tree: Vec<Entry>,
    /// Of the extents.
    pub(super) fingerprint: u32,
    /// The last chunk ended in the middle of a key.
    pub(super) is_partial: bool,
    /// Something failed: where it stands now is nowhere.
    has_failed: bool,
}

/// A cursor, as far as most comparisons need it: the rank of its key, which side its record is of, and the number of the extent.
type Entry = u128;

const SIDE_AT: u32 = Rank::FREE - 1;

#[inline]
fn entry(cursors: &[Cursor], index: usize) -> Entry {
    let cursor = &cursors[index];
    cursor.rank().with(u32::from(cursor.side()) << SIDE_AT | index as u32)
}

#[inline]
fn index(entry: Entry) -> usize {
    (entry & ((1 << SIDE_AT) - 1)) as usize
}

/// Whether the first one is before the second.
#[inline]
fn is_before(a: Entry, b: Entry, cursors: &[Cursor]) -> bool {
    let rank = Rank::of(a);
    if rank.is_long() && rank == Rank::of(b) { is_before_for_long(a, b, cursors) } else { a < b }
}

/// The same of two whose keys may differ where ranks do not tell.
#[cold]
fn is_before_for_long(a: Entry, b: Entry, cursors: &[Cursor]) -> bool {
    let rest = |entry| cursors[index(entry)].key().get(Rank::COVERED..).unwrap_or_default();
    rest(a).cmp(rest(b)).then(a.cmp(&b)).is_lt()
}

impl Merge {
    /// From the start, or from a position that [`Self::position`] has told.
    pub(crate) fn open(folder: &Path, extents: &[Extent], from: Option<&str>) -> Result<Self> {
        if extents.len() > MOST_EXTENTS {
            let many = extents.len();
            return Err(Error::argument(format!(
                "{many} extents are too many: at most {MOST_EXTENTS}"
            )));
        }
        let fingerprint = position::fingerprint(extents);
        let places = match from {
            None => vec![None; extents.len()],
            Some(from) => position::read(from, fingerprint, extents.len())?,
        };
        let mut files = Files::new(folder);
        let pairs = extents.iter().zip(places);
        let cursors = pairs.map(|(extent, place)| Cursor::open(extent, place, &mut files));
        let cursors = cursors.collect::<Result<Vec<_>>>()?;
        let tree = tree(&cursors);
        Ok(Self { files, cursors, tree, fingerprint, is_partial: false, has_failed: false })
    }

    /// Where to go on. None at the end, and in the middle of a key.
    pub(crate) fn position(&self) -> Option<String> {
        let is_nowhere = self.is_partial || self.has_failed || self.top().is_none();
        (!is_nowhere)
            .then(|| position::write(self.fingerprint, self.cursors.iter().map(Cursor::place)))
    }

    /// The cursor at the next record. None at the end.
    #[inline]
    pub(crate) fn top(&self) -> Option<&Cursor> {
        let first = *self.tree.first()?;
        (Rank::of(first) != Rank::END).then(|| &self.cursors[index(first)])
    }

    /// On to the record behind that.
    #[inline]
    pub(crate) fn pop(&mut self) -> Result<()> {
        let Some(&first) = self.tree.first() else { return Ok(()) };
        let index = index(first);
        match self.cursors[index].advance(&mut self.files) {
            // Nothing can have come before it.
            Ok(Step::Same) => return Ok(()),
            Ok(Step::Other | Step::End) => {}
            Err(error) => {
                self.has_failed = true;
                return Err(error);
            }
        }
        self.replay(index);
        Ok(())
    }

    /// Gives back files and memory. It is at its end then.
    pub(crate) fn close(&mut self) {
        self.cursors = Vec::new();
        self.tree = Vec::new();
        self.files.close();
    }

    /// The errors of a merge are final.
    pub(crate) fn check(&self) -> Result<()> {
        if self.has_failed { Err(Error::argument("the merge has failed before")) } else { Ok(()) }
    }

    /// The bytes of the top record are not what they must be.
    pub(super) fn damaged(&mut self, what: &'static str) -> Error {
        self.has_failed = true;
        let index = self.tree.first().map_or(0, |&first| index(first));
        self.cursors[index].damaged(what, &self.files)
    }

    /// Compares a cursor that has moved with those that stand on its way to the first place.
    #[inline]
    fn replay(&mut self, index: usize) {
        let mut winner = entry(&self.cursors, index);
        let mut node = usize::midpoint(index, self.tree.len());
        while node > 0 {
            let other = self.tree[node];
            // Who wins cannot be predicted: no jumps.
            let is_before = is_before(other, winner, &self.cursors);
            self.tree[node] = if is_before { winner } else { other };
            winner = if is_before { other } else { winner };
            node /= 2;
        }
        self.tree[0] = winner;
    }

    #[cfg(test)]
    pub(crate) fn open_files(&self) -> usize {
        self.files.count()
    }
}

fn tree(cursors: &[Cursor]) -> Vec<Entry> {
    let count = cursors.len();
    let leaves = (0..count).map(|index| entry(cursors, index));
    // The winners of all comparisons: those of leaf i are at (count + i) / 2 and its halves.
    let mut winners: Vec<Entry> = Vec::with_capacity(2 * count);
    winners.extend(leaves.clone());
    winners.extend(leaves);
    let mut tree = winners[..count].to_vec();
    for node in (1..count).rev() {
        let (left, right) = (winners[2 * node], winners[2 * node + 1]);
        let is_left = is_before(left, right, cursors);
        (winners[node], tree[node]) = if is_left { (left, right) } else { (right, left) };
    }
    if count > 1 {
        tree[0] = winners[1];
    }
    tree
}

/// Merges extents into a new one of a partition, at the end of a file. Returns what is told of it.
pub(crate) fn merge(
    file: &mut SpillFile,
    folder: &Path,
    extents: &[Extent],
    partition: u32,
) -> Result<String> {
    let mut merge = Merge::open(folder, extents, None)?;
    if merge.top().is_none() {
        return Ok(told(file.name(), &[]));
    }
    let mut append = file.append()?;
    while let Some(top) = merge.top() {
        append.writer.push(top.key(), top.side(), top.kind(), top.value())?;
        merge.pop()?;
        append.write_piece()?;
    }
    let part = append.writer.end(partition)?;
    append.commit()?;
    Ok(told(file.name(), part.as_slice()))
}
