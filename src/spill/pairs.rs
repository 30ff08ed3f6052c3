//! What one event writes: pairs in the order of partition, key and the event's own, as one extent of each partition.

use super::Result;
use super::error::Error;
use super::extent::{Part, told};
use super::file::SpillFile;
use super::key::{Keys, partition};
use super::record::{JSON, UNDEFINED, is_kind};
use super::text;

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

/// Writes pairs at the end of a file. Returns what is told of it.
pub(crate) fn write(
    file: &mut SpillFile,
    target: Target,
    keys: &Keys,
    values: &Values<'_>,
) -> Result<String> {
    let Target { partitions, side } = target;
    if !(1..=MOST_PARTITIONS).contains(&partitions) || side > 1 {
        return Err(Error::argument(format!("there is no side {side} of {partitions} partitions")));
    }
    if keys.len() != values.len() {
        let (keys, values) = (keys.len(), values.len());
        return Err(Error::argument(format!("{keys} keys have {values} values")));
    }
    if keys.len() == 0 {
        return Ok(told(file.name(), &[]));
    }
    let mut append = file.append()?;
    let mut parts: Vec<Part> = Vec::new();
    for (partition, group) in sorted(keys, partitions).iter().enumerate() {
        for &entry in group {
            let index = index(entry);
            let (kind, value) = values.get(index);
            append.writer.push(keys.get(index), side as u8, kind, value)?;
        }
        parts.extend(append.writer.end(partition as u32)?);
    }
    append.commit()?;
    Ok(told(file.name(), &parts))
}

/// Eight bytes of a key, then the number of the pair: in the order of both.
type Sorted = u128;

fn entry(keys: &Keys, index: usize, at: usize) -> Sorted {
    u128::from(keys.word(index, at)) << 64 | index as u128
}

fn index(entry: Sorted) -> usize {
    entry as u32 as usize
}

fn word(entry: Sorted) -> u64 {
    (entry >> 64) as u64
}

/// The pairs of each partition, in order.
fn sorted(keys: &Keys, partitions: u32) -> Vec<Vec<Sorted>> {
    let each = keys.len() / partitions as usize;
    let room = each + each / 8 + 16;
    let mut groups: Vec<Vec<Sorted>> = (0..partitions).map(|_| Vec::with_capacity(room)).collect();
    let at = keys.skipped();
    for index in 0..keys.len() {
        let group = if partitions == 1 { 0 } else { partition(keys.get(index), partitions) };
        groups[group as usize].push(entry(keys, index, at));
    }
    for group in &mut groups {
        sort(keys, group, at, ROUNDS);
    }
    groups
}

/// Sorts entries by their keys from `at` on, then by their numbers; these eight bytes of keys are in the entries.
fn sort(keys: &Keys, entries: &mut [Sorted], at: usize, rounds: usize) {
    entries.sort_unstable();
    let next = at + 8;
    for run in entries.chunk_by_mut(|a, b| word(*a) == word(*b)) {
        let rest = |entry: Sorted| keys.get(index(entry)).get(next..).unwrap_or_default();
        let first = keys.get(index(run[0]));
        // Equal keys stand in order already.
        if run.len() == 1 || run.iter().all(|&entry| keys.get(index(entry)) == first) {
            continue;
        }
        if rounds == 0 || run.len() <= FEW {
            let by_key = |a: &Sorted, b: &Sorted| keys.get(index(*a)).cmp(keys.get(index(*b)));
            run.sort_unstable_by(|a, b| by_key(a, b).then(a.cmp(b)));
            continue;
        }
        // Keys that end here come first; what differs among them is how many zeros are at their end.
        run.sort_unstable_by_key(|&entry| {
            let is_longer = !rest(entry).is_empty();
            (is_longer, if is_longer { 0 } else { keys.get(index(entry)).len() }, index(entry))
        });
        let longer = run.partition_point(|&entry| rest(entry).is_empty());
        for place in &mut run[longer..] {
            *place = entry(keys, index(*place), next);
        }
        sort(keys, &mut run[longer..], next, rounds - 1);
    }
}

#[cfg(test)]
mod tests;
