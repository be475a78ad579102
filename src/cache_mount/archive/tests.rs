use std::io;

use tar::{EntryType, Header};
use tokio::sync::mpsc;

use super::time::{decimal, parse_decimal};
use super::*;
use crate::cache_mount::entry::{Entry, Item, Kind, Meta, clean};

fn meta() -> Meta {
    Meta {
        mode: 0o4755,
        uid: 1000,
        gid: 3_000_000_000,
        mtime: (-2, 500_000_000),
        xattrs: vec![
            (b"user.a=b%3D\xff".to_vec(), b"c".to_vec()),
            (b"user.note".to_vec(), b"a\nb=\0".to_vec()),
        ],
    }
}

fn entries() -> Vec<(Entry, Vec<u8>)> {
    let long = "deep/".repeat(60) + "file";
    let entry = |path: &str, kind| Entry {
        path: path.as_bytes().to_vec(),
        kind,
        meta: meta(),
    };
    vec![
        (entry("", Kind::Directory), Vec::new()),
        (entry("deep", Kind::Directory), Vec::new()),
        (entry("a\nb", Kind::File(3)), b"abc".to_vec()),
        (entry(&long, Kind::File(513)), vec![7; 513]),
        (entry("link", Kind::Symlink(b"../x".to_vec())), Vec::new()),
        (
            entry("hard", Kind::HardLink(long.clone().into_bytes())),
            Vec::new(),
        ),
        (entry("pipe", Kind::Fifo), Vec::new()),
    ]
}

fn written() -> Vec<u8> {
    let (sender, mut receiver) = mpsc::channel(64);
    for (entry, data) in entries() {
        sender.blocking_send(Item::Entry(Box::new(entry))).unwrap();
        if !data.is_empty() {
            sender.blocking_send(Item::Data(data.into())).unwrap();
        }
    }
    sender.blocking_send(Item::End).unwrap();
    let mut archive = Vec::new();
    write(&mut archive, &mut receiver).unwrap();
    archive
}

/// The entries of an archive, if it is complete.
fn read_back(archive: Vec<u8>) -> Result<Vec<(Entry, Vec<u8>)>, Error> {
    let (sender, mut receiver) = mpsc::channel(1024);
    read(io::Cursor::new(archive), &sender)?;
    drop(sender);
    let mut found: Vec<(Entry, Vec<u8>)> = Vec::new();
    let mut is_whole = false;
    while let Some(item) = receiver.blocking_recv() {
        match item {
            Item::Entry(mut entry) => {
                entry.path = clean(&entry.path).unwrap();
                if let Kind::HardLink(first) = &mut entry.kind {
                    *first = clean(first).unwrap();
                }
                found.push((*entry, Vec::new()));
            }
            Item::Data(data) => found.last_mut().unwrap().1.extend_from_slice(&data),
            Item::Skipped => {}
            Item::End => is_whole = true,
        }
    }
    assert!(is_whole);
    Ok(found)
}

#[test]
fn everything_about_entries_is_read_back() {
    let archive = written();
    assert_eq!(archive.len() % BLOCK, 0);
    assert_eq!(read_back(archive).unwrap(), entries());
}

#[test]
fn gnu_tar_lists_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tar");
    std::fs::write(&path, written()).unwrap();
    let listed = std::process::Command::new("tar")
        .args(["--numeric-owner", "-tvf"])
        .arg(&path)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&listed.stdout);
    assert!(listed.status.success(), "{listed:?}");
    assert!(text.contains("-rwsr-xr-x 1000/3000000000"), "{text}");
    assert!(text.contains("./link -> ../x"), "{text}");
}

#[test]
fn an_archive_that_is_cut_off_anywhere_is_refused() {
    let archive = written();
    let end = archive.len() - 2 * BLOCK;
    for length in (BLOCK..end + 1).step_by(256) {
        let error = read_back(archive[..length].to_vec()).unwrap_err();
        let is_cut_off = matches!(
            error,
            Error::Archive {
                problem: ArchiveProblem::CutOff,
                ..
            }
        );
        assert!(is_cut_off, "{length}: {error}");
    }
    assert!(read_back(archive[..end + BLOCK].to_vec()).is_ok());
}

#[test]
fn damaged_archives_are_refused_with_the_reason() {
    let problem = |archive: Vec<u8>| match read_back(archive).unwrap_err() {
        Error::Archive { problem, .. } => problem.to_string(),
        other => panic!("{other}"),
    };
    assert_eq!(problem(b"no".to_vec()), "it is not a tar archive");
    assert_eq!(problem(vec![b'x'; 2048]), "it is not a tar archive");
    assert!(problem(b"BZh91AY&SY".to_vec()).contains("bzip2"));
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::XHeader);
    header.set_size(1 << 40);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(&[0; 1024]);
    assert!(problem(bytes).contains("has more than"));
    let mut late = written();
    late[BLOCK * 3 + 1] ^= 1;
    assert!(!problem(late).is_empty());
}

#[test]
fn gzip_is_read_to_its_checksum() {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&written()).unwrap();
    let whole = encoder.finish().unwrap();
    assert_eq!(read_back(whole.clone()).unwrap().len(), entries().len());
    let mut damaged = whole.clone();
    let last = damaged.len() - 6;
    damaged[last] ^= 1;
    assert!(read_back(damaged).is_err());
    assert!(read_back(whole[..whole.len() - 4].to_vec()).is_err());
}

#[test]
fn times_are_kept_to_the_nanosecond() {
    for time in [(0, 1), (-1, 999_999_999), (-2, 0), (1_700_000_000, 123)] {
        assert_eq!(parse_decimal(&decimal(time.0, time.1)), Some(time));
    }
    assert_eq!(parse_decimal("12"), Some((12, 0)));
    assert_eq!(parse_decimal("12.5"), Some((12, 500_000_000)));
    assert_eq!(parse_decimal("x"), None);
}

/// An archive of one entry with this header and content.
fn single(header: &Header, content: &[u8]) -> Vec<u8> {
    let mut header = header.clone();
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    bytes
}

fn header_of(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_path("x").unwrap();
    header
}

#[test]
fn only_files_have_content_whatever_the_size_of_others_is() {
    for kind in [EntryType::Directory, EntryType::Link, EntryType::Symlink] {
        let mut bytes = single(&header_of(kind, 4096), b"");
        bytes.truncate(BLOCK);
        bytes.extend_from_slice(&written());
        let found = read_back(bytes).unwrap();
        assert_eq!(found.len(), entries().len() + 1, "{kind:?}");
    }
}

#[test]
fn files_with_holes_are_refused_and_devices_left_out() {
    let records = b"22 GNU.sparse.major=1\n";
    let mut bytes = single(
        &header_of(EntryType::XHeader, records.len() as u64),
        records,
    );
    bytes.truncate(2 * BLOCK);
    bytes.extend(single(&header_of(EntryType::Regular, 1), b"1"));
    let is_sparse = |bytes| {
        let error = read_back(bytes).unwrap_err();
        matches!(error, Error::Archive { problem: ArchiveProblem::Sparse, path } if path == "x")
    };
    assert!(is_sparse(bytes));
    assert!(is_sparse(single(&header_of(EntryType::GNUSparse, 0), b"")));
    let device = single(&header_of(EntryType::Char, 0), b"");
    assert!(read_back(device).unwrap().is_empty());
}

#[test]
fn a_time_before_1970_can_be_a_negative_number_in_binary() {
    let mut header = header_of(EntryType::Regular, 0);
    header.as_old_mut().mtime = [0xff; 12];
    let found = read_back(single(&header, b"")).unwrap();
    assert_eq!(found[0].0.meta.mtime, (-1, 0));
}

#[test]
fn all_frames_of_a_zstd_archive_are_read() {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    let whole = written();
    let (first, second) = whole.split_at(whole.len() / 2);
    let frame = |bytes: &[u8]| compress_to_vec(bytes, CompressionLevel::Fastest);
    // An empty frame, with which pzstd begins.
    let empty = b"\x50\x2a\x4d\x18\x02\0\0\0ab".to_vec();
    let archive = [empty, frame(first), frame(second)].concat();
    assert_eq!(read_back(archive).unwrap(), entries());
}
