//! Promised: the crate is what its documentation says. The table of layers in `src/lib.rs` names every folder, and a
//! folder knows only those above it. Only the binding speaks Node-API, only what crosses a wire as JSON derives serde,
//! only `os` speaks to the system.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What only the folder `os` says.
const SYSTEM: [&str; 10] = [
    "std::os::unix",
    "std::os::windows",
    "std::os::fd",
    "windows_sys::",
    "cfg(unix",
    "cfg(windows",
    "target_os",
    "rustix::",
    "libc::",
    "nix::",
];

/// Folders that only compute: they wait for nothing and ask nobody. (How long something takes is a number.)
const PURE: [&str; 4] = ["wire", "shm", "core", "run"];
const IMPURE: [&str; 7] =
    ["tokio", "std::thread", "Instant", "SystemTime", "std::net", "std::fs", "std::env"];

/// A source file without its tests and comments.
struct Source {
    /// Its path below `src`.
    path: String,
    /// The module of the crate's root that it belongs to.
    module: String,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let source = |file: PathBuf| {
        let path = file.strip_prefix(&root).expect("below it").to_str().expect("UTF-8").to_owned();
        let module = path.split(['/', '.']).next().expect("a name").to_owned();
        let text = fs::read_to_string(&file).expect("a source file");
        let text = text.split("#[cfg(test)]\nmod tests {").next().expect("some text");
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        let code: Vec<&str> = text.lines().filter(is_code).collect();
        Source { path, module, code: code.join("\n") }
    };
    files.into_iter().map(source).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let is_tests = path.file_stem().is_some_and(|stem| stem == "tests");
        if is_tests {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The folders of the documented table, in its order.
fn table() -> Vec<String> {
    let rows = include_str!("../lib.rs").lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned())).collect()
}

/// The modules of the crate's root that the code names.
fn known(code: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    let mut names = BTreeSet::new();
    for piece in code.split("crate::").skip(1) {
        // `use crate::{a, b::c}` names several.
        let group = piece.strip_prefix('{').and_then(|rest| rest.split(';').next());
        for part in group.map_or_else(|| vec![piece], |group| group.split(',').collect()) {
            names.insert(part.trim().chars().take_while(|&c| is_name(c)).collect());
        }
    }
    names
}

#[test]
fn every_folder_stands_in_the_documented_table_and_nothing_else_does() {
    let modules: BTreeSet<String> =
        sources().into_iter().map(|source| source.module).filter(|name| name != "lib").collect();
    assert_eq!(table().into_iter().collect::<BTreeSet<_>>(), modules);
}

#[test]
fn a_folder_knows_only_those_above_it() {
    let layers = table();
    let at = |name: &str| layers.iter().position(|layer| layer == name);
    for Source { path, module, code } in sources() {
        for name in known(&code) {
            let is_above = at(&name) < at(&module);
            assert!(module == "lib" || name == module || is_above, "src/{path} knows {name}");
        }
    }
}

#[test]
fn only_the_binding_speaks_node_api() {
    for Source { path, module, code } in sources() {
        let speaks = ["napi::", "napi_", "#[napi", "sys::"]
            .iter()
            .any(|word| code.replace("nix::sys::", "").replace("windows_sys::", "").contains(word));
        assert!(!speaks || module == "binding", "src/{path} speaks Node-API");
    }
}

/// V8 reads UTF-8 twice, and would write beyond its string if that had changed meanwhile: it is given bytes that are
/// this process's alone. What a view of shared memory has (`at`) goes where each byte is read once.
#[test]
fn no_text_in_utf_8_is_read_from_memory_that_another_process_may_change() {
    for Source { path, code, .. } in sources() {
        let is_utf8 = code.contains("napi_create_string_utf8");
        let is_allowed = ["binding/text.rs", "binding/call.rs"].contains(&path.as_str());
        assert!(!is_utf8 || (is_allowed && !code.contains("Memory")), "src/{path} makes a string");
        for unchecked in ["from_utf8_unchecked", "from_utf8_unchecked_mut"] {
            assert!(!code.contains(unchecked), "src/{path} believes that something is UTF-8");
        }
    }
}

#[test]
fn only_what_crosses_as_json_derives_serde() {
    let derives: BTreeSet<String> =
        sources()
            .into_iter()
            .filter(|source| {
                source.code.split("derive(").skip(1).any(|rest| {
                    rest.split(')').next().is_some_and(|names| names.contains("erialize"))
                })
            })
            .map(|source| source.module)
            .collect();
    assert_eq!(derives, ["wire".to_owned()].into());
}

#[test]
fn only_the_folder_os_speaks_to_the_system() {
    for Source { path, module, code } in sources() {
        let line = code.lines().find(|line| SYSTEM.iter().any(|word| line.contains(word)));
        assert!(line.is_none() || module == "os", "src/{path}: {}", line.unwrap_or_default());
    }
}

#[test]
fn what_only_computes_waits_for_nothing_and_asks_nobody() {
    for Source { path, module, code } in sources() {
        for word in IMPURE {
            let is_pure = !code.contains(word);
            assert!(is_pure || !PURE.contains(&module.as_str()), "src/{path} mentions {word}");
        }
    }
}
