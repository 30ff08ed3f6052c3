//! Which event of the source each event of a flow descends from, for entries that are read in the order in which the source's
//! events were handed over, and for those that are written down. An event of the source ends with its last descendant; its entries come together then, in the order of
//! what each event made. Holds for chains only, where nothing comes from several events.

use std::collections::HashMap;

use crate::core::task_id::{DIRECT, RunId, TaskId, first_of};
use crate::run::results::{Entry, entry};

/// The way from an event of the source to what descends from it: its place among what that made, and so on. An event that makes
/// one thing adds nothing to it.
type Path = Vec<u32>;

/// Where something belongs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    root: TaskId,
    path: Path,
}

/// An event of the source, until nothing is left of it.
#[derive(Debug)]
struct Root {
    /// How many events have not ended, its own included.
    left: usize,
    entries: Vec<(Path, Entry<'static>)>,
    /// The digest of its data, once it was answered, if its entries are written down.
    digest: Option<u64>,
    has_failed: bool,
}

/// An event of the source of which nothing is left: all its entries, in their order. `digest` is that of its data, if it is to be
/// written down: whoever has it again need not run it again.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) root: TaskId,
    pub(crate) entries: Vec<Entry<'static>>,
    pub(crate) digest: Option<u64>,
}

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Lineage {
    roots: HashMap<TaskId, Root>,
    /// Of the events that have not ended, but for those of the source.
    places: HashMap<TaskId, Place>,
    /// The event that was answered last: its own place, how many things it makes, and how many of those have been told.
    maker: Place,
    makes: usize,
    made: u32,
    /// The next event that the program hands to one worker itself, by the number among those alone.
    next_direct: TaskId,
    held: usize,
    bytes: usize,
}

impl Lineage {
    pub(crate) fn new(run: RunId) -> Self {
        Self {
            roots: HashMap::new(),
            places: HashMap::new(),
            maker: Place::default(),
            makes: 0,
            made: 0,
            next_direct: first_of(run) + DIRECT,
            held: 0,
            bytes: 0,
        }
    }

    /// How many entries are held.
    pub(crate) fn len(&self) -> usize {
        self.held
    }

    /// How many bytes their values have.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The program has handed an event to one worker: it is of the source too.
    pub(crate) fn chosen(&mut self, task: TaskId) {
        let root = self.next_direct;
        self.next_direct += 1;
        self.root(root);
        self.places.insert(task, Place { root, path: Path::new() });
    }

    /// An event was answered, and makes so many things: they are told of next, one after the other.
    pub(crate) fn makes(&mut self, task: TaskId, count: usize) {
        self.maker = self.place_of(task);
        (self.makes, self.made) = (count, 0);
    }

    /// The place of the next thing that is made.
    pub(crate) fn next_place(&mut self) -> Place {
        let mut place = self.maker.clone();
        if self.makes > 1 {
            place.path.push(self.made);
            self.made += 1;
        }
        place
    }

    /// The next thing that is made is an event.
    pub(crate) fn entered(&mut self, task: TaskId) {
        let place = self.next_place();
        self.root(place.root).left += 1;
        self.places.insert(task, place);
    }

    /// Where an event that has not ended belongs.
    pub(crate) fn place_of(&self, task: TaskId) -> Place {
        let place = self.places.get(&task).cloned();
        place.unwrap_or_else(|| Place { root: task, path: Path::new() })
    }

    /// There is an entry.
    pub(crate) fn hold(&mut self, place: Place, entry: Entry<'_>) {
        self.held += 1;
        self.bytes += entry.bytes();
        let Place { root, path } = place;
        let root = self.root(root);
        root.has_failed |= entry.kind & entry::FAILED != 0;
        root.entries.push((path, entry.into_owned()));
    }

    /// An event was answered whose data has this digest: one of the source, if there is one.
    pub(crate) fn answered(&mut self, root: TaskId, digest: Option<u64>) {
        if digest.is_some() {
            self.root(root).digest = digest;
        }
    }

    /// An event has ended, and all that it made was told. If nothing else is left of an event of the source: that one, with its
    /// entries.
    pub(crate) fn ended(&mut self, task: TaskId) -> Option<Ended> {
        let id = self.places.remove(&task).map_or(task, |place| place.root);
        let root = self.root(id);
        root.left -= 1;
        if root.left > 0 {
            return None;
        }
        let Root { mut entries, digest, has_failed, .. } = self.roots.remove(&id)?;
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        let entries: Vec<_> = entries.into_iter().map(|(_, entry)| entry).collect();
        self.held -= entries.len();
        self.bytes -= entries.iter().map(Entry::bytes).sum::<usize>();
        Some(Ended { root: id, entries, digest: digest.filter(|_| !has_failed) })
    }

    fn root(&mut self, id: TaskId) -> &mut Root {
        self.roots.entry(id).or_insert_with(|| Root {
            left: 1,
            entries: Vec::new(),
            digest: None,
            has_failed: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::value::Value;

    fn made(text: &str) -> Entry<'_> {
        Entry { kind: 6, worker: 1, data: None, response: Some(Value::json(text.as_bytes())) }
    }

    fn shown(ended: Option<Ended>) -> Option<(TaskId, Vec<String>)> {
        let text = |entry: &Entry<'_>| {
            let response = entry.response.as_deref().unwrap_or_default();
            String::from_utf8_lossy(response).into_owned()
        };
        ended.map(|Ended { root, entries, .. }| (root, entries.iter().map(text).collect()))
    }

    fn hold(lineage: &mut Lineage, text: &str) {
        let place = lineage.next_place();
        lineage.hold(place, made(text));
    }

    #[test]
    fn entries_come_with_the_last_descendant_in_the_order_of_what_was_made() {
        let mut lineage = Lineage::new(0);
        let [first, second, third] = [DIRECT, DIRECT + 1, DIRECT + 2];
        // An event makes an event, an entry, and another event; the last one makes two entries before the first one makes one.
        lineage.makes(7, 3);
        lineage.entered(first);
        hold(&mut lineage, "1");
        lineage.entered(second);
        assert!(lineage.ended(7).is_none());
        lineage.makes(second, 2);
        hold(&mut lineage, "2");
        hold(&mut lineage, "3");
        assert!(lineage.ended(second).is_none());
        // Another is done meanwhile.
        lineage.makes(8, 1);
        lineage.entered(third);
        assert!(lineage.ended(8).is_none());
        lineage.makes(third, 0);
        assert_eq!(shown(lineage.ended(third)), Some((8, vec![])));
        assert_eq!((lineage.len(), lineage.bytes()), (3, 3));
        let place = lineage.place_of(first);
        lineage.hold(place, made("0"));
        let all = ["0", "1", "2", "3"].map(String::from).to_vec();
        assert_eq!(shown(lineage.ended(first)), Some((7, all)));
        assert_eq!((lineage.len(), lineage.bytes()), (0, 0));
        assert!(lineage.roots.is_empty() && lineage.places.is_empty());
    }

    #[test]
    fn an_event_that_the_program_hands_to_one_worker_is_of_the_source() {
        let mut lineage = Lineage::new(0);
        // The events between were made by others.
        for (at, task) in [DIRECT + 3, DIRECT + 9].into_iter().enumerate() {
            lineage.chosen(task);
            lineage.makes(task, 1);
            hold(&mut lineage, "1");
            let root = DIRECT + at as TaskId;
            assert_eq!(shown(lineage.ended(task)), Some((root, vec!["1".to_owned()])));
        }
    }

    #[test]
    fn an_event_is_written_down_if_nothing_that_descends_from_it_has_failed() {
        for fails in [false, true] {
            let mut lineage = Lineage::new(0);
            lineage.answered(7, Some(5));
            lineage.makes(7, 2);
            hold(&mut lineage, "1");
            lineage.entered(DIRECT);
            assert!(lineage.ended(7).is_none());
            lineage.makes(DIRECT, 1);
            let place = lineage.next_place();
            let kind = if fails { entry::FAILED } else { 0 };
            lineage.hold(place, Entry { kind, ..made("2") });
            let ended = lineage.ended(DIRECT).expect("nothing is left");
            assert_eq!((ended.entries.len(), ended.digest), (2, (!fails).then_some(5)));
        }
        let mut lineage = Lineage::new(0);
        lineage.makes(7, 0);
        assert_eq!(lineage.ended(7).expect("nothing is left").digest, None, "it was not answered");
    }
}
