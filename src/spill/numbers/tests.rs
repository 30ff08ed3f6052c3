//! Promised: equal keys have one number, different ones have different numbers in the order in which they came first, however they
//! are told.

use std::collections::HashMap;

use super::Numbers;

fn of_json(numbers: &mut Numbers, keys: &str, count: usize) -> Vec<u32> {
    let mut all = vec![9; count];
    numbers.of_json(keys.as_bytes(), &mut all).expect("they are keys");
    all
}

#[test]
fn a_key_has_its_number_for_good_as_text_and_as_json() {
    let mut numbers = Numbers::default();
    let mut all = [9; 4];
    assert!(numbers.of_lines(b"b\na\n\nb", &mut all).expect("it has room"));
    assert_eq!(all, [0, 1, 2, 0]);
    let keys = r#"["a","",1,"1",1.0,null,"\u0061",-0,0,true,"é","\ud800","\n"]"#;
    assert_eq!(of_json(&mut numbers, keys, 13), [1, 2, 3, 4, 3, 5, 1, 6, 6, 7, 8, 9, 10]);
    let json = String::from_utf8(numbers.to_json()).expect("it is text");
    assert_eq!(json, r#"["b","a","",1,"1",null,0,true,"é","\ud800","\u000a"]"#);
    assert_eq!(numbers.len(), 11);
}

#[test]
fn lines_that_are_not_as_many_as_they_should_be_do_nothing() {
    let mut numbers = Numbers::default();
    let mut all = [9; 2];
    for lines in [&b"a"[..], b"a\nb\nc"] {
        assert!(!numbers.of_lines(lines, &mut all).expect("nothing is done"));
    }
    assert_eq!((numbers.len(), all), (0, [9, 9]));
    for keys in ["[1]", "[1,2,3]", "1", "[1,{}]"] {
        numbers.of_json(keys.as_bytes(), &mut all).expect_err(keys);
    }
}

#[test]
fn many_keys_are_told_apart() {
    let mut numbers = Numbers::default();
    let mut known: HashMap<String, u32> = HashMap::new();
    for round in 0..50_u64 {
        let keys: Vec<String> = (0..1000_u64)
            .map(|at| format!("k{}", (at * 7919 + round * 104_729) % 20_011))
            .collect();
        let mut all = vec![0; keys.len()];
        assert!(numbers.of_lines(keys.join("\n").as_bytes(), &mut all).expect("it has room"));
        for (key, number) in keys.into_iter().zip(all) {
            let next = known.len() as u32;
            assert_eq!(*known.entry(key).or_insert(next), number);
        }
    }
    assert_eq!(numbers.len(), known.len());
}
