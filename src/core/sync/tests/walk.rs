//! Promised: whatever processes do, in whatever order, and whenever they die, a lock never has two holders that exclude each
//! other, every request ends, and nothing is left.

use std::collections::BTreeSet;

use super::*;

const NAMES: [&str; 4] = ["a", "b", "c", "s"];
const OWNERS: u16 = 4;

/// What a process believes to hold.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    owner: u16,
    name: String,
    mode: Mode,
    token: u64,
}

struct Walk {
    program: Program,
    random: fastrand::Rng,
    /// The requests that were not answered, by process and number.
    open: BTreeMap<(u16, u32), (String, Mode)>,
    held: Vec<Held>,
    /// All tokens that were ever seen.
    tokens: BTreeSet<u64>,
}

impl Walk {
    fn step(&mut self) {
        let owner = self.random.u16(1..=OWNERS);
        let name = NAMES[self.random.usize(0..NAMES.len())];
        match self.random.u32(0..100) {
            0..25 => self.request(owner, name),
            25..45 => self.take_fast(owner, name),
            45..80 => self.release_one(),
            80..90 => self.cancel_one(),
            90..94 => self.die(owner),
            _ => {
                self.program.now += self.random.f64() * 100.0;
                let (program, able) = (&mut self.program, open);
                program.sync.tick(program.now, &able, &mut program.words, &mut program.out);
            }
        }
        self.hear();
        self.check();
    }

    fn request(&mut self, owner: u16, name: &str) {
        let is_semaphore = name == "s";
        let mode = if is_semaphore || self.random.bool() { Mode::Exclusive } else { Mode::Shared };
        let mut ask = request(name, mode, is_semaphore.then_some(2));
        match self.random.u32(0..20) {
            0 if mode == Mode::Exclusive => ask = steal(ask),
            1..4 => ask = if_available(ask),
            _ => {}
        }
        let own = self.held.iter().filter(|held| held.owner == owner);
        let inside: Vec<u64> = own.map(|held| held.token).take(self.random.usize(0..3)).collect();
        let id = self.program.ask(process(owner), &inside, ask, None);
        self.open.insert((owner, id), (name.to_owned(), mode));
    }

    fn take_fast(&mut self, owner: u16, name: &str) {
        if name == "s" {
            return;
        }
        if let Some(token) = self.program.words.acquire(self.program.now, name, process(owner)) {
            self.grant(Held { owner, name: name.into(), mode: Mode::Exclusive, token });
        }
    }

    fn grant(&mut self, held: Held) {
        let last = self.tokens.last().copied();
        assert!(last.is_none_or(|last| held.token > last), "{held:?} after {last:?}");
        self.tokens.insert(held.token);
        self.held.push(held);
    }

    fn release_one(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let Held { owner, name, token, .. } =
            self.held.swap_remove(self.random.usize(0..self.held.len()));
        if !self.program.words.release(&name, token) {
            self.program.plain(owner, unlock(&name, token));
        }
    }

    fn cancel_one(&mut self) {
        let waiting: Vec<_> = self.open.keys().copied().collect();
        if !waiting.is_empty() {
            let (owner, question) = waiting[self.random.usize(0..waiting.len())];
            self.open.remove(&(owner, question));
            self.program.plain(owner, cancel(question));
        }
    }

    fn die(&mut self, owner: u16) {
        self.program.gone(owner);
        self.held.retain(|held| held.owner != owner);
        self.open.retain(|&(other, _), _| other != owner);
        self.program.sync.owner_came(owner, who(owner));
    }

    /// Processes hear what they are told.
    fn hear(&mut self) {
        for Out { owner, told, .. } in std::mem::take(&mut self.program.out) {
            if let Reply::Stolen { token } = told.reply {
                self.held.retain(|held| held.token != token);
                continue;
            }
            let Some((name, mode)) = self.open.remove(&(owner, told.id)) else {
                panic!("process {owner} is told {told:?}, and has no such question")
            };
            match told.reply {
                Reply::Granted { token, .. } => self.grant(Held { owner, name, mode, token }),
                Reply::Unavailable => {}
                Reply::Failed { code, .. } => assert_eq!(code, "ERR_SONIC_DEADLOCK"),
                other => panic!("{other:?}"),
            }
        }
    }

    fn check(&self) {
        for name in NAMES {
            let of_name = self.held.iter().filter(|held| held.name == name);
            let all: Vec<&Held> = of_name.collect();
            let most = if name == "s" { 2 } else { 1 };
            let is_shared = all.iter().all(|held| held.mode == Mode::Shared);
            assert!(is_shared || all.len() <= most, "{all:?}");
            let waits = self.open.values().any(|(waits, _)| waits == name);
            assert!(!waits || !all.is_empty(), "somebody waits for {name}, which nobody holds");
        }
    }

    /// Everybody releases what it has until nothing is held.
    fn end(&mut self) {
        while !self.held.is_empty() {
            self.release_one();
            self.hear();
            self.check();
        }
    }
}

#[test]
fn locks_keep_their_promises_on_random_walks() {
    for seed in 0..300 {
        let (program, random) = (Program::new(), fastrand::Rng::with_seed(seed));
        let (open, held, tokens) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
        let mut walk = Walk { program, random, open, held, tokens };
        for _ in 0..500 {
            walk.step();
        }
        walk.end();
        assert!(walk.open.is_empty(), "seed {seed}: {:?} never ended", walk.open);
        walk.program.assert_empty();
        assert!(walk.tokens.len() > 100, "seed {seed} did little");
    }
}
