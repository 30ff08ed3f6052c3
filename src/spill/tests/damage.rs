//! Promised: a byte that is wrong, a file that is cut, an extent that is elsewhere and a position that is none are errors.

use super::*;

/// A file with some extents, the last of which is read.
fn written(folder: &Folder) -> (PathBuf, Vec<Extent>) {
    let mut file = SpillFile::new(folder.path(), "1").expect("a name");
    let mut extents = Vec::new();
    for event in 0..3 {
        let pair =
            |n: u32| (format!("\"key {n}\""), 0, format!("{}", event * 100 + n).into_bytes());
        let pairs: Vec<Pair> = (0..20).map(pair).collect();
        extents.extend(write(&mut file, 1, 0, &pairs).into_iter().map(|part| part.1));
    }
    (folder.path().join("1"), extents)
}

fn is_damaged(read: Result<Vec<Read>, Error>) -> bool {
    matches!(read, Err(Error::Damaged { .. }))
}

#[test]
fn a_wrong_bit_anywhere_is_an_error() {
    let folder = Folder::new();
    let (path, extents) = written(&folder);
    let whole = fs::read(&path).expect("the file");
    let extent = &extents[1..2];
    assert_eq!(read(folder.path(), extent, 100).expect("all of it").len(), 20);
    let range = extent[0].offset..extent[0].offset + extent[0].length;
    for at in range {
        for bit in [1, 0x10, 0x80] {
            let mut bytes = whole.clone();
            bytes[at as usize] ^= bit;
            fs::write(&path, bytes).expect("it is written");
            assert!(is_damaged(read(folder.path(), extent, 100)), "byte {at}");
        }
    }
    fs::write(&path, &whole).expect("it is written");
    let mut outside = whole.clone();
    outside[0] ^= 1;
    fs::write(&path, outside).expect("it is written");
    assert!(read(folder.path(), extent, 100).is_ok(), "what is not of the extent does not count");
}

#[test]
fn a_file_that_is_cut_anywhere_is_an_error() {
    let folder = Folder::new();
    let (path, extents) = written(&folder);
    let whole = fs::read(&path).expect("the file");
    let last = &extents[2..];
    for len in last[0].offset as usize..whole.len() {
        fs::write(&path, &whole[..len]).expect("it is written");
        assert!(is_damaged(read(folder.path(), last, 100)), "{len} bytes");
    }
    fs::remove_file(&path).expect("it is removed");
    let error = read(folder.path(), last, 100).expect_err("no file");
    assert!(matches!(error, Error::System { .. }), "{error}");
    assert_eq!(error.code(), "ERR_SONIC_SPILL");
    assert!(error.to_string().contains("could not be opened to be read"), "{error}");
}

#[test]
fn an_extent_that_is_elsewhere_is_an_error() {
    let folder = Folder::new();
    let (path, extents) = written(&folder);
    let whole = fs::read(&path).expect("the file");
    let Extent { offset, length, .. } = extents[1].clone();
    let at = |offset, length| [Extent { offset, length, ..extents[1].clone() }];
    for offset in [offset - 1, offset + 1, offset + 20, 1, offset + length - 1, u64::MAX, 1 << 60] {
        assert!(read(folder.path(), &at(offset, length), 100).is_err(), "at {offset}");
    }
    for length in [0, 1, 19, 20, 21, length - 1, length + 1, 2 * length, u64::MAX] {
        assert!(read(folder.path(), &at(offset, length), 100).is_err(), "{length} bytes");
    }
    // The same bytes at another place are not what was written there.
    let mut moved = whole.clone();
    let (start, end) = (offset as usize, (offset + length) as usize);
    moved.extend_from_slice(&whole[start..end]);
    fs::write(&path, moved).expect("it is written");
    assert!(is_damaged(read(folder.path(), &at(whole.len() as u64, length), 100)));
}

#[test]
fn one_of_several_blocks_is_no_extent() {
    let folder = Folder::new();
    let mut file = SpillFile::new(folder.path(), "1").expect("a name");
    let long = format!("\"{}\"", "v".repeat(40_000)).into_bytes();
    let pairs: Vec<Pair> = (0..3).map(|n| (n.to_string(), 0, long.clone())).collect();
    let extent = write(&mut file, 1, 0, &pairs).remove(0).1;
    let block = extent.length / 3;
    assert_eq!(read(folder.path(), std::slice::from_ref(&extent), 100).expect("all").len(), 3);
    for (offset, length) in [(0, block), (0, 2 * block), (block, block), (block, 2 * block)] {
        let part = Extent { offset, length, ..extent.clone() };
        assert!(is_damaged(read(folder.path(), &[part], 100)), "{offset} {length}");
    }
}

#[test]
fn what_is_no_position_of_these_extents_is_an_error() {
    let folder = Folder::new();
    let (_, extents) = written(&folder);
    let mut merge = Merge::open(folder.path(), &extents, None).expect("a merge");
    merge.next(100).expect("a chunk").expect("one");
    let position = merge.position().expect("a position");
    let open = |extents: &[Extent], from: &str| Merge::open(folder.path(), extents, Some(from));
    assert!(open(&extents, &position).is_ok());
    assert!(open(&extents[1..], &position).is_err(), "of other extents");
    let (fingerprint, places) = position.split_once(',').expect("places");
    let wrong = [
        String::new(),
        fingerprint.to_owned(),
        format!("{position},0.0"),
        format!("{fingerprint},0.0,0.0"),
        format!("{fingerprint},0.0,0.0,0"),
        format!("{fingerprint},0.0,0.0,0.-1"),
        format!("{fingerprint},1.0,0.0,0.0"),
        format!("{fingerprint},0.0,0.0,0.20"),
        format!("{fingerprint},0.0,0.0,0.4294967295"),
        format!("{fingerprint},0.0,18446744073709551615.0,0.0"),
        format!("0{fingerprint},{places}"),
    ];
    for from in wrong {
        assert!(open(&extents, &from).is_err(), "{from}");
    }
}

#[test]
fn a_merge_that_failed_goes_nowhere() {
    let folder = Folder::new();
    let mut file = SpillFile::new(folder.path(), "1").expect("a name");
    let long = format!("\"{}\"", "v".repeat(40_000)).into_bytes();
    let pairs: Vec<Pair> = (0..3).map(|n| (n.to_string(), 0, long.clone())).collect();
    let extent = write(&mut file, 1, 0, &pairs).remove(0).1;
    let path = folder.path().join("1");
    let mut bytes = fs::read(&path).expect("the file");
    *bytes.last_mut().expect("a byte") ^= 1;
    fs::write(&path, bytes).expect("it is written");
    let mut merge = Merge::open(folder.path(), &[extent], None).expect("its first block is whole");
    while let Ok(chunk) = merge.next(1) {
        assert!(chunk.is_some(), "the last block is missing");
    }
    assert_eq!(merge.position(), None);
    assert!(merge.next(1).is_err() && merge.records(0, 1).is_err());
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let folder = Folder::new();
    for name in ["", ".", "..", "../x", "a/b", "a\\b", "/x", "a..b", "ä", "a b", "a\0"] {
        assert!(SpillFile::new(folder.path(), name).is_err(), "{name:?}");
        let extent = Extent { file: name.to_owned(), offset: 0, length: 100 };
        let error = Merge::open(folder.path(), &[extent], None).err().expect("no name");
        assert_eq!(error.code(), "ERR_INVALID_ARG_VALUE");
    }
}

#[test]
fn bytes_without_sense_never_panic() {
    let folder = Folder::new();
    let (path, extents) = written(&folder);
    let whole = fs::read(&path).expect("the file");
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..2000 {
        let mut bytes = whole.clone();
        let start = random.usize(0..bytes.len());
        let end = random.usize(start..=bytes.len());
        random.fill(&mut bytes[start..end]);
        fs::write(&path, bytes).expect("it is written");
        let _ = read(folder.path(), &extents, 100);
    }
}
