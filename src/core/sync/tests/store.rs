//! Promised: values have versions that rise, and are set only at the version that is asked for.

use super::*;

#[test]
fn a_key_has_its_last_value_and_a_version_that_only_rises() {
    let mut program = Program::new();
    let mut ask = |store: &str, what: &str, version: Option<u64>| {
        let (name, key) = (store.to_owned(), "k".to_owned());
        let (ask, value) = match what {
            "get" => (Ask::Get { name, key }, None),
            "delete" => (Ask::Delete { name, key }, None),
            value => (Ask::Set { name, key, if_version: version }, Some(value)),
        };
        program.ask(process(1), &[], ask, value);
        let told = program.told().concat();
        told.split_once(' ').map(|(_, told)| told.to_owned()).unwrap_or_default()
    };
    let cases = [
        ("s", "get", None, "nothing"),
        ("s", "delete", None, "0"),
        ("s", "one", Some(1), "nothing"),
        ("s", "one", Some(0), "1"),
        ("s", "two", Some(0), "nothing"),
        ("s", "get", None, "one at 1"),
        ("s", "two", Some(1), "2"),
        ("s", "three", None, "3"),
        ("s", "get", None, "three at 3"),
        ("t", "get", None, "nothing"),
        ("t", "other", None, "1"),
        ("s", "delete", None, "1"),
        ("s", "get", None, "nothing"),
        ("s", "four", Some(3), "nothing"),
        ("s", "four", Some(0), "4"),
        ("s", "", None, "5"),
        ("s", "get", None, " at 5"),
    ];
    for (at, (store, what, version, expected)) in cases.into_iter().enumerate() {
        assert_eq!(ask(store, what, version), expected, "step {at}: {what}");
    }
}
