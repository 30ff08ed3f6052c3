use super::*;
use crate::tests::player::until;

fn text(len: usize) -> Vec<u8> {
    /// No two places that a mistake could mix up are alike.
    const PERIOD: usize = 65_521;
    let pattern: Vec<u8> = (0..len.min(PERIOD)).map(|at| (at * 31 + at / 251) as u8).collect();
    pattern.repeat(len.div_ceil(PERIOD))[..len].to_vec()
}

#[test]
fn bytes_of_every_length_are_what_was_put_in_also_bit_by_bit_and_split() {
    for len in [0, 1, INLINE, INLINE + 1, LONG, LONG + 1, LONGEST_SHARED, SHARED, SHARED + 7] {
        let all = text(len);
        let whole = Bytes::from(&all[..]);
        assert!(*whole == all && whole.is_long() == (len > LONG), "{len} bytes");
        let mut grown = Bytes::default();
        for part in all.chunks(4099) {
            grown.append(part);
        }
        grown.shrink();
        assert!(*grown == all, "{len} bytes bit by bit");
        let rest = grown.split_off(len / 3);
        assert!(*grown == all[..len / 3] && *rest == all[len / 3..], "{len} bytes split");
        // Behind the first part there is no room: it is the other's.
        grown.append(b"more");
        assert!(grown.ends_with(b"more") && *rest == all[len / 3..], "{len} bytes and more");
    }
}

#[test]
fn texts_in_one_mapping_do_not_touch_each_other() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut held: Vec<(Bytes, Vec<u8>)> = Vec::new();
    for _ in 0..300 {
        let all = text(random.usize(LONG + 1..LONG * 9));
        let mut bytes = Bytes::with_room(all.len() * random.usize(1..4));
        bytes.append(&all);
        held.push((bytes, all));
        while held.len() > random.usize(1..30) {
            let (bytes, all) = held.swap_remove(random.usize(..held.len()));
            assert!(*bytes == all);
        }
    }
}

fn mapping(bytes: &Bytes) -> std::sync::Weak<Mapping> {
    let Bytes::Long(block) = bytes else { panic!("short") };
    Arc::downgrade(&block.mapping)
}

#[test]
fn a_mapping_is_given_back_with_the_last_of_its_texts() {
    let mut own = Bytes::from(text(SHARED * 3));
    let freed = mapping(&own);
    let rest = own.split_off(SHARED);
    drop(own);
    assert!(freed.strong_count() > 0 && *rest == text(SHARED * 3)[SHARED..]);
    drop(rest);
    assert_eq!(freed.strong_count(), 0);
    // Of the shared ones only the one in use is held when all texts are gone.
    let texts: Vec<Bytes> = (0..50).map(|_| Bytes::from(text(LONGEST_SHARED / 2))).collect();
    let mut shared: Vec<_> = texts.iter().map(mapping).collect();
    shared.dedup_by(|a, b| a.ptr_eq(b));
    assert!(shared.len() >= 6, "{} mappings", shared.len());
    drop(texts);
    let is_held = |mapping: &&std::sync::Weak<Mapping>| mapping.strong_count() > 0;
    // Texts of other tests may lie there too, for a while.
    until("they are given back", || shared.iter().filter(is_held).count() <= 1);
}

#[test]
fn what_is_kept_for_the_next_is_bounded() {
    drop((0..20).map(|_| Bytes::from(text(SHARED + 1))).collect::<Vec<_>>());
    drop(Bytes::with_room(KEPT * 4));
    let free = FREE.lock().expect("sound");
    assert!(free.iter().map(|region| region.len).sum::<usize>() <= KEPT);
}

#[test]
fn only_what_has_a_good_part_of_its_mapping_may_pin_it() {
    let may_pin =
        |bytes: &Bytes| matches!(bytes, Bytes::Long(block) if block.may_pin_its_mapping());
    // A mapping that was kept may be half as long again.
    let [small, large] = [SHARED / 8 - 1, SHARED / 16 * 3].map(|len| Bytes::from(text(len)));
    assert!(!may_pin(&small) && may_pin(&large));
    let mut response = Bytes::from(text(SHARED));
    let data = response.split_off(SHARED - LONG);
    assert!(may_pin(&response) && !may_pin(&data));
}
