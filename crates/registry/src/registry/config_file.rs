//! Changes Docker's configuration file: under a lock, atomically, readable by its owner only.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use solvekit_host::files::{lock_of_folder, make_private_folders};
use solvekit_host::{is_missing, owner};

use super::Error;
use super::config::Config;
use crate::files::{AtomicFile, lock_until, read_at_most};

/// The longest wait for another program's lock; it only writes one small file.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest configuration that is read, in bytes; real ones are far smaller.
const LIMIT: u64 = 16 << 20;

/// Returns the text and its parsed form; `{}` for a missing or empty file. Blocking, like this
/// whole module.
pub(super) fn read(path: &Path) -> Result<(String, Config), Error> {
    let bytes = read_bounded(path)?;
    let place = path.display().to_string();
    let config = Config::parse(&bytes, &place)?;
    let text = String::from_utf8(bytes).unwrap_or_default();
    match text.trim_start().chars().next() {
        None => Ok(("{}".to_owned(), config)),
        Some('{') => Ok((text, config)),
        // serde would accept a list as an object without members.
        Some(_) => Err(Error::ParseConfig {
            place,
            line: 1,
            column: 1,
        }),
    }
}

/// Reads a configuration; a missing file is an empty one.
pub(super) fn read_config(path: &Path) -> Result<Config, Error> {
    Config::parse(&read_bounded(path)?, &path.display().to_string())
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, Error> {
    match read_at_most(path, LIMIT) {
        Err(error) if is_missing(&error) => Ok(Vec::new()),
        read => read.map_err(|source| Error::ReadConfig {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Replaces the text by the result of `change`; `None` leaves the file unchanged. A link remains a
/// link: its target is replaced.
pub(super) fn change(
    path: &Path,
    change: impl FnOnce(&str) -> Option<String>,
) -> Result<(), Error> {
    let path = &followed(path);
    let failed = |source| Error::WriteConfig {
        path: path.to_owned(),
        source,
    };
    let folder = path.parent().unwrap_or(Path::new("/"));
    make_private_folders(folder).map_err(failed)?;
    let _lock = lock(folder)?;
    let (text, _) = read(path)?;
    match change(&text) {
        Some(text) => replace(path, &text).map_err(failed),
        None => Ok(()),
    }
}

/// Resolves links; the target of the last one may not exist yet.
fn followed(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    match (fs::read_link(path), path.parent()) {
        (Ok(target), Some(folder)) => folder.join(target),
        _ => path.to_owned(),
    }
}

/// Locks the folder, so that no lock file remains.
fn lock(folder: &Path) -> Result<File, Error> {
    let failed = |source| Error::WriteConfig {
        path: folder.to_owned(),
        source,
    };
    let file = lock_of_folder(folder).map_err(failed)?;
    // Without locks the file is still replaced atomically.
    match lock_until(&file, Instant::now() + PATIENCE).map_err(failed)? {
        true => Ok(file),
        false => Err(Error::ConfigLocked {
            folder: folder.to_owned(),
        }),
    }
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let before = fs::metadata(path).ok();
    let mut file = AtomicFile::create_with_mode(path, 0o600)?;
    file.write_all(text.as_bytes())?;
    if let Some(before) = before {
        // If root writes the file, its owner is kept. Other users cannot change the owner.
        owner::keep(file.file(), &before);
    }
    file.commit()
}
