//! Promised: a hub that relays decides nothing; what its processes ask, and their end if they have asked, is taken in order by the
//! one that takes it there, who is notified once; and what that brings back reaches the process.

use super::*;

fn lock(name: &str) -> Ask {
    let (mode, name) = (Mode::Exclusive, name.to_owned());
    Ask::Lock { name, mode, limit: None, if_available: false, steal: false }
}

#[test]
fn questions_are_taken_elsewhere_and_answers_come_back() {
    let hub = Hub::new().expect("memory");
    let taker = Listener::new(&hub, Looks::WhenNotified);
    taker.member.relays();
    let pool = Listener::new(&hub, Looks::ByItself);
    let (first, second) = (pool.owner(), pool.owner());
    pool.ask(&first, 7, lock("a"));
    pool.ask(&first, 8, lock("b"));
    drop(second);
    assert_eq!(taker.notices(), 1);
    let number = first.number();
    drop(first);
    let all: Vec<_> = taker
        .member
        .take_relayed()
        .into_iter()
        .map(|Relayed { owner, who, said }| {
            (owner, who.map(|who| who.pid), said.map(|(asked, _)| asked.id))
        })
        .collect();
    assert_eq!(all, [(number, Some(1), Some(7)), (number, Some(1), Some(8)), (number, None, None)]);
    assert_eq!(pool.replies(), []);
    assert_eq!(hub.statistics(), []);

    let other = pool.owner();
    let told = crate::wire::sync::Told { id: 9, reply: Reply::Done };
    taker.member.tell(Out { owner: other.number(), told, value: None });
    assert_eq!(pool.replies(), [(other.number(), 9, Reply::Done)]);
    assert_eq!(pool.notices(), 1);
}
