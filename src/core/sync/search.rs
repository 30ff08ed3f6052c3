//! Looks for waits that can never end, and says what rejects: the graph of who waits for whom, made of the waits that have
//! lasted for a second, and the text of a cycle in it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::book::{Book, Failure, Kind, Member, Seq, Wait, number_of, what};
use super::deadlock::{Graph, Needs};
use super::parts::Parts;
use super::types::{Able, EventName, Party};
use crate::wire::sync::Mode;

/// A cycle must stand for so long, in milliseconds. Most waits are shorter, and never searched.
pub(super) const PATIENCE: f64 = 1000.0;

/// How long after a search the next one begins at the earliest: it may have many waits to go through.
const PAUSE: f64 = 100.0;

/// How long after a search the next one begins while something waits for others to come: those may become unable without
/// a new wait.
const REPEAT: f64 = 250.0;

/// When to search.
#[derive(Debug)]
pub(super) struct Schedule {
    /// All waits up to this one were searched.
    searched: Seq,
    last: f64,
    /// Whether something waited for others to come then.
    repeats: bool,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { searched: 0, last: f64::NEG_INFINITY, repeats: false }
    }
}

impl Schedule {
    pub(super) fn due(&self, book: &Book) -> Option<f64> {
        let new = book.attributed(self.searched).next();
        let new = new.map(|(_, wait)| (wait.since + PATIENCE).max(self.last + PAUSE));
        let again = self.repeats.then_some(self.last + REPEAT);
        new.into_iter().chain(again).reduce(f64::min)
    }

    /// A search takes place.
    pub(super) fn searched(&mut self, now: f64, book: &Book) {
        self.last = now;
        let old = |(_, wait): &(Seq, &Wait)| wait.since + PATIENCE <= now;
        let last = book.attributed(self.searched).take_while(old).last();
        self.searched = last.map_or(self.searched, |(seq, _)| seq);
        let mut all = book.attributed(0).take_while(old);
        self.repeats = all.any(|(_, wait)| wait.kind == Kind::Barrier);
    }
}

/// What can wait, or be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Node {
    Wait(Seq),
    /// It ends when the waits inside its callback have ended.
    Grant(u64),
    /// It can come to a barrier when its waits have ended.
    Event(EventName),
}

pub(super) struct Search<'a> {
    now: f64,
    book: &'a Book,
    parts: &'a Parts,
}

/// Who is missing at a barrier.
#[derive(Default)]
struct Missing {
    able: Option<Able>,
    /// Who waits there, by name.
    present: HashMap<Arc<str>, HashSet<Member>>,
    /// The waits of each event.
    waits: HashMap<EventName, Vec<Node>>,
}

impl<'a> Search<'a> {
    pub(super) fn new(now: f64, book: &'a Book, parts: &'a Parts) -> Self {
        Self { now, book, parts }
    }

    /// The youngest wait of a cycle, and why it fails.
    pub(super) fn find(&self, able: &dyn Fn() -> Able) -> Option<(Seq, Failure)> {
        let mut build = Build::new(self);
        let mut waits_for_others = false;
        for (seq, wait) in self.book.attributed(0).filter(|(_, wait)| self.is_old(wait)) {
            build.node(Node::Wait(seq));
            waits_for_others |= wait.kind == Kind::Barrier;
            for &token in &wait.asker.inside {
                // What a process says of others' callbacks counts for nothing.
                let grant = self.book.grant(token);
                if grant.is_some_and(|grant| grant.party.owner == wait.asker.party.owner) {
                    build.inside.entry(token).or_default().push(Node::Wait(seq));
                }
            }
        }
        if waits_for_others {
            build.missing = self.missing(able());
        }
        build.expand();
        let nodes = &build.nodes;
        let cycle = build.graph.cycle(|from, to| keeps(nodes[from], nodes[to]))?;
        let cycle: Vec<Node> = cycle.into_iter().map(|at| build.nodes[at]).collect();
        self.rejected(cycle)
    }

    /// What an event waits for, in words; none if it waits for nothing here.
    pub(super) fn why_waits(&self, event: EventName) -> Option<String> {
        let (_, wait) =
            self.book.waits().find(|(_, wait)| wait.asker.party.event == Some(event))?;
        let (what, name) = (what(wait.kind), &wait.name);
        let by = |token| Some(self.party(self.book.grant(token)?.party));
        let why = match wait.kind {
            Kind::Lock(_) => {
                let holders: Vec<_> =
                    self.parts.locks.get(name)?.holders().filter_map(by).collect();
                format!(", held by {}", holders.join(", "))
            }
            Kind::Once => {
                let runner = self.parts.onces.runner(name).and_then(by);
                runner.map(|runner| format!(", which {runner} runs")).unwrap_or_default()
            }
            Kind::Barrier => {
                let (there, parties) = self.parts.barriers.count(name)?;
                format!(", where {there} of {parties} have come")
            }
            Kind::Latch | Kind::Limiter => String::new(),
        };
        Some(format!("it waits for {what} {name:?}{why}"))
    }

    fn is_old(&self, wait: &Wait) -> bool {
        wait.since + PATIENCE <= self.now
    }

    fn missing(&self, able: Able) -> Missing {
        let mut missing = Missing { able: Some(able), ..Missing::default() };
        for (seq, wait) in self.book.waits() {
            let party = wait.asker.party;
            if wait.kind == Kind::Barrier {
                missing.present.entry(Arc::clone(&wait.name)).or_default().insert(party.member());
            }
            if let Some(event) =
                party.event.filter(|_| wait.kind != Kind::Limiter && self.is_old(wait))
            {
                missing.waits.entry(event).or_default().push(Node::Wait(seq));
            }
        }
        missing
    }

    /// The wait that is to fail: the youngest that keeps something from going on.
    fn rejected(&self, mut cycle: Vec<Node>) -> Option<(Seq, Failure)> {
        let before = cycle.iter().cycle().skip(cycle.len().saturating_sub(1));
        let pairs = before.zip(&cycle).enumerate();
        let keeping = pairs.filter_map(|(at, (&before, &node))| Some((keeps(before, node)?, at)));
        let (seq, at) = keeping.max()?;
        cycle.rotate_left(at);
        let message = format!(
            "deadlock, ended by rejecting its youngest request: {}; request locks in the same order everywhere",
            self.told(&cycle)
        );
        Some((seq, Failure::error("ERR_SONIC_DEADLOCK", message)))
    }

    fn told(&self, cycle: &[Node]) -> String {
        let next = cycle.iter().cycle().skip(1);
        let parts = cycle.iter().zip(next).filter_map(|(node, next)| {
            let Node::Wait(seq) = node else { return None };
            let wait = self.book.wait(*seq)?;
            let what = what(wait.kind);
            let why = match next {
                Node::Grant(token) => {
                    format!("held by {}", self.party(self.book.grant(*token)?.party))
                }
                Node::Wait(seq) => {
                    format!("behind {}", self.party(self.book.wait(*seq)?.asker.party))
                }
                Node::Event(event) => format!("where event {} is missing", number_of(*event)),
            };
            let who = self.party(wait.asker.party);
            Some(format!("{who} waits for {what} {:?}, {why}", wait.name))
        });
        parts.collect::<Vec<_>>().join("; ")
    }

    fn party(&self, Party { owner, event }: Party) -> String {
        let who = self.book.who(owner);
        let pid = who.map_or(0, |who| who.pid);
        let event = event.map(|event| format!(", event {}", number_of(event))).unwrap_or_default();
        match who.and_then(|who| who.worker) {
            Some(worker) => format!("worker {worker} (pid {pid}{event})"),
            None => format!("process {pid}{event}"),
        }
    }
}

/// The wait that keeps a node from going on. One that only stands in a queue before another would leave a cycle as it is.
fn keeps(node: Node, next: Node) -> Option<Seq> {
    match (node, next) {
        (Node::Grant(_) | Node::Event(_), Node::Wait(seq)) => Some(seq),
        _ => None,
    }
}

/// A graph while it is made: of all that can be reached from the waits in callbacks.
struct Build<'a> {
    search: &'a Search<'a>,
    graph: Graph,
    nodes: Vec<Node>,
    numbers: HashMap<Node, usize>,
    /// The waits inside of each callback.
    inside: HashMap<u64, Vec<Node>>,
    /// What requests wait for, of the locks that were seen.
    queues: BTreeMap<Seq, (Needs, Vec<Node>)>,
    seen: HashSet<Arc<str>>,
    missing: Missing,
}

impl<'a> Build<'a> {
    fn new(search: &'a Search<'a>) -> Self {
        Self {
            search,
            graph: Graph::default(),
            nodes: Vec::new(),
            numbers: HashMap::new(),
            inside: HashMap::new(),
            queues: BTreeMap::new(),
            seen: HashSet::new(),
            missing: Missing::default(),
        }
    }

    fn node(&mut self, node: Node) -> usize {
        *self.numbers.entry(node).or_insert_with(|| {
            self.graph.add();
            self.nodes.push(node);
            self.nodes.len() - 1
        })
    }

    fn expand(&mut self) {
        let mut at = 0;
        while let Some(&node) = self.nodes.get(at) {
            let (needs, on) = match node {
                Node::Wait(seq) => self.wait(seq),
                Node::Grant(token) => {
                    (Needs::All, self.inside.get(&token).cloned().unwrap_or_default())
                }
                Node::Event(event) => {
                    (Needs::All, self.missing.waits.get(&event).cloned().unwrap_or_default())
                }
            };
            let on = on.into_iter().map(|node| self.node(node)).collect();
            self.graph.set(at, needs, on);
            at += 1;
        }
    }

    fn wait(&mut self, seq: Seq) -> (Needs, Vec<Node>) {
        let free = (Needs::All, Vec::new());
        let Some(wait) = self.search.book.wait(seq).filter(|wait| self.search.is_old(wait)) else {
            return free;
        };
        match wait.kind {
            Kind::Lock(_) => {
                if self.seen.insert(Arc::clone(&wait.name)) {
                    self.queue(&wait.name);
                }
                self.queues.remove(&seq).unwrap_or(free)
            }
            Kind::Once => {
                let runner = self.search.parts.onces.runner(&wait.name);
                (Needs::All, runner.map(Node::Grant).into_iter().collect())
            }
            // Outside of callbacks it keeps nothing from others, so nothing is known of who is to come: the master may be.
            Kind::Barrier if !wait.asker.inside.is_empty() => self.others(wait),
            // Any process may count a latch down at any time.
            Kind::Barrier | Kind::Latch | Kind::Limiter => free,
        }
    }

    /// A request waits for the request before it, or for the holders. Shared ones wait for the exclusive one before them, and
    /// that which follows waits for them all.
    fn queue(&mut self, name: &str) {
        let Some(lock) = self.search.parts.locks.get(name) else { return };
        let needs = if lock.is_semaphore() { Needs::Any } else { Needs::All };
        let mut front: (Needs, Vec<Node>) = (needs, lock.holders().map(Node::Grant).collect());
        let mut shared: Vec<Node> = Vec::new();
        for (seq, mode) in lock.queue() {
            if mode == Mode::Shared {
                shared.push(Node::Wait(seq));
                self.queues.insert(seq, front.clone());
                continue;
            }
            if !shared.is_empty() {
                front = (Needs::All, std::mem::take(&mut shared));
            }
            self.queues.insert(seq, front);
            front = (Needs::All, vec![Node::Wait(seq)]);
        }
    }

    /// Any event that runs may come; so may whatever else could begin.
    fn others(&self, wait: &Wait) -> (Needs, Vec<Node>) {
        let present = self.missing.present.get(&wait.name);
        let is_present = |it: Member| present.is_some_and(|present| present.contains(&it));
        let outsiders = &self.search.parts.outsiders;
        let outside = outsiders.iter().any(|&owner| !is_present(Member::Process(owner)));
        match &self.missing.able {
            Some(able) if !able.is_open && !outside => {
                let running = able.running.iter().copied();
                let missing = running.filter(|&event| !is_present(Member::Event(event)));
                (Needs::Any, missing.map(Node::Event).collect())
            }
            _ => (Needs::All, Vec::new()),
        }
    }
}
