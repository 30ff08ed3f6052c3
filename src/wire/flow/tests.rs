use super::*;

fn json(bytes: &[u8]) -> Item<'_> {
    Item { format: Format::Json, is_hole: false, bytes }
}

#[test]
fn lines_are_records() {
    let text = b"%1\n&\"a\"\n%\n!3\t{\"name\":\"Error\"}\t\t{\"n\":1}\n!4\t{}\t{\"p\":1}\t\n$5\t{}\n#{\"p\":0}";
    let hole = Item { format: Format::Json, is_hole: true, bytes: b"" };
    let error = br#"{"name":"Error"}"#;
    let expected = vec![
        Record::Out { exit: 0, item: json(b"1") },
        Record::Out { exit: 1, item: json(b"\"a\"") },
        Record::Out { exit: 0, item: hole },
        Record::Failed { node: 3, error, redo: b"", item: json(br#"{"n":1}"#) },
        Record::Failed { node: 4, error: b"{}", redo: br#"{"p":1}"#, item: hole },
        Record::Spilled { node: 5, told: b"{}" },
        Record::Further { data: br#"{"p":0}"# },
    ];
    assert_eq!(records(text, Format::Json), Some(expected));
    assert_eq!(records(b"", Format::Json), Some(vec![]));
}

fn framed(what: u8, format: u8, bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u32).to_le_bytes();
    [&length[..], &[what, format], bytes].concat()
}

#[test]
fn records_with_lengths_have_any_bytes() {
    let all = [
        framed(b'%', 3, b"\n\t\0"),
        framed(b'%', 4, b""),
        framed(b'!', 2, b"7\t{}\t\t\n\xff"),
        framed(b'&', 0, b"1"),
    ]
    .concat();
    let bytes = Item { format: Format::Buffer, is_hole: false, bytes: b"\n\t\0" };
    let failed = Item { format: Format::Clone, is_hole: false, bytes: b"\n\xff" };
    let hole = Item { format: Format::Json, is_hole: true, bytes: b"" };
    let expected = vec![
        Record::Out { exit: 0, item: bytes },
        Record::Out { exit: 0, item: hole },
        Record::Failed { node: 7, error: b"{}", redo: b"", item: failed },
        Record::Out { exit: 1, item: json(b"1") },
    ];
    assert_eq!(records(&all, Format::Buffer), Some(expected));
}

#[test]
fn what_makes_no_sense_is_none() {
    for text in
        [&b"\n"[..], b"%1\n", b"!3", b"!3\t{}", b"!x\t{}\t\t1", b"$\t{}", b"$3", b"\"1", b" 1"]
    {
        assert_eq!(records(text, Format::Json), None, "{}", String::from_utf8_lossy(text));
    }
    let whole = framed(b'%', 3, b"abc");
    for end in 1..whole.len() {
        assert_eq!(records(&whole[..end], Format::Buffer), None, "{end} bytes");
    }
}
