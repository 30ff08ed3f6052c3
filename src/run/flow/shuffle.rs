//! What workers wrote down for a node: sorted extents of files, by partition. The bytes themselves the master never reads.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::observe::record::Spilled;
use crate::wire::flow::Told;

/// A worker merges so many extents at once: each takes a block of memory.
pub(crate) const FEW: usize = 256;

/// So many of a partition are merged into one, once there are too many: as often as need be, and no more.
const MERGED: usize = 128;

/// A failed merge is tried again so often: it is the package's own work, and its events lost nothing.
const MOST_ATTEMPTS: u32 = 5;

/// One extent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extent {
    file: Arc<str>,
    at: u64,
    length: u64,
}

/// An event that merges extents of a partition into one.
#[derive(Debug)]
pub(crate) struct Compaction {
    pub(crate) node: usize,
    pub(crate) partition: u32,
    pub(crate) extents: Vec<Extent>,
}

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Shuffle {
    partitions: BTreeMap<u32, Vec<Extent>>,
    files: HashSet<Arc<str>>,
    attempts: u32,
    written: Spilled,
}

impl Shuffle {
    /// A worker has written this: how many records it has.
    pub(crate) fn add(&mut self, told: Told) -> u64 {
        let mut sum: u64 = 0;
        let Told { file, parts } = told;
        let file = self.files.get(&*file).cloned().unwrap_or_else(|| {
            let file: Arc<str> = file.into();
            self.files.insert(Arc::clone(&file));
            file
        });
        for (partition, at, length, records) in parts {
            if records > 0 {
                sum = sum.saturating_add(records);
                self.written.bytes = self.written.bytes.saturating_add(length);
                self.written.extents += 1;
                let extent = Extent { file: Arc::clone(&file), at, length };
                self.partitions.entry(partition).or_default().push(extent);
            }
        }
        sum
    }

    /// So many of the records that were written came from other nodes: the rest were here, and are merged.
    pub(crate) fn has_come(&mut self, records: u64) {
        self.written.records = self.written.records.saturating_add(records);
    }

    /// What has been written in all.
    pub(crate) fn written(&self) -> Spilled {
        self.written
    }

    /// Those of a partition that are to be merged now, if it has more than enough: they are not here then.
    pub(crate) fn excess(&mut self) -> Option<(u32, Vec<Extent>)> {
        let (&partition, extents) =
            self.partitions.iter_mut().find(|(_, extents)| extents.len() > FEW)?;
        // Those that were written first are the smallest, or were merged longest ago.
        let rest = extents.split_off(MERGED);
        Some((partition, std::mem::replace(extents, rest)))
    }

    /// A merge failed: its extents are here again. False if it has failed too often.
    #[must_use]
    pub(crate) fn put_back(&mut self, partition: u32, extents: Vec<Extent>) -> bool {
        self.partitions.entry(partition).or_default().splice(0..0, extents);
        self.attempts += 1;
        self.attempts < MOST_ATTEMPTS
    }

    /// Everything, by partition; nothing is left.
    pub(crate) fn take(&mut self) -> BTreeMap<u32, Vec<Extent>> {
        std::mem::take(&mut self.partitions)
    }
}

/// The data of an event that reads these extents; as a merge, or to the end.
pub(crate) fn text_of(partition: u32, extents: &[Extent], is_merge: bool) -> String {
    let list: Vec<_> = extents.iter().map(|it| (&*it.file, it.at, it.length)).collect();
    let list = serde_json::to_string(&list).expect("plain data is serialisable");
    let merge = if is_merge { r#","c":true"# } else { "" };
    format!(r#"{{"p":{partition},"x":{list}{merge}}}"#)
}

#[cfg(test)]
mod tests;
