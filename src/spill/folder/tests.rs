//! Promised: a sweep removes what processes left that are gone, and nothing else; a removal removes folders of pools only.

use super::*;
use crate::spill::tests::Folder;

#[test]
fn a_sweep_removes_the_folders_of_processes_that_are_gone_and_nothing_else() {
    let folder = Folder::new();
    let own = base(folder.path(), 7);
    let name = own.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    let (pid, mark) = (std::process::id(), mark(started(std::process::id())));
    assert_eq!(name, format!("sonic-spill-{pid}-{mark}-7"));
    let gone = u32::MAX - 1;
    let removed =
        [format!("sonic-spill-{gone}-{mark}-1"), format!("sonic-spill-{pid}-1.{:x}-1", home())];
    let kept = [
        name,
        format!("sonic-spill-{pid}-0.{:x}-1", home()),
        format!("sonic-spill-{gone}-1.{:x}-1", home().wrapping_add(1)),
        format!("sonic-spill-{gone}-{mark}"),
        format!("sonic-spill-{gone}-{mark}-x"),
        format!("sonic-{gone}-{mark}-1"),
        "sonic-spill-".to_owned(),
        "else".to_owned(),
    ];
    for name in removed.iter().chain(&kept) {
        fs::create_dir_all(folder.path().join(name).join("run")).expect("a folder");
        fs::write(folder.path().join(name).join("run/1"), b"x").expect("a file");
    }
    let file = format!("sonic-spill-{gone}-{mark}-2");
    fs::write(folder.path().join(&file), b"x").expect("a file");
    sweep(folder.path());
    for name in &removed {
        assert!(!folder.path().join(name).exists(), "{name}");
    }
    for name in kept.iter().chain([&file]) {
        assert!(folder.path().join(name).exists(), "{name}");
    }
    sweep(&folder.path().join("missing"));
}

#[test]
fn only_folders_of_pools_are_removed() {
    let folder = Folder::new();
    let base = base(folder.path(), 0);
    create(&base.join("1")).expect("it is created");
    create(&base.join("2")).expect("it is created");
    fs::write(base.join("1/file"), b"x").expect("a file");
    remove(&base.join("1")).expect("it is removed");
    assert!(!base.join("1").exists() && base.join("2").exists());
    remove(&base.join("1")).expect("it was removed before");
    assert!(remove(folder.path()).is_err());
    assert!(remove(&base.join("..")).is_err());
    remove(&base).expect("it is removed");
    assert!(!base.exists() && folder.path().exists());
}
