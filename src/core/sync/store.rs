//! Stores: values by key, each with a version. Versions of a store rise with everything that is set in it, so a key that was
//! deleted never has an old version again.

use std::collections::HashMap;
use std::sync::Arc;

use super::book::{Asker, Desk};
use crate::wire::sync::Reply;

#[derive(Debug)]
struct Entry {
    version: u64,
    value: Arc<[u8]>,
}

#[derive(Debug, Default)]
struct Store {
    /// The last version that was given.
    version: u64,
    entries: HashMap<String, Entry>,
}

/// Where a value is, or is to be.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) key: String,
}

#[derive(Debug, Default)]
pub(super) struct Stores {
    names: HashMap<String, Store>,
}

impl Stores {
    pub(super) fn get(&self, desk: &mut Desk, asker: &Asker, at: &Key) {
        match self.names.get(&at.name).and_then(|store| store.entries.get(&at.key)) {
            Some(Entry { version, value }) => desk.reply_value(asker, *version, value),
            None => desk.reply(asker, Reply::Nothing),
        }
    }

    /// If `if_version` is given, only if the key has that version; 0: only if it is not there.
    pub(super) fn set(
        &mut self,
        desk: &mut Desk,
        asker: &Asker,
        at: Key,
        value: Arc<[u8]>,
        if_version: Option<u64>,
    ) {
        let Key { name, key } = at;
        let entry = self.names.get(&name).and_then(|store| store.entries.get(&key));
        let version = entry.map_or(0, |entry| entry.version);
        if if_version.is_some_and(|expected| expected != version) {
            return desk.reply(asker, Reply::Nothing);
        }
        let store = self.names.entry(name).or_default();
        store.version += 1;
        store.entries.insert(key, Entry { version: store.version, value });
        desk.reply(asker, Reply::Number { number: store.version });
    }

    pub(super) fn delete(&mut self, desk: &mut Desk, asker: &Asker, at: &Key) {
        let store = self.names.get_mut(&at.name);
        let removed = store.and_then(|store| store.entries.remove(&at.key));
        desk.reply(asker, Reply::Number { number: u64::from(removed.is_some()) });
    }
}
