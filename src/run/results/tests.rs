use super::*;
use crate::shm::store::Bytes;

#[test]
fn entries_come_out_in_order_and_in_large_pieces() {
    let mut results = Results::default();
    for i in 0..20_000_u32 {
        let data = i.to_string();
        results.push(Entry {
            kind: entry::DATA | entry::RESPONSE,
            worker: i % 3,
            data: Some(Value::json(data.as_bytes())),
            response: (i % 2 == 0).then_some(Value::json(b"{\"a\":[1]}")),
        });
    }
    assert_eq!(results.len(), 20_000);
    let mut next = 0;
    let mut pieces = 0;
    while let Some(text) = results.take().and_then(|piece| piece.json()) {
        pieces += 1;
        let values: Vec<serde_json::Value> = serde_json::from_slice(&text).expect("JSON");
        for entry in values.chunks(4) {
            assert_eq!(entry[1], next % 3);
            assert_eq!(entry[2], next);
            assert_eq!(entry[3].is_object(), next % 2 == 0);
            next += 1;
        }
    }
    assert_eq!((next, results.len()), (20_000, 0));
    assert!(pieces < 20, "{pieces} pieces");
}

fn push(results: &mut Results, number: u32, data: &str, response: Option<&str>) {
    results.push(Entry {
        kind: entry::DATA,
        worker: number,
        data: Some(Value::json(data.as_bytes())),
        response: response.map(|text| Value::json(text.as_bytes())),
    });
}

#[test]
fn rows_of_numbers_are_not_text() {
    let mut results = Results::default();
    for number in 0..20_000_u32 {
        push(&mut results, number, "-999999999", Some("999999999"));
    }
    push(&mut results, 20_000, "1", Some("{}"));
    let mut next = 0;
    while let Some(piece) = results.take() {
        if next == 20_000 {
            assert_eq!(piece.json().expect("short"), b"[2,20000,1,{}]");
            return;
        }
        let Piece::Numbers(row) = piece else { panic!("they are numbers") };
        assert!(size_of_val(&*row) <= PIECE + size_of::<Words>());
        for words in row.chunks(4) {
            assert_eq!(*words, [2, next, -999_999_999, 999_999_999]);
            next += 1;
        }
    }
    panic!("the last one was lost");
}

#[test]
fn a_few_numbers_among_others_are_text_and_stay_in_order() {
    let mut results = Results::default();
    let values = ["1", "\"a\"", "2", "3", "null"];
    for number in 0..1000_u32 {
        push(&mut results, number, values[number as usize % values.len()], None);
    }
    let text = results.take().and_then(|piece| piece.json()).expect("short");
    assert!(results.take().is_none());
    let all: Vec<serde_json::Value> = serde_json::from_slice(&text).expect("JSON");
    for (number, entry) in all.chunks(4).enumerate() {
        assert_eq!(entry[1], number);
        assert_eq!(entry[2].to_string(), values[number % values.len()]);
    }
    assert_eq!(all.len(), 4000);
}

#[test]
fn strings_become_json() {
    let all: String = (0..128_u8).map(char::from).collect();
    let long = all.repeat(100);
    for text in
        ["", "a", "\"", "\\", "\u{1f}\u{7f}", &all, &long, &"x".repeat(8_000), &"x".repeat(10_000)]
    {
        let mut results = Results::default();
        let [data, response] = [(); 2].map(|()| Some(Value::new(text.as_bytes(), Format::String)));
        results.push(Entry { kind: 6, worker: 1, data, response });
        match results.take().expect("an entry") {
            Piece::Array(array) => {
                let values: Vec<serde_json::Value> =
                    serde_json::from_slice(&array.text).expect("JSON");
                assert_eq!(values[2..], [text, text]);
                assert!(!array.text.contains(&b'\n') && array.binary.is_empty());
            }
            Piece::Long(entry) => {
                for value in [entry.data, entry.response].map(|value| value.expect("there")) {
                    assert_eq!(*value, *text.as_bytes());
                    assert_eq!(value.format, Format::String);
                }
                assert!(text.len() > LONG / 2);
            }
            Piece::Numbers(_) => unreachable!("no numbers"),
        }
    }
}

#[test]
fn short_binary_values_lie_beside_the_text() {
    let mut results = Results::default();
    let all: Vec<Vec<u8>> = (0..1000).map(|number| vec![number as u8; number % 70]).collect();
    for bytes in &all {
        results.push(Entry {
            kind: entry::DATA | entry::RESPONSE,
            worker: 1,
            data: Some(Value::new(bytes, Format::Buffer)),
            response: Some(Value::new(b"text", Format::String)),
        });
        let response = Some(Value::new(bytes, Format::Clone));
        results.push(Entry { kind: entry::RESPONSE, worker: 2, data: None, response });
    }
    let mut seen = 0;
    let mut pieces = 0;
    while let Some(piece) = results.take() {
        let Piece::Array(Array { text, binary }) = piece else { panic!("they are short") };
        let at = |value: &serde_json::Value| {
            let at = value.as_u64().expect("a position") as usize;
            let len = u32::from_le_bytes(binary[at..at + 4].try_into().expect("4 bytes"));
            binary[at + 4..at + 4 + len as usize].to_vec()
        };
        let values: Vec<serde_json::Value> = serde_json::from_slice(&text).expect("JSON");
        for entry in values.chunks(WORDS) {
            let bytes = &all[seen / 2];
            if seen % 2 == 0 {
                assert_eq!(entry[0], 6 | 3 << entry::DATA_FORMAT_AT);
                assert!(at(&entry[2]) == *bytes && entry[3] == "text");
            } else {
                assert_eq!(entry[0], 4 | 2 << entry::RESPONSE_FORMAT_AT);
                assert!(entry[2] == 0 && at(&entry[3]) == *bytes);
            }
            seen += 1;
        }
        pieces += 1;
    }
    assert_eq!(seen, 2000);
    assert!(pieces < 5, "{pieces} pieces");
}

#[test]
fn long_values_are_moved() {
    let mut results = Results::default();
    let mut bytes = Bytes::from(&*vec![200; LONG + 1]);
    let at = bytes.as_ptr();
    let response = Some(Value::out_of(&mut bytes, Format::Buffer));
    results.push(Entry { kind: entry::RESPONSE, worker: 1, data: None, response });
    assert!(bytes.is_empty());
    let Some(Piece::Long(long)) = results.take() else { panic!("it is long") };
    assert_eq!(long.kind_with(Format::number), entry::RESPONSE | 3 << entry::RESPONSE_FORMAT_AT);
    let response = long.response.expect("there");
    assert!(long.data.is_none() && long.kind == entry::RESPONSE);
    assert_eq!((response.as_ptr(), response.format), (at, Format::Buffer), "moved");
}
