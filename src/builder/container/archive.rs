//! The files of a daemon as a tar archive (ustar), as the engine takes them into a container.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Driver, Error};

const BLOCK: usize = 512;
const NAME: usize = 100;
const PREFIX: usize = 155;

/// The files under `buildkit/`, with their folders, for `/etc` of the container.
pub(super) fn archive(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Error> {
    let mut folders = BTreeSet::from(["buildkit/".to_owned()]);
    for path in files.keys() {
        check(path)?;
        let slashes = path
            .match_indices('/')
            .map(|(at, _)| format!("buildkit/{}/", &path[..at]));
        folders.extend(slashes);
    }
    let mut archive = Vec::new();
    for folder in &folders {
        archive.extend_from_slice(&header(folder, b'5', 0o755, 0)?);
    }
    for (path, content) in files {
        archive.extend_from_slice(&header(
            &format!("buildkit/{path}"),
            b'0',
            0o644,
            content.len(),
        )?);
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    Ok(archive)
}

/// The store is a file that anybody could have written: its paths stay inside the folder.
fn check(path: &str) -> Result<(), Error> {
    let is_part = |part: &str| !matches!(part, "" | "." | "..");
    match path.split('/').all(is_part) && !path.contains(['\\', '\0']) {
        true => Ok(()),
        false => Err(refused(path)),
    }
}

fn header(path: &str, kind: u8, mode: u32, size: usize) -> Result<[u8; BLOCK], Error> {
    let (prefix, name) = split(path).ok_or_else(|| refused(path))?;
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{size:011o}").as_bytes());
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    put(345, prefix.as_bytes());
    let sum: u32 = header.iter().copied().map(u32::from).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(header)
}

/// A path that is too long for the name goes on in the prefix.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= NAME {
        return Some(("", path));
    }
    let inner = path.trim_end_matches('/');
    let at = inner
        .match_indices('/')
        .map(|(at, _)| at)
        .find(|at| path.len() - at - 1 <= NAME)?;
    (at <= PREFIX).then(|| (&path[..at], &path[at + 1..]))
}

fn refused(path: &str) -> Error {
    Error::Driver {
        driver: Driver::DockerContainer,
        reason: format!("cannot put the file {path:?} in place: its path is no path of a file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> BTreeMap<String, Vec<u8>> {
        paths
            .iter()
            .map(|path| ((*path).to_owned(), b"content\n".to_vec()))
            .collect()
    }

    #[test]
    fn tar_reads_what_is_written() {
        let long = format!("certs/{}/ca.pem", "a".repeat(90));
        let bytes = archive(&files(&["buildkitd.toml", &long])).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar");
        std::fs::write(&path, bytes).unwrap();
        let tar = std::process::Command::new("tar")
            .arg("-tf")
            .arg(&path)
            .output()
            .unwrap();
        assert!(
            tar.status.success(),
            "{}",
            String::from_utf8_lossy(&tar.stderr)
        );
        let listed = String::from_utf8(tar.stdout).unwrap();
        assert!(listed.contains("buildkit/buildkitd.toml\n"), "{listed}");
        assert!(listed.contains(&format!("buildkit/{long}\n")), "{listed}");
        assert!(listed.contains("buildkit/certs/\n"), "{listed}");
    }

    #[test]
    fn paths_stay_inside() {
        for path in ["../x", "/x", "a//b", "a/./b", ""] {
            assert!(archive(&files(&[path])).is_err(), "{path}");
        }
    }
}
