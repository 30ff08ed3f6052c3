use super::*;

fn kept(bytes: &[u8], flags: u32) -> Kept {
    Kept { bytes: Bytes::from(bytes), flags }
}

const BUFFER: u32 = (Format::Buffer as u32) << flag::FORMAT_AT;

#[test]
fn texts_are_one_array() {
    let mut held = Held::default();
    for (bytes, flags) in [(&b"1"[..], 0), (b"\"a\"", 0), (b"", flag::HOLE), (b"q\"", flag::STRING)]
    {
        held.push(kept(bytes, flags));
    }
    assert_eq!((held.len(), held.bytes()), (4, 6));
    let Kept { bytes, flags } = held.take().expect("not too many");
    assert_eq!((&*bytes, flags), (&br#"[1,"a",null,"q\""]"#[..], 0));
    assert_eq!((held.len(), held.bytes(), held.generation), (0, 0, 1));
    assert_eq!(&*held.take().expect("none").bytes, b"[]");
}

#[test]
fn with_bytes_among_them_they_are_parts() {
    let mut held = Held::default();
    held.push(kept(b"1", 0));
    held.push(kept(b"\n\0", BUFFER));
    held.push(kept(b"", flag::HOLE));
    let Kept { bytes, flags } = held.take().expect("not too many");
    assert_eq!(flags, flag::PARTS | BUFFER);
    assert_eq!(&*bytes, b"\x01\0\0\0\x001\x02\0\0\0\x03\n\0\0\0\0\0\x04");
    held.push(kept(b"2", 0));
    assert_eq!(held.take().expect("one").flags, 0, "that was the batch before");
}

#[test]
fn a_failure_is_an_object() {
    let error = br#"{"name":"Error"}"#;
    let whole = failure_of(3, "a \"b\"", error, Some((b"[1]", 0)));
    let text = r#"{"id":3,"failed":true,"node":"a \"b\"","error":{"name":"Error"},"data":[1]}"#;
    assert_eq!((std::str::from_utf8(&whole.bytes), whole.flags), (Ok(text), 0));
    let none = failure_of(3, "n", error, None);
    let text = r#"{"id":3,"failed":true,"node":"n","error":{"name":"Error"}}"#;
    assert_eq!(std::str::from_utf8(&none.bytes), Ok(text));
    let of_bytes = failure_of(3, "n", error, Some((b"\xff", BUFFER)));
    assert_eq!(of_bytes.flags, flag::FAILURE | BUFFER);
    let length = (text.len() as u32).to_le_bytes();
    assert_eq!(&*of_bytes.bytes, [&length[..], text.as_bytes(), b"\x03\xff"].concat());
}
