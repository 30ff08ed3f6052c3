//! Promised: an array of JSON is taken apart where its items end, whatever is in them.

use super::*;

fn parts(text: &str) -> Option<Vec<&str>> {
    let spans = values(text.as_bytes()).ok()?;
    Some(spans.into_iter().map(|(start, end)| &text[start as usize..end as usize]).collect())
}

#[test]
fn items_end_where_they_end() {
    let items = [
        "1",
        "-1.5e+3",
        "null",
        "true",
        "\"\"",
        "\"a,]\"",
        "\"\\\"]\\\\\"",
        "[]",
        "[[1,\"]\"],{}]",
        "{\"a\":{\"b\":[\"}\"]}}",
        "\"é\u{1f600}\"",
    ];
    assert_eq!(parts(&format!("[{}]", items.join(","))).expect("an array"), items);
    assert_eq!(parts(&format!(" [ {} ] ", items.join(" , "))).expect("an array"), items);
    assert_eq!(parts("[]").expect("an array"), [""; 0]);
}

#[test]
fn no_part_of_an_array_is_an_array() {
    let text = "[1,\"a\\\\\",{\"b\":[2]},[3]]";
    for end in 0..text.len() {
        assert_eq!(parts(&text[..end]), None, "{}", &text[..end]);
    }
    assert_eq!(parts("[1,\n2]"), None);
}
