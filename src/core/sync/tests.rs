//! Promised: see the module's text. What is told to whom is compared as short text: `"1.7 granted #3"` is told to process 1 as the
//! answer to its question 7.

mod barrier;
mod deadlock;
mod latch;
mod limiter;
mod locks;
mod once;
mod spans;
mod store;
mod waits;
mod walk;

use std::collections::{BTreeMap, HashMap};

use super::*;
use crate::wire::sync::{Ask, Mode, Reply};

/// The memory that processes share.
#[derive(Debug, Default)]
struct Table {
    words: BTreeMap<String, Word>,
    tokens: u64,
}

#[derive(Debug, Default)]
struct Word {
    holder: Option<Holder>,
    is_managed: bool,
}

impl Table {
    /// A process takes a lock without asking, if it can.
    fn acquire(&mut self, now: f64, name: &str, party: Party) -> Option<u64> {
        let word = self.words.entry(name.to_owned()).or_default();
        if word.is_managed || word.holder.is_some() {
            return None;
        }
        self.tokens += 1;
        let Party { owner, event } = party;
        word.holder = Some(Holder { owner, event, token: self.tokens, since: now });
        Some(self.tokens)
    }

    /// A process releases a lock without asking, if it can.
    fn release(&mut self, name: &str, token: u64) -> bool {
        let is_held = |word: &Word| {
            !word.is_managed && word.holder.is_some_and(|holder| holder.token == token)
        };
        let is_released = self.words.get(name).is_some_and(is_held);
        if is_released {
            self.words.remove(name);
        }
        is_released
    }

    /// What the master does for locks of a dead process that are not managed.
    fn owner_gone(&mut self, owner: u16) {
        let is_its = |word: &Word| word.holder.is_some_and(|holder| holder.owner == owner);
        self.words.retain(|_, word| word.is_managed || !is_its(word));
    }
}

impl Words for Table {
    fn adopt(&mut self, name: &str) -> Option<Holder> {
        let word = self.words.entry(name.to_owned()).or_default();
        assert!(!word.is_managed, "{name} is adopted twice");
        word.is_managed = true;
        word.holder
    }

    fn hold(&mut self, name: &str, holder: &Holder) -> Option<(u32, u32)> {
        let word = self.words.get_mut(name).expect("it was adopted");
        assert!(word.is_managed, "{name} is held, but not managed");
        word.holder = Some(*holder);
        Some((7, 1))
    }

    fn free(&mut self, name: &str) {
        assert!(self.words.remove(name).is_some_and(|word| word.is_managed), "{name} is freed");
    }

    fn next_token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    fn unmanaged(&self) -> Vec<(String, Holder)> {
        let taken = self.words.iter().filter(|(_, word)| !word.is_managed);
        taken.filter_map(|(name, word)| Some((name.clone(), word.holder?))).collect()
    }
}

/// The processes 1 to 9, worker n in process n with the pid 100 + n; process 9 is the master.
struct Program {
    sync: Sync,
    words: Table,
    now: f64,
    /// How long messages are on their way.
    late: f64,
    questions: HashMap<u16, u32>,
    out: Vec<Out>,
}

impl Program {
    fn new() -> Self {
        let mut sync = Sync::default();
        for owner in 1..=9 {
            sync.owner_came(owner, who(owner));
        }
        let (words, questions) = (Table::default(), HashMap::new());
        Self { sync, words, now: 0.0, late: 0.0, questions, out: Vec::new() }
    }

    fn ask(&mut self, party: Party, inside: &[u64], ask: Ask, value: Option<&str>) -> u32 {
        let is_notice = matches!(
            ask,
            Ask::Unlock { .. } | Ask::Cancel { .. } | Ask::OnceDone { .. } | Ask::OnceFailed { .. }
        );
        let next = self.questions.entry(party.owner).or_default();
        let id = if is_notice { 0 } else { *next + 1 };
        *next = id.max(*next);
        let asked = Asked { id, inside: inside.to_vec(), event: None, ask };
        let value = value.map(|value| value.as_bytes().into());
        let said = Said { party, at: self.now - self.late, asked, value };
        self.sync.ask(self.now, said, &mut self.words, &mut self.out);
        id
    }

    /// Process `owner` asks outside of events.
    fn plain(&mut self, owner: u16, asked: Ask) -> u32 {
        self.ask(process(owner), &[], asked, None)
    }

    fn gone(&mut self, owner: u16) {
        self.sync.owner_gone(self.now, owner, &mut self.words, &mut self.out);
        self.words.owner_gone(owner);
    }

    fn ended(&mut self, number: u64, ended: Ended) {
        let event = EventName { pool: 1, task: number };
        self.sync.event_ended(self.now, event, ended, &mut self.words, &mut self.out);
    }

    /// The time comes, and everything that is due until then is done in time.
    fn advance(&mut self, to: f64, able: &dyn Fn() -> Able) {
        while let Some(due) = self.sync.next_due().filter(|&due| due <= to) {
            self.now = self.now.max(due);
            self.sync.tick(self.now, able, &mut self.words, &mut self.out);
        }
        self.now = to;
    }

    /// Each asks in turn, and this is told then.
    fn play(&mut self, what: &str, steps: Vec<(u16, Ask, &str)>) {
        for (at, (owner, ask, expected)) in steps.into_iter().enumerate() {
            let asked = format!("{what}, step {at}: {owner} asks {ask:?}");
            self.plain(owner, ask);
            assert_eq!(self.told().join(", "), expected, "{asked}");
        }
    }

    /// Nothing is held, nothing waits, and no memory is taken for it.
    fn assert_empty(&self) {
        let Sync { book, parts, .. } = &self.sync;
        let Parts { locks, barriers, onces, .. } = parts;
        assert_eq!((book.len(), locks.len(), barriers.len(), onces.len()), (0, 0, 0, 0));
        assert!(self.words.words.is_empty(), "{:?}", self.words);
    }

    /// What was told since the last call.
    fn told(&mut self) -> Vec<String> {
        self.out.drain(..).map(|out| text(&out)).collect()
    }
}

fn who(owner: u16) -> Who {
    let worker = (owner != 9).then_some(u32::from(owner));
    Who { worker, pid: 100 + u32::from(owner) }
}

const fn process(owner: u16) -> Party {
    Party { owner, event: None }
}

/// Process `owner` for event `number`.
const fn event(owner: u16, number: u64) -> Party {
    Party { owner, event: Some(EventName { pool: 1, task: number }) }
}

fn text(Out { owner, told, value }: &Out) -> String {
    let value = value.as_ref().map(|value| String::from_utf8_lossy(value).into_owned());
    let what = match &told.reply {
        Reply::Granted { token, .. } => format!("granted #{token}"),
        Reply::Unavailable => "unavailable".into(),
        Reply::Failed { code, .. } => code.clone(),
        Reply::Number { number } => format!("{number}"),
        Reply::Done => "done".into(),
        Reply::Run { token } => format!("run #{token}"),
        Reply::Value { version } => format!("{} at {version}", value.unwrap_or_default()),
        Reply::Nothing => "nothing".into(),
        Reply::Snapshot { .. } => "snapshot".into(),
        Reply::Stolen { token } => format!("stolen #{token}"),
    };
    format!("{owner}.{} {what}", told.id)
}

fn request(name: &str, mode: Mode, limit: Option<u32>) -> Ask {
    Ask::Lock { name: name.into(), mode, limit, if_available: false, steal: false }
}

fn lock(name: &str) -> Ask {
    request(name, Mode::Exclusive, None)
}

fn shared(name: &str) -> Ask {
    request(name, Mode::Shared, None)
}

fn semaphore(name: &str, limit: u32) -> Ask {
    request(name, Mode::Exclusive, Some(limit))
}

fn if_available(mut ask: Ask) -> Ask {
    if let Ask::Lock { if_available, .. } = &mut ask {
        *if_available = true;
    }
    ask
}

fn steal(mut ask: Ask) -> Ask {
    if let Ask::Lock { steal, .. } = &mut ask {
        *steal = true;
    }
    ask
}

fn unlock(name: &str, token: u64) -> Ask {
    Ask::Unlock { name: name.into(), token }
}

fn cancel(question: u32) -> Ask {
    Ask::Cancel { question }
}

/// Nobody is able to come any more but these events.
fn only(running: &[u64]) -> impl Fn() -> Able {
    let running: Vec<_> = running.iter().map(|&task| EventName { pool: 1, task }).collect();
    move || Able { is_open: false, running: running.clone() }
}

/// Another event may begin at any time.
fn open() -> Able {
    Able { is_open: true, running: Vec::new() }
}
