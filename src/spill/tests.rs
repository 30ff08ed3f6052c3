//! Promised: whatever was written comes back, by key, then side, then in the order of extents and of writing, in chunks of any
//! size and from any position. Bytes that are not what was written there are an error.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::error::Error;
use super::extent::Extent;
use super::file::SpillFile;
use super::files::MOST_OPEN;
use super::merge::{MOST_EXTENTS, Merge, merge};
use super::pairs::{self, Keys, Target, Values};
use super::{chunk, key};

mod damage;

/// A folder for one test.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sonic-test-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A key of a pair, what its value is, and the value.
type Pair = (String, u8, Vec<u8>);

/// A record as it is read: its key, side, kind, value.
type Read = (String, u8, u8, Vec<u8>);

fn json(pairs: &[(&str, &str)]) -> Vec<Pair> {
    pairs.iter().map(|&(key, value)| (key.to_owned(), 0, value.as_bytes().to_vec())).collect()
}

/// The extent of each partition.
fn told(text: &str) -> Vec<(u32, Extent, u64)> {
    let told: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let file = told["file"].as_str().expect("a name").to_owned();
    let parts = told["parts"].as_array().expect("parts").iter();
    let number = |part: &serde_json::Value, at: usize| part[at].as_u64().expect("a number");
    parts
        .map(|part| {
            let (offset, length) = (number(part, 1), number(part, 2));
            let extent = Extent { file: file.clone(), offset, length };
            (number(part, 0) as u32, extent, number(part, 3))
        })
        .collect()
}

fn write(
    file: &mut SpillFile,
    partitions: u32,
    side: u32,
    pairs: &[Pair],
) -> Vec<(u32, Extent, u64)> {
    let keys: Vec<&str> = pairs.iter().map(|(key, ..)| key.as_str()).collect();
    let keys = format!("[{}]", keys.join(","));
    let keys = keys.as_bytes();
    let target = Target { partitions, side };
    let text = if pairs.iter().all(|&(_, kind, _)| kind == 0) {
        let values: Vec<&[u8]> = pairs.iter().map(|(.., value)| value.as_slice()).collect();
        let array = [b"[".as_slice(), &values.join(&b","[..]), b"]"].concat();
        pairs::write(file, target, Keys::Json(keys), &Values::json(&array).expect("values"))
    } else {
        let bytes: Vec<u8> = pairs.iter().flat_map(|(.., value)| value.clone()).collect();
        let end = |end: &mut u32, value: &[u8]| {
            *end += value.len() as u32;
            Some(*end)
        };
        let ends: Vec<u32> = pairs.iter().scan(0, |at, (.., value)| end(at, value)).collect();
        let kinds: Vec<u8> = pairs.iter().map(|&(_, kind, _)| kind).collect();
        let values = Values::bytes(&bytes, &ends, &kinds).expect("values");
        pairs::write(file, target, Keys::Json(keys), &values)
    };
    told(&text.expect("it is written"))
}

/// The keys of an array of JSON, as they are in its text.
fn items(array: &[u8]) -> Vec<String> {
    let spans = super::text::values(array).expect("an array");
    let item = |&(start, end): &(u32, u32)| &array[start as usize..end as usize];
    spans.iter().map(|span| String::from_utf8(item(span).to_vec()).expect("UTF-8")).collect()
}

/// Adds what a chunk has.
fn unpack(chunk: &chunk::Chunk, to: &mut Vec<Read>) {
    let chunk::Chunk { keys, counts, sides, values, .. } = chunk;
    let keys = items(keys);
    assert_eq!(keys.len(), counts.len());
    let values: Vec<(u8, Vec<u8>)> = match &values.kinds {
        None => items(&values.bytes).into_iter().map(|value| (0, value.into_bytes())).collect(),
        Some(kinds) => {
            let start = |at: usize| if at == 0 { 0 } else { values.ends[at - 1] as usize };
            let value = |at| values.bytes[start(at)..values.ends[at] as usize].to_vec();
            kinds.iter().enumerate().map(|(at, &kind)| (kind, value(at))).collect()
        }
    };
    assert_eq!(counts.iter().sum::<u32>() as usize, values.len());
    let owners = keys.iter().zip(counts).flat_map(|(key, &count)| vec![key; count as usize]);
    for (at, (key, (kind, value))) in owners.zip(values).enumerate() {
        let side = sides.as_ref().map_or(0, |sides| sides[at]);
        to.push((key.clone(), side, kind, value));
    }
}

/// Everything, in one go.
fn read(folder: &Path, extents: &[Extent], bytes: usize) -> Result<Vec<Read>, Error> {
    let mut merge = Merge::open(folder, extents, None)?;
    let mut all = Vec::new();
    let mut is_partial = false;
    while let Some(chunk) = merge.next(bytes)? {
        assert_eq!(chunk.continues, is_partial);
        is_partial = chunk.is_partial;
        assert!(!is_partial || merge.position().is_none());
        unpack(&chunk, &mut all);
    }
    assert!(!is_partial && merge.position().is_none());
    Ok(all)
}

/// Everything, each chunk by a merge of its own where there is a position.
fn read_in_parts(folder: &Path, extents: &[Extent], bytes: usize) -> Vec<Read> {
    let mut merge = Merge::open(folder, extents, None).expect("a merge");
    let mut all = Vec::new();
    while let Some(chunk) = merge.next(bytes).expect("a chunk") {
        unpack(&chunk, &mut all);
        if let Some(position) = merge.position() {
            merge = Merge::open(folder, extents, Some(&position)).expect("a position");
        }
    }
    all
}

fn key_of(text: &str) -> Vec<u8> {
    let mut key = Vec::new();
    key::parse(text.as_bytes(), 0, &mut key).expect("a key");
    key
}

/// What is to be read, in order: the bytes of keys are ordered as keys are, by another test.
#[derive(Default)]
struct Expected(BTreeMap<Vec<u8>, [Vec<Read>; 2]>);

impl Expected {
    fn add(&mut self, side: u32, pairs: &[Pair]) {
        for (text, kind, value) in pairs {
            let key = key_of(text);
            let mut shown = Vec::new();
            key::write_json(&key, &mut shown).expect("a key");
            let shown = String::from_utf8(shown).expect("UTF-8");
            let sides = self.0.entry(key).or_default();
            sides[side as usize].push((shown, side as u8, *kind, value.clone()));
        }
    }

    fn all(&self) -> Vec<Read> {
        self.0.values().flatten().flatten().cloned().collect()
    }
}

fn random_key(random: &mut fastrand::Rng) -> String {
    let number = random.u32(0..60);
    match random.u32(0..9) {
        0 => ["null", "true", "false", "\"\"", "\"\\u0000\""][random.usize(0..5)].to_owned(),
        1 | 2 => (f64::from(number) / 4.0 - 7.0).to_string(),
        3 => format!("\"https://example.com/a/rather/long/path/{number}\""),
        4 => format!("\"{}{number}\"", "x".repeat(number as usize * 3)),
        5 => format!("\"{}\"", "x\\u0000".repeat(number as usize % 9)),
        6 => format!("\"{}\"", "\\u0000".repeat(number as usize)),
        _ => format!("\"ключ {number}\""),
    }
}

fn random_pair(random: &mut fastrand::Rng, has_bytes: bool) -> Pair {
    let key = random_key(random);
    match random.u32(0..if has_bytes { 12 } else { 8 }) {
        0 => (key, 0, format!("\"{}\"", "v".repeat(random.usize(0..3000))).into_bytes()),
        8 => (key, 4, Vec::new()),
        9 => (key, 2, vec![0xff; random.usize(0..9)]),
        10 => (key, 3, vec![random.u8(..); random.usize(0..2000)]),
        _ => (key, 0, random.u32(0..100_000).to_string().into_bytes()),
    }
}

#[test]
fn what_is_written_comes_back_in_order_whatever_it_is() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let folder = Folder::new();
        let partitions = 1 << random.u32(0..4);
        let mut files: Vec<SpillFile> = (0..random.u32(1..4))
            .map(|number| SpillFile::new(folder.path(), &format!("{number}-1")).expect("a name"))
            .collect();
        let mut expected: Vec<Expected> = (0..partitions).map(|_| Expected::default()).collect();
        let mut extents = vec![Vec::new(); partitions as usize];
        for _ in 0..random.usize(1..12) {
            let (side, has_bytes) = (random.u32(0..2), random.u32(0..3) == 0);
            let count = if random.bool() { 10 } else { 3000 };
            let pairs: Vec<Pair> =
                (0..random.usize(0..count)).map(|_| random_pair(&mut random, has_bytes)).collect();
            let file = random.usize(0..files.len());
            let parts = write(&mut files[file], partitions, side, &pairs);
            assert_eq!(parts.iter().map(|part| part.2).sum::<u64>(), pairs.len() as u64);
            for (partition, extent, _) in parts {
                extents[partition as usize].push(extent);
            }
            for pair in pairs {
                let partition = key::partition(&key_of(&pair.0), partitions);
                expected[partition as usize].add(side, &[pair]);
            }
        }
        for (expected, extents) in expected.iter().zip(&extents) {
            let expected = expected.all();
            for bytes in [1, 100, 20_000, usize::MAX] {
                let all = read(folder.path(), extents, bytes).expect("all of it");
                assert!(all == expected, "seed {seed}, {bytes} bytes");
                let parts = read_in_parts(folder.path(), extents, bytes);
                assert!(parts == expected, "seed {seed}, {bytes} bytes, in parts");
            }
            let merged = merge(&mut files[0], folder.path(), extents, 7).expect("it is merged");
            let merged = told(&merged);
            assert_eq!(merged.len(), usize::from(!expected.is_empty()));
            if let [(partition, extent, records)] = &merged[..] {
                assert_eq!((*partition, *records), (7, expected.len() as u64));
                let all = read(folder.path(), std::slice::from_ref(extent), 1000);
                assert!(all.expect("all of it") == expected, "seed {seed}, merged");
            }
        }
    }
}

#[test]
fn a_key_of_half_the_pairs_comes_in_parts() {
    let folder = Folder::new();
    let mut file = SpillFile::new(folder.path(), "1").expect("a name");
    let mut extents = Vec::new();
    let mut expected = Expected::default();
    for event in 0..10 {
        let key =
            |n: u32| if n.is_multiple_of(2) { "\"hot\"".to_owned() } else { format!("\"{n}\"") };
        let value = |n: u32| format!("{}", event * 2000 + n).into_bytes();
        let pairs: Vec<Pair> = (0..2000).map(|n| (key(n), 0, value(n))).collect();
        expected.add(0, &pairs);
        extents.extend(write(&mut file, 1, 0, &pairs).into_iter().map(|part| part.1));
    }
    let bytes = 1000;
    let mut merge = Merge::open(folder.path(), &extents, None).expect("a merge");
    let (mut all, mut parts) = (Vec::new(), 0);
    while let Some(chunk) = merge.next(bytes).expect("a chunk") {
        unpack(&chunk, &mut all);
        assert!(chunk.keys.len() + chunk.values.bytes.len() <= 5 * bytes + 100);
        parts += u32::from(chunk.is_partial);
    }
    assert!(all == expected.all());
    assert!(parts > 5, "{parts} parts");
    assert!(read_in_parts(folder.path(), &extents, bytes) == expected.all());
}

#[test]
fn many_extents_of_many_files_are_read_with_few_files_open() {
    let folder = Folder::new();
    let mut expected = Expected::default();
    let mut extents = Vec::new();
    for number in 0..MOST_EXTENTS as u32 {
        let mut file = SpillFile::new(folder.path(), &format!("{number}-1")).expect("a name");
        let long = format!("\"{}\"", "v".repeat(400));
        let pair = |n: u32| (format!("{}", n * 7 % 500), 0, long.clone().into_bytes());
        let pairs: Vec<Pair> = (0..150).map(|n| pair(n + number)).collect();
        expected.add(number % 2, &pairs);
        let parts = write(&mut file, 1, number % 2, &pairs);
        extents.extend(parts.into_iter().map(|part| part.1));
    }
    let mut merge = Merge::open(folder.path(), &extents, None).expect("a merge");
    let mut all = Vec::new();
    while let Some(chunk) = merge.next(1 << 20).expect("a chunk") {
        unpack(&chunk, &mut all);
        assert!(merge.open_files() <= MOST_OPEN);
    }
    assert!(all == expected.all());
    let mut merge = Merge::open(folder.path(), &extents, None).expect("a merge");
    merge.close();
    assert_eq!(merge.open_files(), 0);
    assert!(merge.next(1).expect("nothing has failed").is_none());
    assert_eq!(merge.position(), None);
    extents.push(extents[0].clone());
    assert!(Merge::open(folder.path(), &extents, None).is_err());
}

#[test]
fn an_order_among_equal_keys_is_that_of_sides_then_extents_then_writing() {
    let folder = Folder::new();
    let mut file = SpillFile::new(folder.path(), "1").expect("a name");
    let mut extent = |side, pairs| write(&mut file, 1, side, &json(pairs)).remove(0).1;
    let extents = [
        extent(1, &[("\"k\"", "5"), ("\"k\"", "6"), ("\"j\"", "0")]),
        extent(0, &[("\"k\"", "1"), ("\"k\"", "2")]),
        extent(1, &[("\"k\"", "7")]),
        extent(0, &[("\"l\"", "8"), ("\"k\"", "3"), ("\"k\"", "4")]),
    ];
    let mut merge = Merge::open(folder.path(), &extents, None).expect("a merge");
    let chunk = merge.next(1000).expect("a chunk").expect("one");
    assert_eq!(chunk.keys, b"[\"j\",\"k\",\"l\"]");
    assert_eq!(chunk.counts, [1, 7, 1]);
    assert_eq!(chunk.sides, Some(vec![1, 0, 0, 0, 0, 1, 1, 1, 0]));
    assert_eq!(chunk.values.bytes, b"[0,1,2,3,4,5,6,7,8]");
    assert!(merge.next(1000).expect("no error").is_none());
}

#[test]
fn records_are_lines_or_have_lengths_if_one_of_them_is_no_text() {
    let folder = Folder::new();
    let mut file = SpillFile::new(folder.path(), "1").expect("a name");
    let mut extent = |pairs: &[Pair]| write(&mut file, 1, 0, pairs).remove(0).1;
    let text = extent(&[
        ("2".into(), 0, b"{\"b\":2}".to_vec()),
        ("1".into(), 0, b"1".to_vec()),
        ("3".into(), 4, Vec::new()),
    ]);
    let bytes = extent(&[("9".into(), 3, b"\n\0".to_vec()), ("8".into(), 2, Vec::new())]);
    let mut merge = Merge::open(folder.path(), std::slice::from_ref(&text), None).expect("a merge");
    let records = merge.records(b'%', 1000).expect("no error").expect("some");
    assert!(records.is_text);
    assert_eq!(records.bytes, b"%1\n%{\"b\":2}\n%");
    assert!(merge.records(b'%', 1000).expect("no error").is_none());

    let mut merge = Merge::open(folder.path(), &[bytes, text], None).expect("a merge");
    let mut all = Vec::new();
    while let Some(records) = merge.records(b'%', 5).expect("no error") {
        all.push((records.is_text, records.bytes));
    }
    let third = b"\0\0\0\0%\x04\0\0\0\0%\x02".to_vec();
    let expected = [
        (true, b"%1\n%{\"b\":2}".to_vec()),
        (false, third),
        (false, b"\x02\0\0\0%\x03\n\0".to_vec()),
    ];
    assert_eq!(all, expected);
}

#[test]
fn records_go_on_in_the_middle_of_a_key() {
    let folder = Folder::new();
    let mut file = SpillFile::new(folder.path(), "1").expect("a name");
    let mut extents = Vec::new();
    for event in 0..3 {
        let pair =
            |n: u32| ("\"same\"".to_owned(), 0, format!("{}", event * 9000 + n).into_bytes());
        let pairs: Vec<Pair> = (0..9000).map(pair).collect();
        extents.extend(write(&mut file, 1, 0, &pairs).into_iter().map(|part| part.1));
    }
    let mut merge = Merge::open(folder.path(), &extents, None).expect("a merge");
    let mut lines = Vec::new();
    while let Some(records) = merge.records(b'%', 1000).expect("no error") {
        let text = String::from_utf8(records.bytes).expect("UTF-8");
        lines.extend(text.lines().map(str::to_owned));
        if let Some(position) = merge.position() {
            merge = Merge::open(folder.path(), &extents, Some(&position)).expect("a position");
        }
    }
    assert!(lines == (0..27_000).map(|n| format!("%{n}")).collect::<Vec<_>>());
}

#[test]
fn nothing_is_a_merge_too() {
    let folder = Folder::new();
    assert_eq!(read(folder.path(), &[], 100).expect("nothing"), []);
    let mut file = SpillFile::new(folder.path(), "1").expect("a name");
    assert_eq!(write(&mut file, 4, 0, &[]), []);
    assert_eq!(
        merge(&mut file, folder.path(), &[], 3).expect("nothing"),
        "{\"file\":\"1\",\"parts\":[]}"
    );
    assert!(!folder.path().exists(), "nothing is created before something is written");
}
