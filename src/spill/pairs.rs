//! What one event writes: pairs in the order of partition, key and the event's own, as one extent of each partition.

use super::Result;
use super::error::Error;
use super::extent::{Part, told};
use super::file::SpillFile;
use super::numbers::Numbers;
use super::record::{self, JSON, UNDEFINED, is_kind};
use super::{key, text};

/// More partitions than that would have extents of a few records.
pub(crate) const MOST_PARTITIONS: u32 = 4096;

/// So many times eight bytes of keys are compared at once; of keys that are equal so far the rest is, as it is.
const ROUNDS: usize = 8;

/// Fewer keys that are equal so far are compared as they are.
const FEW: usize = 8;

/// Values, as many as keys.
pub(crate) enum Values<'a> {
    /// An array of JSON, and where its items are.
    Json(&'a [u8], Vec<(u32, u32)>),
    /// Bytes, where each value ends, and what each is.
    Bytes(&'a [u8], &'a [u32], &'a [u8]),
}

impl<'a> Values<'a> {
    pub(crate) fn json(text: &'a [u8]) -> Result<Self> {
        Ok(Self::Json(text, text::values(text)?))
    }

    pub(crate) fn bytes(bytes: &'a [u8], ends: &'a [u32], kinds: &'a [u8]) -> Result<Self> {
        let last = ends.last().map_or(0, |&end| end as usize);
        let is_fit = ends.is_sorted() && last == bytes.len() && kinds.len() == ends.len();
        if !is_fit {
            return Err(Error::argument("values: their ends or formats do not fit them"));
        }
        let values = Self::Bytes(bytes, ends, kinds);
        for index in 0..kinds.len() {
            let (kind, value) = values.get(index);
            let is_wrong = kind & UNDEFINED != 0 && !value.is_empty()
                || kind == JSON && (value.is_empty() || value.contains(&b'\n'));
            if !is_kind(kind) || is_wrong {
                return Err(Error::argument(format!(
                    "values: number {index} is not of its format"
                )));
            }
        }
        Ok(values)
    }

    fn len(&self) -> usize {
        match self {
            Self::Json(_, spans) => spans.len(),
            Self::Bytes(_, ends, _) => ends.len(),
        }
    }

    /// How many bytes all have, about.
    fn size(&self) -> usize {
        match self {
            Self::Json(bytes, _) | Self::Bytes(bytes, ..) => bytes.len(),
        }
    }

    /// A value's format, and its bytes.
    fn get(&self, index: usize) -> (u8, &'a [u8]) {
        match self {
            Self::Json(text, spans) => {
                let (start, end) = spans[index];
                (JSON, &text[start as usize..end as usize])
            }
            Self::Bytes(bytes, ends, kinds) => {
                let start = if index == 0 { 0 } else { ends[index - 1] };
                (kinds[index], &bytes[start as usize..ends[index] as usize])
            }
        }
    }
}

/// Where pairs go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) partitions: u32,
    /// 0 or 1.
    pub(crate) side: u32,
}

/// Keys, as many as values.
#[derive(Clone, Copy)]
pub(crate) enum Keys<'a> {
    /// An array of JSON.
    Json(&'a [u8]),
    /// By their numbers.
    Numbered(&'a Numbers),
}

impl Keys<'_> {
    /// How many bytes all have, about.
    fn size(self) -> usize {
        match self {
            Self::Json(text) => text.len(),
            Self::Numbered(keys) => keys.size(),
        }
    }

    fn each(self, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let text = match self {
            Self::Numbered(keys) => return keys.keys().try_for_each(take),
            Self::Json(text) => text,
        };
        let mut key = Vec::new();
        text::each(text, "keys", |text, at| {
            key.clear();
            let end = key::parse(text, at, &mut key)?;
            take(&key)?;
            Ok(end)
        })
    }
}

/// Writes pairs at the end of a file. Returns what is told of it.
pub(crate) fn write(
    file: &mut SpillFile,
    target: Target,
    keys: Keys<'_>,
    values: &Values<'_>,
) -> Result<String> {
    let Target { partitions, side } = target;
    if !(1..=MOST_PARTITIONS).contains(&partitions) || side > 1 {
        return Err(Error::argument(format!("there is no side {side} of {partitions} partitions")));
    }
    let mut groups = Groups::new(partitions, keys.size() + values.size());
    let mut count = 0;
    keys.each(|key| {
        if count < values.len() {
            let (kind, value) = values.get(count);
            groups.push(key, side as u8, kind, value)?;
        }
        count += 1;
        Ok(())
    })?;
    if count != values.len() {
        return Err(Error::argument(format!("{count} keys have {} values", values.len())));
    }
    if count == 0 {
        return Ok(told(file.name(), &[]));
    }
    let mut append = file.append()?;
    append.writer.reserve(groups.size());
    let mut parts: Vec<Part> = Vec::new();
    for (partition, group) in groups.0.iter_mut().enumerate() {
        group.sort();
        for &entry in &group.entries {
            append.writer.copy(&group.records, offset(entry))?;
        }
        parts.extend(append.writer.end(partition as u32)?);
    }
    append.commit()?;
    Ok(told(file.name(), &parts))
}

/// The pairs of all partitions.
struct Groups(Vec<Group>);

/// The pairs of a partition: few enough, as a rule, to be sorted near the processor.
struct Group {
    /// Records as they are written, in the order in which they came.
    records: Vec<u8>,
    entries: Vec<Entry>,
}

/// The beginning of a key, then where its record is: in the order of both.
type Entry = u128;

fn offset(entry: Entry) -> usize {
    entry as u32 as usize
}

fn word(entry: Entry) -> u64 {
    (entry >> 64) as u64
}

impl Groups {
    fn new(partitions: u32, size: usize) -> Self {
        let each = size / partitions as usize;
        // What is too little grows.
        let group = |_| Group {
            records: Vec::with_capacity(each + each / 8),
            entries: Vec::with_capacity(each / 10),
        };
        Self((0..partitions).map(group).collect())
    }

    fn size(&self) -> usize {
        self.0.iter().map(|group| group.records.len()).sum()
    }

    fn push(&mut self, key: &[u8], side: u8, kind: u8, value: &[u8]) -> Result<()> {
        let count = self.0.len() as u32;
        let group = if count == 1 { 0 } else { key::partition(key, count) };
        let Group { records, entries } = &mut self.0[group as usize];
        let offset = u32::try_from(records.len());
        let offset = offset.map_err(|_| Error::argument("pairs: they are longer than 4 GiB"))?;
        entries.push(u128::from(key::first_word(key)) << 64 | u128::from(offset));
        record::push(records, Some(key), side, kind, value);
        Ok(())
    }
}

impl Group {
    fn sort(&mut self) {
        sort(&self.records, &mut self.entries, key::FIRST_WORD, ROUNDS);
    }
}

/// Sorts entries by the words in them, then by what is behind `covered` bytes of their keys, then by their places.
fn sort(records: &[u8], entries: &mut [Entry], covered: usize, rounds: usize) {
    entries.sort_unstable();
    let key = |entry: Entry| record::key(records, offset(entry));
    for run in entries.chunk_by_mut(|a, b| word(*a) == word(*b)) {
        if run.len() == 1 {
            continue;
        }
        let first = key(run[0]);
        // Equal keys stand in order already.
        if run.iter().all(|&entry| key(entry) == first) {
            continue;
        }
        if rounds == 0 || run.len() <= FEW {
            run.sort_unstable_by(|&a, &b| key(a).cmp(key(b)).then(a.cmp(&b)));
            continue;
        }
        // Keys that end here come first; what differs among them is how many zeros are at their end.
        run.sort_unstable_by_key(|&entry| (key(entry).len().min(covered + 1), offset(entry)));
        let longer = run.partition_point(|&entry| key(entry).len() <= covered);
        for entry in &mut run[longer..] {
            let word = key::word(&key(*entry)[covered..]);
            *entry = u128::from(word) << 64 | offset(*entry) as u128;
        }
        sort(records, &mut run[longer..], covered + 8, rounds - 1);
    }
}

#[cfg(test)]
mod tests;
