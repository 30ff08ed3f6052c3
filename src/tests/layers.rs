//! Promised: the crate is what its documentation says. The paragraph on layers in `src/lib.rs` is the
//! table: every module stands in it, and knows only modules of the layers before its own, or one that
//! it is named `with`. Only the binding speaks Node-API, only what crosses a wire as JSON derives
//! serde, only the sockets and processes speak to the system, but for the exceptions below.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What is the system's, and whose business it is.
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
const SYSTEM_MODULES: [&str; 7] =
    ["clock", "memory", "host", "terminal", "socket", "child", "tree"];

/// Where else the system is spoken to, in which line, and why.
const SYSTEM_EXCEPTIONS: [(&str, &str, &str); 1] =
    [("store.rs", "target_os", "huge pages are Linux's")];

/// Modules that only compute: they wait for nothing and ask nobody.
const PURE: [&str; 14] = [
    "backlog",
    "channel",
    "format",
    "frame",
    "note",
    "protocol",
    "record",
    "results",
    "retry",
    "ring",
    "scheduler",
    "stopwatch",
    "stream",
    "task",
];
const IMPURE: [&str; 6] = ["tokio", "std::thread", "std::time", "std::net", "std::fs", "std::env"];

/// What crosses a wire, or goes to JavaScript, as JSON.
const SERDE: [&str; 3] = ["channel", "note", "protocol"];

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

/// The documented table: the layer of every module, and which two are named together.
fn table() -> (BTreeMap<String, usize>, BTreeSet<(String, String)>) {
    let text = include_str!("../lib.rs");
    let from = text.find("**Layers**").expect("a paragraph on layers");
    let paragraph = text[from..].split("\n//!\n").next().expect("its end").replace("\n//!", " ");
    let mut layers = BTreeMap::new();
    let mut together = BTreeSet::new();
    for (layer, part) in paragraph.split('→').enumerate() {
        let pieces: Vec<&str> = part.split('`').collect();
        for (at, name) in pieces.iter().enumerate().skip(1).step_by(2) {
            assert_eq!(layers.insert((*name).to_owned(), layer), None, "{name} is there twice");
            if pieces[at - 1].trim() == "with" {
                together.insert((pieces[at - 2].to_owned(), (*name).to_owned()));
            }
        }
    }
    (layers, together)
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
fn every_module_stands_in_the_documented_table_and_nothing_else_does() {
    let (layers, _) = table();
    let modules: BTreeSet<String> =
        sources().into_iter().map(|source| source.module).filter(|name| name != "lib").collect();
    let documented: BTreeSet<String> = layers.into_keys().collect();
    assert_eq!(documented, modules);
}

#[test]
fn a_module_knows_only_those_of_the_layers_before_its_own() {
    let (layers, together) = table();
    let mut wrong = Vec::new();
    for Source { path, module, code } in sources() {
        for name in known(&code) {
            let pair = [(module.clone(), name.clone()), (name.clone(), module.clone())];
            let is_allowed = name == module
                || layers.get(&name).is_some_and(|layer| *layer < layers[&module])
                || pair.iter().any(|pair| together.contains(pair));
            if !is_allowed {
                wrong.push(format!("src/{path} knows {name}"));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
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
    assert_eq!(derives, SERDE.map(str::to_owned).into());
}

#[test]
fn only_sockets_and_processes_speak_to_the_system_but_for_exceptions_with_a_reason() {
    let mut used = BTreeSet::new();
    for Source { path, module, code } in sources() {
        if SYSTEM_MODULES.contains(&module.as_str()) {
            continue;
        }
        for line in code.lines().filter(|line| SYSTEM.iter().any(|word| line.contains(word))) {
            let exception = SYSTEM_EXCEPTIONS
                .iter()
                .position(|(file, text, _)| *file == path && line.contains(text));
            used.insert(exception.unwrap_or_else(|| panic!("src/{path}: {}", line.trim())));
        }
    }
    assert_eq!(used.len(), SYSTEM_EXCEPTIONS.len(), "an exception is not needed any more");
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
