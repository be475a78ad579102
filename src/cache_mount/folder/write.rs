//! Replaces the content of a local folder by that of a cache mount.

use std::io;
use std::path::Path;

use tokio::sync::mpsc;

use super::failed;
use super::filling::{fill, set_folder_meta};
use crate::cache_mount::Error;
use crate::cache_mount::entry::Item;
use crate::files::{Beneath, random_name};

/// Fails if a folder that must be empty is not.
pub(in crate::cache_mount) fn check_empty(path: &Path) -> Result<(), Error> {
    match std::fs::read_dir(path) {
        Ok(entries) => match entries.take(1).count() {
            0 => Ok(()),
            _ => Err(Error::NotEmpty {
                path: path.to_owned(),
            }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(failed("read", path)(source)),
    }
}

/// Replaces the content of a folder by the received items. Returns false if owners were lost,
/// because only root can set them.
///
/// Everything is written to a subfolder first, and moved up at the end.
pub(in crate::cache_mount) fn write(
    path: &Path,
    items: &mut mpsc::Receiver<Item>,
) -> Result<bool, Error> {
    let is_new = !path.exists();
    std::fs::create_dir_all(path).map_err(failed("create", path))?;
    let staging = random_name("solvekit-export".as_ref()).map_err(failed("write", path))?;
    let staging = path.join(staging);
    let filled = std::fs::create_dir(&staging).map_err(failed("create", &staging));
    let filled = filled.and_then(|()| fill(&staging, items));
    let done = filled.and_then(|(root, keeps_owners)| {
        move_up(&staging, path).map_err(failed("write", path))?;
        if let Some(root) = root {
            let opened = Beneath::open(path).map_err(failed("open", path))?;
            set_folder_meta(&opened, &root, keeps_owners).map_err(failed("write", path))?;
        }
        Ok(keeps_owners)
    });
    if done.is_err() {
        let _ = std::fs::remove_dir_all(&staging);
        if is_new {
            let _ = std::fs::remove_dir(path);
        }
    }
    done
}

/// Moves the content of the subfolder one level up, and removes everything else.
fn move_up(staging: &Path, path: &Path) -> io::Result<()> {
    for other in std::fs::read_dir(path)? {
        let other = other?;
        if other.path() == staging {
            continue;
        }
        match other.file_type()?.is_dir() {
            true => std::fs::remove_dir_all(other.path())?,
            false => std::fs::remove_file(other.path())?,
        }
    }
    for entry in std::fs::read_dir(staging)? {
        let entry = entry?;
        std::fs::rename(entry.path(), path.join(entry.file_name()))?;
    }
    std::fs::remove_dir(staging)
}
