//! Promised: pairs are sorted by partition, key and their own order, however alike their keys are; what does not fit is an error.

use super::*;
use crate::spill::tests::Folder;

fn key_of(text: &str) -> Vec<u8> {
    let mut key = Vec::new();
    key::parse(text.as_bytes(), 0, &mut key).expect("a key");
    key
}

/// The order in which pairs are written.
fn order(keys: &[String]) -> Vec<usize> {
    let mut groups = Groups::new(1, 0);
    let mut offsets = Vec::new();
    for key in keys {
        offsets.push(groups.size());
        groups.push(&key_of(key), 0, JSON, b"1").expect("space");
    }
    let group = &mut groups.0[0];
    group.sort();
    let number = |&entry: &Entry| offsets.binary_search(&offset(entry)).expect("a record");
    group.entries.iter().map(number).collect()
}

fn expected(texts: &[String]) -> Vec<usize> {
    let keys: Vec<Vec<u8>> = texts.iter().map(|text| key_of(text)).collect();
    let mut expected: Vec<usize> = (0..texts.len()).collect();
    expected.sort_by_key(|&index| &keys[index]);
    expected
}

#[test]
fn keys_that_are_alike_for_long_are_sorted_too() {
    let mut random = fastrand::Rng::with_seed(3);
    for len in [0, 1, 6, 7, 8, 9, 15, 16, 17, 63, 64, 65, 200, 3000] {
        for zeros in [0, 1, 9] {
            let beginning = "x".repeat(len) + &"\\u0000".repeat(zeros);
            let mut key = |_| {
                let end = match random.u32(0..4) {
                    0 => String::new(),
                    1 => "\\u0000".repeat(random.usize(0..20)),
                    _ => random.u32(0..50).to_string(),
                };
                format!("\"{beginning}{end}\"")
            };
            let mut keys: Vec<String> = (0..300).map(&mut key).collect();
            assert_eq!(order(&keys), expected(&keys), "{len} {zeros}");
            keys.extend(["1", "-3", "null", "true", "2.5"].map(str::to_owned));
            assert_eq!(order(&keys), expected(&keys), "{len} {zeros}, with others");
        }
    }
}

#[test]
fn equal_keys_stay_in_their_order() {
    for key in ["\"a\"", "1", "null", &format!("\"{}\"", "long ".repeat(1000))] {
        let keys = vec![key.to_owned(); 1000];
        assert_eq!(order(&keys), (0..1000).collect::<Vec<_>>());
    }
}

#[test]
fn what_does_not_fit_is_an_error_and_nothing_is_written() {
    let folder = Folder::new();
    let mut file = SpillFile::new(folder.path(), "1").expect("a name");
    let mut tried = |partitions, side, values: &str| {
        let values = Values::json(values.as_bytes())?;
        write(&mut file, Target { partitions, side }, Keys::Json(b"[1,2]"), &values)
    };
    for (partitions, side, values) in [
        (0, 0, "[1,2]"),
        (MOST_PARTITIONS + 1, 0, "[1,2]"),
        (1, 2, "[1,2]"),
        (1, 0, "[1]"),
        (1, 0, "[]"),
    ] {
        let error = tried(partitions, side, values).expect_err("it does not fit");
        assert_eq!(error.code(), "ERR_INVALID_ARG_VALUE");
    }
    assert!(!folder.path().exists());
    let wrong: [(&[u8], &[u32], &[u8]); 9] = [
        (b"ab", &[1], &[0]),
        (b"ab", &[1, 3], &[0, 0]),
        (b"ab", &[2, 1, 2], &[0, 0, 0]),
        (b"ab", &[1, 2], &[0]),
        (b"ab", &[1, 2], &[0, 1]),
        (b"ab", &[1, 2], &[0, 8]),
        (b"ab", &[1, 2], &[0, 4]),
        (b"ab", &[0, 2], &[0, 3]),
        (b"a\n", &[1, 2], &[0, 0]),
    ];
    for (bytes, ends, kinds) in wrong {
        assert!(Values::bytes(bytes, ends, kinds).is_err(), "{ends:?} {kinds:?}");
    }
    assert!(Values::bytes(b"ab", &[0, 2, 2], &[4, 3, 2]).is_ok());
}

#[test]
fn keys_by_their_numbers_are_written_as_the_same_keys_in_json() {
    let folder = Folder::new();
    let keys = br#"["b","a",1,null,"\u00e9","a long key that is longer than a rank",true,-2.5]"#;
    let values = Values::json(b"[1,2,3,4,5,6,7,8]").expect("values");
    let mut numbers = Numbers::default();
    numbers.of_json(keys, &mut [0; 8]).expect("keys");
    let written = |name: &str, keys: Keys<'_>| {
        let mut file = SpillFile::new(folder.path(), name).expect("a name");
        let target = Target { partitions: 3, side: 1 };
        let told = write(&mut file, target, keys, &values).expect("it is written");
        (told.replace(name, ""), std::fs::read(folder.path().join(name)).expect("a file"))
    };
    let (as_json, numbered) = (Keys::Json(keys), Keys::Numbered(&numbers));
    assert!(written("1-1", as_json) == written("2-1", numbered));
}
