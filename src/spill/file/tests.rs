//! Promised: a write is whole or does not exist; errors say the path and what was tried.

use std::fs;

use super::*;
use crate::spill::pairs::{self, Keys, Target, Values};
use crate::spill::tests::Folder;

fn write(file: &mut SpillFile) -> Result<String> {
    let target = Target { partitions: 1, side: 0 };
    pairs::write(file, target, Keys::Json(b"[\"a\",\"b\"]"), &Values::json(b"[1,2]")?)
}

#[test]
fn the_first_write_creates_the_file_and_the_next_ones_append() {
    let folder = Folder::new();
    let within = folder.path().join("sonic-spill-1-2-3/run");
    let mut file = SpillFile::new(&within, "1-2").expect("a name");
    assert!(!folder.path().exists());
    let first = write(&mut file).expect("it is written");
    let length = fs::metadata(within.join("1-2")).expect("the file").len();
    assert_eq!(first, format!("{{\"file\":\"1-2\",\"parts\":[[0,0,{length},2]]}}"));
    let second = write(&mut file).expect("it is written");
    assert!(second.contains(&format!("[0,{length},")), "{second}");
    // Another one of the same name begins behind what is there, whole or not.
    drop(file);
    fs::write(within.join("1-2"), b"torn").expect("it is written");
    let mut file = SpillFile::new(&within, "1-2").expect("a name");
    assert!(write(&mut file).expect("it is written").contains("[0,4,"));
}

#[test]
fn what_is_not_committed_is_taken_back() {
    let folder = Folder::new();
    let mut file = SpillFile::new(folder.path(), "1").expect("a name");
    write(&mut file).expect("it is written");
    let length = || fs::metadata(folder.path().join("1")).expect("the file").len();
    let before = length();
    let mut append = file.append().expect("it is open");
    append.writer.push(b"\x05a", 0, 0, b"1").expect("a record");
    append.writer.end(0).expect("an extent");
    append.write().expect("it is written");
    assert!(length() > before);
    drop(append);
    assert_eq!(length(), before);
    assert!(write(&mut file).expect("it is written").contains(&format!("[0,{before},")));
}

#[test]
fn a_full_disk_is_an_error_that_says_so() {
    let full = Path::new("/dev");
    if !full.join("full").exists() {
        return;
    }
    let mut file = SpillFile {
        path: full.join("full"),
        name: "full".to_owned(),
        open: Some(Open { file: append(&full.join("full")).expect("a device"), length: 0 }),
    };
    let error = write(&mut file).expect_err("the disk is full");
    assert_eq!(error.code(), "ERR_SONIC_SPILL");
    let text = error.to_string();
    assert!(text.starts_with("/dev/full could not be written: No space left"), "{text}");
    assert!(text.ends_with("the option spillDir names a folder on another disk"), "{text}");
    assert!(file.open.is_none());
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_that_says_so() {
    let folder = Folder::new();
    fs::create_dir(folder.path()).expect("a folder");
    let blocked = folder.path().join("sonic-spill-1-2-3");
    fs::write(&blocked, b"").expect("a file");
    let mut file = SpillFile::new(&blocked.join("run"), "1").expect("a name");
    let error = write(&mut file).expect_err("no folder");
    assert_eq!(error.code(), "ERR_SONIC_SPILL");
    assert!(error.to_string().contains("could not be created"), "{error}");
}
