//! An export from a hostile daemon: it is written inside the folder or rejected, and nothing
//! outside the folder changes.
//!
//! An input is a list of packets in a short form; one byte in 32 is used unchanged: names with
//! `..`, absolute names, links out of the folder and through each other, devices, data for
//! something that is not a file, unknown ids.

#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

const PARTS: [&str; 16] = [
    "a",
    "b",
    "c",
    "..",
    ".",
    "",
    "link",
    "out",
    "\0",
    "/",
    "outside",
    "../outside/kept",
    "a/b",
    "..a",
    "link/x",
    "kept",
];
/// Go's file modes: directory, link, device, pipe, socket, setuid, plain.
const MODES: [u32; 8] = [
    0x8000_01ed,
    0x0800_01ff,
    0x0400_01b6,
    0x0200_01b6,
    0x0100_01b6,
    0x0080_01ed,
    0o644,
    0o755,
];

fuzz_target!(|input: &[u8]| {
    let base = base();
    let (root, outside) = (base.join("root"), base.join("outside"));
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).expect("a folder to write to");
    let mut choices = Choices(input);
    let mirror = choices.next() % 4 == 0;
    let frames = match choices.next() % 32 {
        0 => choices.0.to_vec(),
        _ => frames(&mut choices),
    };
    let _ = solvekit::fuzzing::receive_all(&root, mirror, &frames);
    let kept = fs::read(outside.join("kept")).expect("a file beside the folder is still there");
    assert_eq!(kept, b"kept");
    let beside = |folder: &Path| fs::read_dir(folder).map_or(0, Iterator::count);
    assert_eq!(
        (beside(base), beside(&outside)),
        (2, 1),
        "something was written beside the folder"
    );
});

/// Returns a folder with `outside/kept`, created once.
fn base() -> &'static PathBuf {
    static BASE: OnceLock<PathBuf> = OnceLock::new();
    BASE.get_or_init(|| {
        let base = std::env::temp_dir().join(format!("fuzz-exports-{}", std::process::id()));
        fs::create_dir_all(base.join("outside")).expect("a temporary folder");
        fs::write(base.join("outside/kept"), b"kept").expect("a temporary file");
        base
    })
}

struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn next(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }
}

fn frames(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut frames = Vec::new();
    while !choices.0.is_empty() {
        let mut packet = Vec::new();
        match choices.next() % 8 {
            // STAT, mostly of a file.
            0..=3 => {
                varint(&mut packet, 1, 0);
                let stat = stat(choices);
                bytes(&mut packet, 2, &stat);
            }
            4 => varint(&mut packet, 1, 0),
            // DATA, for any file.
            5 => {
                varint(&mut packet, 1, 2);
                varint(&mut packet, 3, u64::from(choices.next() % 16));
                let length = usize::from(choices.next() % 64);
                bytes(&mut packet, 4, &vec![b'x'; length]);
            }
            // The end of the data.
            6 => {
                varint(&mut packet, 1, 2);
                varint(&mut packet, 3, u64::from(choices.next() % 16));
            }
            _ => varint(&mut packet, 1, u64::from(choices.next() % 8)),
        }
        frames.push(0);
        frames.extend_from_slice(
            &u32::try_from(packet.len())
                .unwrap_or(u32::MAX)
                .to_be_bytes(),
        );
        frames.extend_from_slice(&packet);
    }
    frames
}

fn stat(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut stat = Vec::new();
    bytes(&mut stat, 1, path(choices).as_bytes());
    let mode = MODES[usize::from(choices.next() % 8)] ^ (u32::from(choices.next() % 16) << 20);
    varint(&mut stat, 2, u64::from(mode));
    varint(&mut stat, 5, u64::from(choices.next()));
    varint(&mut stat, 6, u64::from(choices.next()) << 40);
    if choices.next() % 2 == 0 {
        bytes(&mut stat, 7, path(choices).as_bytes());
    }
    varint(&mut stat, 8, u64::from(choices.next() % 4));
    stat
}

fn path(choices: &mut Choices<'_>) -> String {
    let parts = choices.next() % 4 + 1;
    let parts: Vec<&str> = (0..parts)
        .map(|_| PARTS[usize::from(choices.next() % 16)])
        .collect();
    parts.join("/")
}

fn varint(message: &mut Vec<u8>, field: u8, mut value: u64) {
    message.push(field << 3);
    while value > 0x7f {
        message.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

fn bytes(message: &mut Vec<u8>, field: u8, data: &[u8]) {
    message.push(field << 3 | 2);
    message.push((data.len() & 0x7f) as u8 | 0x80);
    message.push((data.len() >> 7) as u8);
    message.extend_from_slice(data);
}
