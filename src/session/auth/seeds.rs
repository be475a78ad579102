//! The token authority's seeds: one random secret per registry, stored beside Docker's
//! configuration. They let the daemon recognise the same user's next build and reuse its tokens.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use solvekit_host::files::{with_permissions, without_links};

use crate::files::{AtomicFile, read_at_most};

/// The reference uses the same file, so both are recognised as one user.
const FILE: &str = ".token_seed";
const LOCK: &str = ".token_seed.lock";
const LENGTH: usize = 16;
/// The largest file that is read, in bytes; real ones are far smaller.
const LIMIT: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
struct Seed {
    #[serde(rename = "Seed")]
    base64: String,
}

/// Returns the registry's seed, created on first use. If the directory is not writable, the seed is
/// not stored.
///
/// # Errors
///
/// If the file exists but cannot be read, or there are no random numbers.
pub(super) fn seed(directory: &Path, registry: &str) -> io::Result<Vec<u8>> {
    // Without write access there is nothing to lock.
    let _lock = lock(directory).ok();
    let path = directory.join(FILE);
    // A file that a crash left incomplete counts as empty.
    let mut seeds: BTreeMap<String, Seed> = match read_at_most(&path, LIMIT) {
        Ok(json) => serde_json::from_slice(&json).unwrap_or_default(),
        Err(error) if is_unusable(&error) => BTreeMap::new(),
        Err(error) => return Err(error),
    };
    if let Some(known) = seeds
        .get(registry)
        .and_then(|seed| STANDARD.decode(&seed.base64).ok())
    {
        return Ok(known);
    }
    let mut seed = vec![0; LENGTH];
    getrandom::fill(&mut seed)?;
    seeds.insert(
        registry.to_owned(),
        Seed {
            base64: STANDARD.encode(&seed),
        },
    );
    match serde_json::to_vec_pretty(&seeds)
        .map_err(io::Error::other)
        .and_then(|json| write(&path, &json))
    {
        Err(error) if !is_unusable(&error) => Err(error),
        _ => Ok(seed),
    }
}

fn lock(directory: &Path) -> io::Result<File> {
    fs::create_dir_all(directory)?;
    let mut options = OpenOptions::new();
    with_permissions(options.create(true).append(true), 0o600);
    let file = without_links(&mut options).open(directory.join(LOCK))?;
    file.lock()?;
    Ok(file)
}

fn write(path: &Path, json: &[u8]) -> io::Result<()> {
    let mut file = AtomicFile::create_with_mode(path, 0o600)?;
    file.write_all(json)?;
    file.commit()
}

fn is_unusable(error: &io::Error) -> bool {
    use ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem};
    matches!(
        error.kind(),
        NotFound | NotADirectory | PermissionDenied | ReadOnlyFilesystem
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_keeps_its_seed_and_has_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("docker");
        let first = seed(&config, "a").unwrap();
        assert_eq!(first.len(), LENGTH);
        assert_ne!(seed(&config, "b").unwrap(), first);
        assert_eq!(seed(&config, "a").unwrap(), first);
    }

    #[test]
    fn a_broken_file_is_replaced_and_a_foreign_one_read() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "{\"a\": {\"Se").unwrap();
        let made = seed(dir.path(), "a").unwrap();
        assert_eq!(seed(dir.path(), "a").unwrap(), made);
        fs::write(dir.path().join(FILE), r#"{"a": {"Seed": "AQID"}}"#).unwrap();
        assert_eq!(seed(dir.path(), "a").unwrap(), [1, 2, 3]);
    }

    #[test]
    fn a_directory_that_cannot_be_is_no_obstacle() {
        assert_eq!(seed(Path::new("/dev/null/x"), "a").unwrap().len(), LENGTH);
    }
}
