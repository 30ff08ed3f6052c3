//! Promised: keys as bytes have the order of the keys, and are the same keys again; keys that are no scalars are named.

use super::*;

/// In order; those of one line are equal.
const ORDER: [&[&str]; 41] = [
    &["null"],
    &["false"],
    &["true"],
    &["-1.7976931348623157e308"],
    &["-1e21"],
    &["-9007199254740993", "-9007199254740992"],
    &["-1000000000000000"],
    &["-999999999999999"],
    &["-2"],
    &["-1.5"],
    &["-1", "-1.0", "-10e-1"],
    &["-5e-324"],
    &["0", "-0", "0.0", "-0.0", "0e5"],
    &["5e-324"],
    &["0.1"],
    &["0.30000000000000004"],
    &["1", "1.0", "1e0", "10E-1"],
    &["1.0000000000000002"],
    &["2"],
    &["10"],
    &["255"],
    &["256"],
    &["4294967296"],
    &["999999999999999"],
    &["1000000000000000"],
    &["9007199254740991"],
    &["1e21"],
    &["1.7976931348623157e308"],
    &["\"\""],
    &["\"\\u0000\"", "\"\\u0000\""],
    &["\"\\u0000\\u0000\""],
    &["\"\\n\"", "\"\\u000a\""],
    &["\"\\\"\"", "\"\\u0022\""],
    &["\"/\"", "\"\\/\""],
    &["\"A\"", "\"\\u0041\""],
    &["\"A\\u0000\""],
    &["\"é\"", "\"\\u00e9\"", "\"\\u00E9\""],
    &["\"\u{d7ff}\""],
    &["\"\\ud800\""],
    &["\"\\uffff\"", "\"\u{ffff}\""],
    &["\"\u{1f600}\"", "\"\\ud83d\\ude00\""],
];

fn parse_one(text: &str) -> Vec<u8> {
    let mut key = Vec::new();
    assert_eq!(parse(text.as_bytes(), 0, &mut key).expect("a key"), text.len());
    key
}

/// The keys of an array.
fn parse_all(array: &str) -> Result<Vec<Vec<u8>>> {
    let mut keys = Vec::new();
    text::each(array.as_bytes(), "keys", |text, at| {
        let mut key = Vec::new();
        let end = parse(text, at, &mut key)?;
        keys.push(key);
        Ok(end)
    })?;
    Ok(keys)
}

fn shown(key: &[u8]) -> String {
    let mut text = Vec::new();
    write_json(key, &mut text).expect("a key");
    String::from_utf8(text).expect("UTF-8")
}

#[test]
fn the_bytes_of_keys_are_in_the_order_of_the_keys() {
    let keys: Vec<Vec<u8>> = ORDER.iter().map(|line| parse_one(line[0])).collect();
    for (line, key) in ORDER.iter().zip(&keys) {
        for text in *line {
            assert_eq!(&parse_one(text), key, "{text}");
        }
    }
    for (pair, lines) in keys.windows(2).zip(ORDER.windows(2)) {
        assert!(pair[0] < pair[1], "{lines:?}");
        let rank = |key: &[u8]| Rank::new(key, key.len());
        assert!(rank(&pair[0]) < rank(&pair[1]), "{lines:?}");
        assert!(first_word(&pair[0]) <= first_word(&pair[1]), "{lines:?}");
        assert!(rank(&pair[1]) < Rank::END);
    }
}

#[test]
fn a_key_is_the_same_key_again() {
    for text in ORDER.iter().copied().flatten() {
        let key = parse_one(text);
        let again = shown(&key);
        assert_eq!(parse_one(&again), key, "{text} became {again}");
        if !text.contains("\\ud800") {
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
            let (before, after) = (value(text), value(&again));
            assert_eq!(before.as_f64(), after.as_f64(), "{text} became {again}");
            assert_eq!(before.as_str(), after.as_str(), "{text} became {again}");
        }
    }
    assert_eq!(shown(&parse_one("-0")), "0");
    assert_eq!(shown(&parse_one("\"\\ud800x\\udfff\"")), "\"\\ud800x\\udfff\"");
    assert_eq!(shown(&parse_one("\"\u{1f600}\\u0007\\\\\"")), "\"\u{1f600}\\u0007\\\\\"");
}

#[test]
fn what_is_no_key_is_named() {
    for text in ["{\"a\":[1,\"]\"]}", "[1,[2]]", "undefined", "NaN", "1e999", "\"\\x\"", "nul"] {
        let error = parse_all(&format!("[1,{text},2]")).expect_err("no key");
        assert_eq!(error.code(), "ERR_INVALID_ARG_TYPE", "{text}");
        assert!(error.to_string().ends_with(&format!("not {text}")), "{error}");
    }
    let long = format!("[{{\"a\":\"{}\"}}]", "ä".repeat(1000));
    let error = parse_all(&long).expect_err("no key").to_string();
    assert!(error.ends_with("ä…") && error.len() < 300, "{error}");
}

#[test]
fn what_is_no_array_is_an_error() {
    for text in ["", "[", "[1", "[1,", "[1,]", "[1]x", "1", "[1 2]", "[\"a]", "{}", "[,1]", "[1,2"]
    {
        assert!(parse_all(text).is_err(), "{text}");
    }
    assert_eq!(parse_all(" [ ] ").expect("an array").len(), 0);
    assert_eq!(parse_all(" [ 1 , \"a\" ] ").expect("an array").len(), 2);
}

#[test]
fn bytes_that_are_no_key_are_refused() {
    let infinite = [NUMBER, 0xff, 0xf0, 0, 0, 0, 0, 0, 0];
    let wrong: [&[u8]; 8] = [
        &[],
        &[0],
        &[9],
        &[NULL, 1],
        &[NUMBER, 1, 2],
        &infinite,
        &[STRING, 0xed],
        &[NUMBER, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    ];
    for key in wrong {
        assert_eq!(write_json(key, &mut Vec::new()), None, "{key:?}");
    }
}

#[test]
fn partitions_are_the_same_in_every_version_and_about_as_full() {
    let of = |text: &str| partition(&parse_one(text), 16);
    assert_eq!([of("\"a\""), of("\"b\""), of("1"), of("null")], PARTITIONS);
    let mut counts = [0; 16];
    for number in 0..16_000 {
        counts[of(&format!("\"key {number}\"")) as usize] += 1;
    }
    assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
}

const PARTITIONS: [u32; 4] = [5, 4, 14, 11];

#[test]
fn ranks_of_keys_that_share_a_beginning_tell_no_lies() {
    let texts =
        ["x", "xx", "xxxxxxxxxxxxxx", "xxxxxxxxxxxxxxx", "xxxxxxxxxxxxxxxx", "xxxxxxxxxxxxxxy"];
    let mut keys: Vec<Vec<u8>> = texts.iter().map(|text| parse_one(&format!("{text:?}"))).collect();
    keys.push(parse_one(&format!("\"{}\"", "x".repeat(13) + "\\u0000")));
    for a in &keys {
        for b in &keys {
            let (rank_a, rank_b) = (Rank::new(a, a.len()), Rank::new(b, b.len()));
            if rank_a != rank_b {
                assert_eq!(rank_a.cmp(&rank_b), a.cmp(b));
                assert_eq!(Rank::of(rank_a.with(0xfff)), rank_a);
            } else if !rank_a.is_long() {
                assert_eq!(a, b);
            }
        }
        let mut padded = a.clone();
        padded.extend_from_slice(&[0xff; 20]);
        assert_eq!(Rank::new(&padded, a.len()), Rank::new(a, a.len()));
    }
}
