//! Packs a daemon's files as a tar archive, which the engine unpacks into a container.

use std::collections::{BTreeMap, BTreeSet};

use tar::{Builder, EntryType, Header};

use super::super::{Driver, Error, NodeProblem};

/// Packs the files and their folders under `buildkit/`, for the container's `/etc`.
pub(super) fn archive(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Error> {
    let mut folders = BTreeSet::from(["buildkit/".to_owned()]);
    for path in files.keys() {
        check(path)?;
        let slashes = path
            .match_indices('/')
            .map(|(at, _)| format!("buildkit/{}/", &path[..at]));
        folders.extend(slashes);
    }
    let mut archive = Builder::new(Vec::new());
    for folder in &folders {
        append(&mut archive, folder, EntryType::Directory, 0o755, &[])?;
    }
    for (path, content) in files {
        let path = format!("buildkit/{path}");
        append(&mut archive, &path, EntryType::Regular, 0o644, content)?;
    }
    archive.into_inner().map_err(|_| refused("buildkit"))
}

fn append(
    archive: &mut Builder<Vec<u8>>,
    path: &str,
    kind: EntryType,
    mode: u32,
    content: &[u8],
) -> Result<(), Error> {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(content.len() as u64);
    header.set_mtime(0);
    let appended = archive.append_data(&mut header, path, content);
    appended.map_err(|_| refused(path))
}

/// The store's file could come from anybody, so its paths must stay inside the folder.
fn check(path: &str) -> Result<(), Error> {
    let is_part = |part: &str| !matches!(part, "" | "." | "..");
    match path.split('/').all(is_part) && !path.contains(['\\', '\0']) {
        true => Ok(()),
        false => Err(refused(path)),
    }
}

fn refused(path: &str) -> Error {
    Error::Node {
        driver: Driver::DockerContainer,
        source: NodeProblem::FilePath {
            path: path.to_owned(),
        },
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
