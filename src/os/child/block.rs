//! What Windows needs to start a process, as blocks of words and bytes: the command line, the environment and the table of
//! descriptors. Pure.

use std::collections::BTreeMap;
use std::io;

/// Variables that a process has even if its parent leaves them out, as with libuv: much of Windows needs them.
pub(super) const NEEDED: [&str; 11] = [
    "HOMEDRIVE",
    "HOMEPATH",
    "LOGONSERVER",
    "PATH",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "USERDOMAIN",
    "USERNAME",
    "USERPROFILE",
    "WINDIR",
];

/// A text as system calls take it: UTF-16, with a zero at its end.
pub(super) fn wide(text: &str) -> io::Result<Vec<u16>> {
    if text.contains('\0') {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a text has a zero in it"));
    }
    Ok(text.encode_utf16().chain([0]).collect())
}

/// One line, which the program's C library splits into these arguments again.
pub(super) fn command_line(program: &str, args: &[String]) -> String {
    // The program's name has no quote in it, and a backslash in it is always one.
    let mut line = format!("\"{program}\"");
    for arg in args {
        line.push(' ');
        append_quoted(&mut line, arg);
    }
    line
}

/// By the rules of Microsoft's C library: backslashes are literal, except before a quote, where two stand for one.
fn append_quoted(line: &mut String, arg: &str) {
    let needs_quotes = arg.is_empty() || arg.contains([' ', '\t', '\n', '\u{b}']);
    if needs_quotes {
        line.push('"');
    }
    let mut backslashes = 0;
    for c in arg.chars() {
        if c == '"' {
            line.extend(std::iter::repeat_n('\\', backslashes + 1));
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        line.push(c);
    }
    if needs_quotes {
        line.extend(std::iter::repeat_n('\\', backslashes));
        line.push('"');
    }
}

/// The environment, sorted as the system requires. Names differ by more than case: the last one counts. `inherited` is asked for
/// the [`NEEDED`] variables that are missing.
pub(super) fn environment(
    variables: &[(String, String)],
    inherited: impl Fn(&str) -> Option<String>,
) -> io::Result<Vec<u16>> {
    let mut sorted = BTreeMap::new();
    for name in NEEDED {
        if let Some(value) = inherited(name) {
            sorted.insert(name.to_owned(), (name.to_owned(), value));
        }
    }
    for (name, value) in variables {
        sorted.insert(name.to_uppercase(), (name.clone(), value.clone()));
    }
    let mut block = Vec::new();
    for (name, value) in sorted.values() {
        block.extend(wide(&format!("{name}={value}"))?);
    }
    // An empty one has two zeros too.
    if block.is_empty() {
        block.push(0);
    }
    block.push(0);
    Ok(block)
}

/// Flags of a descriptor in the C library.
pub(super) const OPEN: u8 = 0x01;
pub(super) const IS_PIPE: u8 = 0x08;
pub(super) const IS_DEVICE: u8 = 0x40;

/// A handle, as the number that it is.
pub(super) type Number = usize;

/// No handle.
const NONE: Number = usize::MAX;

/// How many descriptors the C library takes.
const MOST: usize = 255;

/// The table of a process's descriptors, which the C library finds in what the process was started with
/// (`lpReserved2`): how many there are, the flags of each, and the handle of each. So libuv writes it, and reads
/// it to keep these handles from the process's own children.
pub(super) fn descriptors(places: &[(usize, u8, Number)]) -> io::Result<Vec<u8>> {
    let count = places.iter().map(|(at, ..)| at + 1).max().unwrap_or(0);
    if count > MOST {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there are too many descriptors"));
    }
    let mut flags = vec![0; count];
    let mut handles = vec![NONE; count];
    for &(at, flag, handle) in places {
        (flags[at], handles[at]) = (flag, handle);
    }
    let mut table = (count as u32).to_ne_bytes().to_vec();
    table.extend(flags);
    table.extend(handles.iter().flat_map(|handle| handle.to_ne_bytes()));
    Ok(table)
}

/// The handle of a descriptor in such a table.
pub(super) fn descriptor(table: &[u8], at: usize) -> Option<Number> {
    let (count, rest) = table.split_first_chunk()?;
    let count = u32::from_ne_bytes(*count) as usize;
    let from = (at < count).then(|| count + at * size_of::<Number>())?;
    let number = rest.get(from..)?.first_chunk()?;
    Some(Number::from_ne_bytes(*number)).filter(|&number| number != NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `CommandLineToArgvW` takes a line apart, its first part left out.
    fn taken_apart(line: &str) -> Vec<String> {
        let rest = &line[line[1..].find('"').expect("the program's end") + 2..];
        let (mut args, mut arg, mut is_quoted, mut is_there) =
            (vec![], String::new(), false, false);
        let mut chars = rest.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                ' ' | '\t' if !is_quoted => {
                    if is_there {
                        args.push(std::mem::take(&mut arg));
                    }
                    is_there = false;
                }
                '"' => (is_quoted, is_there) = (!is_quoted, true),
                '\\' => {
                    let mut count = 1;
                    while chars.next_if_eq(&'\\').is_some() {
                        count += 1;
                    }
                    let is_before_quote = chars.peek() == Some(&'"');
                    arg.extend(std::iter::repeat_n(
                        '\\',
                        if is_before_quote { count / 2 } else { count },
                    ));
                    if is_before_quote && count % 2 == 1 {
                        arg.extend(chars.next());
                    }
                    is_there = true;
                }
                c => {
                    arg.push(c);
                    is_there = true;
                }
            }
        }
        args.extend(is_there.then_some(arg));
        args
    }

    #[test]
    fn a_program_is_given_the_arguments_that_were_put_into_its_line() {
        let args = [
            "plain",
            "",
            "two words",
            r"C:\a b\",
            r"C:\a\",
            r#"a"b"#,
            r"\",
            r#"a\\"b c\\"#,
            "\t",
            "ü€😀",
            r#""""#,
            r"\\server\x y",
        ];
        let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        let line = command_line(r"C:\Program Files\node.exe", &args);
        assert!(
            line.starts_with("\"C:\\Program Files\\node.exe\" plain \"\" \"two words\""),
            "{line}"
        );
        assert_eq!(taken_apart(&line), args);
    }

    #[test]
    fn an_environment_has_each_name_once_in_order_and_what_is_needed() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let variables = [pair("b", "1"), pair("Path", "mine"), pair("A", "2"), pair("B", "3")];
        let inherited = |name: &str| ["PATH", "WINDIR"].contains(&name).then(|| "old".to_owned());
        let block = environment(&variables, inherited).expect("no zeros");
        let text = String::from_utf16(&block).expect("texts");
        assert_eq!(text, "A=2\0B=3\0Path=mine\0WINDIR=old\0\0");
        assert_eq!(environment(&[], |_| None).expect("empty"), [0, 0]);
        assert!(environment(&[pair("a\0", "")], |_| None).is_err());
    }

    #[test]
    fn a_descriptor_is_found_where_it_was_put() {
        let table = descriptors(&[(0, OPEN, 8), (3, OPEN | IS_PIPE, 80), (5, 0, 4)]).expect("few");
        assert_eq!(table[..10], [6, 0, 0, 0, OPEN, 0, 0, OPEN | IS_PIPE, 0, 0]);
        let found: Vec<_> = (0..8).map(|at| descriptor(&table, at)).collect();
        assert_eq!(found, [Some(8), None, None, Some(80), None, Some(4), None, None]);
        assert_eq!(descriptor(&table[..12], 0), None);
        assert_eq!(descriptor(&[], 0), None);
        assert!(descriptors(&[(255, OPEN, 1)]).is_err());
    }
}
