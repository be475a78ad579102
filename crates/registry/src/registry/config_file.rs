//! Changes Docker's configuration file: under a lock, atomically, readable by its owner only.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::Error;
use super::config::Config;
use crate::files::{AtomicFile, read_at_most};

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
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
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
    let mut create = DirBuilder::new();
    create.recursive(true).mode(0o700);
    create.create(folder).map_err(failed)?;
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
    let file = File::open(folder).map_err(failed)?;
    let until = Instant::now() + PATIENCE;
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            // Some network file systems have no locks. The file is still replaced atomically.
            Ok(()) | Err(Errno::NOTSUP | Errno::NOLCK | Errno::NOSYS | Errno::BADF) => {
                return Ok(file);
            }
            Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(Errno::WOULDBLOCK | Errno::INTR) => {
                return Err(Error::ConfigLocked {
                    folder: folder.to_owned(),
                });
            }
            Err(error) => return Err(failed(error.into())),
        }
    }
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let before = fs::metadata(path).ok();
    let mut file = AtomicFile::create_with_mode(path, 0o600)?;
    file.write_all(text.as_bytes())?;
    if let Some(before) = before {
        // If root writes the file, its owner is kept. Other users cannot change the owner.
        let (user, group) = (Some(before.uid()), Some(before.gid()));
        let _ = std::os::unix::fs::fchown(file.file(), user, group);
    }
    file.commit()
}
