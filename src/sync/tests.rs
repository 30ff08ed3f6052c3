//! Promised: what is decided reaches each process in order, and its member is told once; a lock has one holder whichever way
//! it was taken; what was held is free when its owner is gone; what is due at some time happens without being asked; and
//! places are given to the locks that are used, however many names there are.

mod relay;
mod watch;

use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use super::*;
use crate::core::sync::Holder;
use crate::shm::locks::{NO_EVENT, Spot};
use crate::tests::player::until;
use crate::wire::sync::{Mode, Reply};

/// A member that counts how often it is notified.
struct Listener {
    member: Member,
    notified: Arc<AtomicUsize>,
}

impl Listener {
    fn new(hub: &Arc<Hub>, looks: Looks) -> Self {
        let notified = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&notified);
        let count = move || _ = counted.fetch_add(1, Ordering::SeqCst);
        Self { member: hub.enter(looks, count), notified }
    }

    fn owner(&self) -> Owner {
        let owner = self.member.owner().expect("a number");
        owner.came(Who { worker: None, pid: 1 });
        owner
    }

    fn ask(&self, owner: &Owner, id: u32, ask: Ask) {
        let asked = Asked { id, inside: Vec::new(), event: None, ask };
        self.member.ask(question(owner, None, asked), &());
    }

    fn replies(&self) -> Vec<(u16, u32, Reply)> {
        let reply = |out: Out| (out.owner, out.told.id, out.told.reply);
        self.member.take().into_iter().map(reply).collect()
    }

    /// The only thing that it is told: a grant.
    #[track_caller]
    fn grant(&self) -> (u64, Spot) {
        match self.replies().as_slice() {
            &[(_, _, Reply::Granted { token, place: Some((place, generation)) })] => {
                (token, Spot { place, generation })
            }
            other => panic!("{other:?} is no grant"),
        }
    }

    fn notices(&self) -> usize {
        self.notified.swap(0, Ordering::SeqCst)
    }
}

fn question(owner: &Owner, event: Option<TaskId>, asked: Asked) -> Question {
    Question { owner: owner.number(), event, at: clock(), asked, value: None }
}

fn lock(name: &str) -> Ask {
    let name = name.to_owned();
    Ask::Lock { name, mode: Mode::Exclusive, limit: None, if_available: false, steal: false }
}

fn unlock(name: &str, token: u64) -> Ask {
    Ask::Unlock { name: name.to_owned(), token }
}

#[test]
fn a_member_is_told_once_and_not_of_what_it_looks_for_itself() {
    let hub = Hub::new().expect("memory");
    let pool = Listener::new(&hub, Looks::ByItself);
    let desk = Listener::new(&hub, Looks::WhenNotified);
    let (worker, master) = (pool.owner(), desk.owner());
    pool.ask(&worker, 1, lock("x"));
    assert_eq!((pool.notices(), pool.member.has_mail()), (0, true));
    let (token, _) = pool.grant();
    assert!(!pool.member.has_mail());
    desk.ask(&master, 1, lock("y"));
    desk.ask(&master, 2, lock("z"));
    assert_eq!(desk.notices(), 1);
    let replies = desk.replies();
    assert!(matches!(replies[..], [(_, 1, _), (_, 2, _)]), "{replies:?}");
    desk.ask(&master, 3, lock("x"));
    assert_eq!((desk.notices(), desk.member.has_mail()), (0, false));
    pool.ask(&worker, 0, unlock("x", token));
    assert_eq!((desk.notices(), pool.notices(), pool.member.has_mail()), (1, 0, false));
    let (token, _) = desk.grant();
    pool.ask(&worker, 2, lock("x"));
    desk.ask(&master, 0, unlock("x", token));
    assert_eq!(pool.notices(), 1, "another member asked");
    pool.grant();
}

#[test]
fn what_an_owner_held_is_free_when_it_is_gone_and_a_late_end_of_a_grant_is_one() {
    let hub = Hub::new().expect("memory");
    let pool = Listener::new(&hub, Looks::ByItself);
    let (a, b) = (pool.owner(), pool.owner());
    pool.ask(&a, 1, lock("x"));
    let (token, spot) = pool.grant();
    pool.ask(&a, 0, unlock("x", token));
    let common = hub.common();
    // Its process sends the end of a grant although the word would do.
    let token = common.acquire(spot, a.number(), NO_EVENT, 0).expect("it is free");
    pool.ask(&b, 0, unlock("x", token));
    assert_eq!(common.holder(spot.place).map(|grant| grant.token), Some(token), "not its own");
    pool.ask(&a, 0, unlock("x", token));
    assert_eq!(common.holder(spot.place), None);
    common.acquire(spot, a.number(), NO_EVENT, 0).expect("it is free");
    pool.ask(&a, 2, lock("y"));
    pool.grant();
    pool.ask(&b, 1, lock("y"));
    drop(a);
    assert_eq!(pool.notices(), 1);
    pool.grant();
    assert!(common.acquire(spot, b.number(), NO_EVENT, 0).is_some());
}

#[test]
fn a_number_is_used_again_when_all_others_were() {
    let hub = Hub::new().expect("memory");
    let pool = Listener::new(&hub, Looks::ByItself);
    let first = pool.owner().number();
    let second = pool.owner();
    assert_ne!(first, second.number());
    let third = pool.owner().number();
    assert!(third != first && third != second.number());
    let mut state = hub.lock();
    state.last_owner = u16::MAX;
    assert_eq!(state.next_owner(), Some(first));
    state.owners.extend((1..=u16::MAX).map(|number| (number, 0)));
    assert_eq!(state.next_owner(), None);
}

/// The memory and the hub, whoever comes first.
#[test]
fn a_lock_has_one_holder_whichever_way_it_was_taken() {
    const TURNS: usize = 300;
    let hub = Hub::new().expect("memory");
    let (inside, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (hub, inside, done) = (&hub, &inside, &done);
            scope.spawn(move || {
                let listener = Listener::new(hub, Looks::WhenNotified);
                let (owner, common) = (listener.owner(), hub.common());
                let mut spot: Option<Spot> = None;
                let mut last = 0;
                for id in 1..=TURNS as u32 {
                    let alone =
                        spot.and_then(|spot| common.acquire(spot, owner.number(), NO_EVENT, 0));
                    let token = alone.unwrap_or_else(|| {
                        listener.ask(&owner, id, lock("x"));
                        until("a grant", || listener.member.has_mail());
                        let (token, place) = listener.grant();
                        spot = Some(place);
                        token
                    });
                    assert!(token > last, "tokens rise");
                    last = token;
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    std::thread::yield_now();
                    assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                    done.fetch_add(1, Ordering::SeqCst);
                    let spot = spot.expect("it has one");
                    if !common.release(spot, owner.number(), token, 0) {
                        listener.ask(&owner, 0, unlock("x", token));
                    }
                }
            });
        }
    });
    assert_eq!(done.into_inner(), 4 * TURNS);
    let locks = hub.statistics();
    let granted: Vec<_> = locks.iter().map(|lock| (&*lock.name, lock.granted)).collect();
    assert_eq!(granted, [("x", 4 * TURNS as u64)]);
}

#[test]
fn what_is_due_happens_without_being_asked_and_then_nobody_waits_for_it() {
    let hub = Hub::new().expect("memory");
    let desk = Listener::new(&hub, Looks::WhenNotified);
    let owner = desk.owner();
    let take = || Ask::Take { name: "l".into(), tokens: 1.0, per: 20.0, burst: 1.0, n: 1.0 };
    let begun = Instant::now();
    for id in 1..=3 {
        desk.ask(&owner, id, take());
    }
    let mut told = Vec::new();
    let end = begun + Duration::from_mins(1);
    while told.len() < 3 {
        assert!(Instant::now() < end, "{told:?}");
        told.extend(desk.replies());
        std::thread::yield_now();
    }
    assert!(begun.elapsed() >= Duration::from_millis(39), "{:?}", begun.elapsed());
    assert_eq!(told.iter().map(|told| told.1).collect::<Vec<_>>(), [1, 2, 3]);
    until("the end of the thread", || hub.lock().ticks_at.is_none());
    desk.ask(&owner, 4, take());
    desk.ask(&owner, 5, take());
    until("another", || desk.member.has_mail());
}

#[test]
fn a_cycle_of_waits_is_found_and_members_are_asked_without_the_lock() {
    let hub = Hub::new().expect("memory");
    let desk = Listener::new(&hub, Looks::WhenNotified);
    let pool = Listener::new(&hub, Looks::ByItself);
    let (asked, its) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&hub));
    let counted = Arc::clone(&asked);
    pool.member.tells(move || {
        let _ = its.statistics();
        counted.fetch_add(1, Ordering::SeqCst);
        Able { is_open: false, running: Vec::new() }
    });
    let owner = desk.owner();
    let inside = |id, tokens: &[u64], ask| {
        let asked = Asked { id, inside: tokens.to_vec(), event: None, ask };
        desk.member.ask(question(&owner, None, asked), &());
    };
    inside(1, &[], lock("a"));
    let (a, _) = desk.grant();
    inside(2, &[], lock("b"));
    let (b, _) = desk.grant();
    inside(3, &[a], lock("b"));
    inside(4, &[b], lock("a"));
    inside(5, &[], Ask::Barrier { name: "m".into(), parties: 2 });
    until("a failure", || desk.member.has_mail());
    let replies = desk.replies();
    let [(_, 4, Reply::Failed { code, .. })] = &replies[..] else { panic!("{replies:?}") };
    assert_eq!(code, "ERR_SONIC_DEADLOCK");
    assert!(asked.load(Ordering::SeqCst) > 0);
}

/// What the core does with a lock that is asked for and given back.
fn use_once(hub: &Arc<Hub>, name: &str) -> Option<(u32, u32)> {
    let mut place = None;
    hub.act(None, &(), |_, _, words, _| {
        words.adopt(name);
        let token = words.next_token();
        place = words.hold(name, &Holder { owner: 1, event: None, token, since: 0.0 });
        words.free(name);
    });
    place
}

#[test]
fn places_are_given_to_locks_that_are_used_and_taken_from_those_that_are_not() {
    let hub = Hub::new().expect("memory");
    let first = use_once(&hub, "first").expect("a place");
    assert_eq!(use_once(&hub, "first"), Some(first));
    let held = use_once(&hub, "held").expect("a place");
    let held = Spot { place: held.0, generation: held.1 };
    let token = hub.common().acquire(held, 1, NO_EVENT, 0).expect("free");
    for name in 0..2 * Common::PLACES {
        assert!(use_once(&hub, &name.to_string()).is_some());
    }
    let (places, names) = {
        let state = hub.lock();
        (state.places.of("held"), state.places.len())
    };
    assert_eq!((places, names), (Some(held), Common::PLACES as usize));
    let again = use_once(&hub, "first").expect("a place");
    assert_ne!(again, first);
    let old = Spot { place: first.0, generation: first.1 };
    assert_eq!(hub.common().acquire(old, 1, NO_EVENT, 0), None, "it is another lock's");
    assert!(hub.common().release(held, 1, token, 0));
    assert_eq!(use_once(&hub, &"n".repeat(10_000)), None, "its name is too long to keep");
}

/// Another process may have taken all that there is.
#[test]
fn a_lock_without_a_place_is_one_all_the_same() {
    let hub = Hub::new().expect("memory");
    let desk = Listener::new(&hub, Looks::WhenNotified);
    for place in 0..Common::PLACES {
        hub.common().acquire(Spot { place, generation: 0 }, 99, NO_EVENT, 0).expect("free");
    }
    let owner = desk.owner();
    desk.ask(&owner, 1, lock("x"));
    let replies = desk.replies();
    let [(_, 1, Reply::Granted { token, place: None })] = replies[..] else {
        panic!("{replies:?}")
    };
    desk.ask(&owner, 2, lock("x"));
    assert_eq!(desk.replies(), []);
    desk.ask(&owner, 0, unlock("x", token));
    assert!(matches!(desk.replies()[..], [(_, 2, Reply::Granted { .. })]));
}

#[test]
fn what_another_process_wrote_is_a_holder_only_if_it_makes_sense() {
    let hub = Hub::new().expect("memory");
    let desk = Listener::new(&hub, Looks::WhenNotified);
    let (a, b) = (desk.owner(), desk.owner());
    desk.ask(&a, 1, lock("x"));
    let (token, spot) = desk.grant();
    desk.ask(&a, 0, unlock("x", token));
    // Nobody has this number.
    hub.common().acquire(spot, 999, NO_EVENT, 0).expect("free");
    desk.ask(&b, 1, lock("x"));
    let (token, _) = desk.grant();
    desk.ask(&b, 0, unlock("x", token));
    let token = hub.common().acquire(spot, a.number(), NO_EVENT, 0).expect("free");
    desk.ask(&b, 2, lock("x"));
    assert_eq!(desk.replies(), []);
    desk.ask(&a, 0, unlock("x", token));
    desk.grant();
}

#[test]
fn an_event_in_one_word_is_what_it_was() {
    for (index, lane) in [(0, None), (u32::MAX, None), (7, Some(0)), (u32::MAX, Some(7))] {
        let word = event_word(index, lane);
        assert_eq!(event_of(word), (index, lane));
        assert!(word < 1 << 53, "JavaScript has it as a number");
    }
    assert_eq!(event_of(u64::MAX), (u32::MAX, None));
}

/// Whether the memory is open after the last of two pools, when something of the hub was used.
fn is_kept_after(used: impl Fn(&Arc<Hub>)) -> bool {
    let hub = Hub::new().expect("memory");
    let [first, second] = [hub.stay().expect("new"), hub.stay().expect("there is a pool")];
    used(&hub);
    drop(first);
    assert!(hub.memory().is_ok(), "there is a pool");
    drop(second);
    let is_kept = hub.memory().is_ok();
    assert_eq!((hub.keep(), hub.stay().is_some()), (is_kept, is_kept));
    is_kept
}

#[test]
fn the_memory_is_open_as_long_as_there_are_pools_and_for_good_once_something_was_used() {
    assert!(!is_kept_after(|_| ()));
    assert!(is_kept_after(|hub| assert!(hub.keep())));
    assert!(is_kept_after(|hub| {
        let pool = Listener::new(hub, Looks::ByItself);
        pool.ask(&pool.owner(), 1, Ask::CountDown { name: "x".into(), count: 2, n: 1, ordinal: 0 });
    }));
    assert!(is_kept_after(|hub| _ = hub.common().counter(b"x").expect("one of many")));
    let spot = Spot { place: 0, generation: 0 };
    assert!(is_kept_after(|hub| _ = hub.common().acquire(spot, 1, NO_EVENT, 0).expect("free")));
}
