//! Untrusted archives: bundles of build records, images (`docker save`, OCI), downloads whose
//! newest file gives the time. They are read or rejected.
//!
//! The first byte is the kind of the rest: the archive itself, a tar archive to compress, or names
//! and contents of files for a well-formed archive.

#![no_main]

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use flate2::{Compression, write::GzEncoder};
use libfuzzer_sys::fuzz_target;
use solvekit::registry::{Client, ClientOptions, Credentials};
use solvekit::transfer::{Place, Source};

/// Names of files that readers open.
const NAMES: [&str; 8] = [
    "index.json",
    "manifest.json",
    "oci-layout",
    "repositories",
    "blobs/sha256/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "a/layer.tar",
    "../x",
    "link",
];

fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else {
        return;
    };
    let archive = match kind % 3 {
        0 | 1 => rest.to_vec(),
        _ => tar_of(rest),
    };
    let packed = match kind % 3 {
        0 => archive.clone(),
        _ => gzip(&archive),
    };
    if let Ok(records) = solvekit::bundle::read(&packed) {
        assert!(!records.is_empty());
    }
    assert_eq!(
        solvekit::fuzzing::newest_file(&archive),
        solvekit::fuzzing::newest_file(&archive)
    );
    let _ = solvekit::fuzzing::newest_file(&packed);
    open(&archive);
});

/// Opens an image, like `push` and `image copy`.
fn open(archive: &[u8]) {
    static RUNTIME: OnceLock<(tokio::runtime::Runtime, Client, PathBuf)> = OnceLock::new();
    let (runtime, client, path) = RUNTIME.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let credentials = Credentials::none().into();
        let name = format!("fuzz-archive-{}", std::process::id());
        (
            runtime.expect("a runtime"),
            Client::new(credentials, ClientOptions::default()),
            std::env::temp_dir().join(name),
        )
    });
    std::fs::write(path, archive).expect("a temporary file");
    for scheme in ["oci-archive", "docker-archive"] {
        let place = Place::parse(&format!("{scheme}:{}", path.display())).expect("a place");
        let _ = runtime.block_on(Source::open(&place, client));
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).expect("memory takes all");
    packed.finish().expect("memory takes all")
}

/// Returns a tar archive. Each file is a byte for its name, one for its kind, one for its length,
/// and its content.
fn tar_of(mut rest: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    while let [name, kind, length, content @ ..] = rest {
        let (content, left) = content.split_at(content.len().min(usize::from(*length)));
        rest = left;
        let name = NAMES[usize::from(name % 8)];
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_mtime(u64::from(*kind));
        let raw = &mut header.as_old_mut().name;
        raw[..name.len()].copy_from_slice(name.as_bytes());
        match kind % 8 {
            0 => {
                header.set_entry_type(tar::EntryType::Link);
                let _ = header.set_link_name(NAMES[usize::from(*length) % 8]);
            }
            1 => {
                header.set_entry_type(tar::EntryType::Symlink);
                let _ = header.set_link_name(NAMES[usize::from(*length) % 8]);
            }
            2 => header.set_entry_type(tar::EntryType::Directory),
            _ => {}
        }
        let is_file = kind % 8 > 2;
        let content = if is_file { content } else { &[] };
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, content).expect("memory takes all");
    }
    archive.into_inner().expect("memory takes all")
}
