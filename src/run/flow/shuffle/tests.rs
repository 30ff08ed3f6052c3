use super::*;

fn told(file: &str, parts: &[(u32, u64, u64, u64)]) -> Told {
    Told { file: file.into(), parts: parts.to_vec() }
}

#[test]
fn extents_are_kept_by_partition() {
    let mut shuffle = Shuffle::default();
    shuffle.add(told("a", &[(0, 0, 10, 1), (3, 10, 5, 1), (4, 15, 0, 0)]));
    shuffle.add(told("b", &[(3, 0, 7, 2)]));
    assert!(shuffle.excess().is_none());
    let all = shuffle.take();
    assert_eq!(all.keys().copied().collect::<Vec<_>>(), [0, 3], "nothing was written of 4");
    assert_eq!(text_of(3, &all[&3], false), r#"{"p":3,"x":[["a",10,5],["b",0,7]]}"#);
    assert!(shuffle.take().is_empty());
}

#[test]
fn too_many_are_merged_and_come_back_if_that_fails() {
    let mut shuffle = Shuffle::default();
    for at in 0..=FEW as u64 {
        shuffle.add(told("a", &[(2, at, 1, 1)]));
    }
    for _ in 1..MOST_ATTEMPTS {
        let (partition, extents) = shuffle.excess().expect("more than enough");
        assert_eq!((partition, extents.len()), (2, MERGED));
        assert!(shuffle.excess().is_none());
        assert!(text_of(partition, &extents, true).ends_with(r#","c":true}"#));
        assert!(shuffle.put_back(partition, extents));
    }
    let (partition, extents) = shuffle.excess().expect("as before");
    assert!(!shuffle.put_back(partition, extents), "too often");
    let all = shuffle.take();
    let starts: Vec<u64> = all[&2].iter().map(|extent| extent.at).collect();
    assert_eq!(starts, (0..=FEW as u64).collect::<Vec<_>>());
}
