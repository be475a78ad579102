//! The folder in a mount where an import is prepared.
//!
//! The files of the mount stay unchanged until the whole archive has arrived. Then both are
//! exchanged by renaming.

use super::Error;
use super::entry::below;
use super::remote::{Call, Remote, absolute, chunks, failed};
use super::walk::list;

/// The name of the folder. If a lost connection has left one, the next import removes it; it is
/// never exported.
pub(super) const STAGING: &[u8] = b".solvekit-import";
/// The imported files.
pub(super) const NEW: &[u8] = b".solvekit-import/new";
/// The previous files.
const OLD: &[u8] = b".solvekit-import/old";

/// `AT_REMOVEDIR`.
const REMOVE_FOLDER: u64 = 0x200;
/// The file does not exist.
const MISSING: i32 = 2;
/// The errors of `unlink` for a folder.
const FOLDER: [i32; 2] = [1, 21];

/// Creates the empty folder.
pub(super) async fn begin(remote: &mut Remote) -> Result<(), Error> {
    remove(remote).await?;
    let folders = [STAGING, NEW, OLD];
    let calls = folders.map(|path| {
        Call::new(remote.system.calls.mkdirat)
            .here(0)
            .path(1, &absolute(path))
            .number(2, 0o755)
    });
    for (path, reply) in folders.iter().zip(remote.batch(&calls).await?) {
        reply.value().map_err(|code| failed("create", path, code))?;
    }
    Ok(())
}

/// Replaces the files of the mount by those in the folder, and removes the old ones.
pub(super) async fn exchange(remote: &mut Remote) -> Result<(), Error> {
    let (before, now) = (names(remote, b"").await?, names(remote, NEW).await?);
    let before = before.iter().filter(|name| *name != STAGING);
    let out = before.map(|name| (name.clone(), below(OLD, name)));
    let back = now.iter().map(|name| (below(NEW, name), name.clone()));
    // In one request: a broken connection in between would leave the mount empty.
    rename(remote, out.chain(back).collect()).await?;
    remove(remote).await
}

/// Removes the folder with its content.
pub(super) async fn remove(remote: &mut Remote) -> Result<(), Error> {
    // The folders that are being removed; each is inside of the one before it.
    let mut folders = vec![STAGING.to_vec()];
    let mut emptied: Vec<Vec<u8>> = Vec::new();
    while let Some(folder) = folders.pop() {
        let names = names(remote, &folder).await?;
        let paths: Vec<_> = names.iter().map(|name| below(&folder, name)).collect();
        folders.extend(unlink(remote, paths, 0).await?);
        emptied.push(folder);
    }
    emptied.reverse();
    unlink(remote, emptied, REMOVE_FOLDER).await.map(drop)
}

/// Removes files, or empty folders. Returns the paths that are folders.
async fn unlink(
    remote: &mut Remote,
    paths: Vec<Vec<u8>>,
    flags: u64,
) -> Result<Vec<Vec<u8>>, Error> {
    let calls = paths.iter().map(|path| {
        Call::new(remote.system.calls.unlinkat)
            .here(0)
            .path(1, &absolute(path))
            .number(2, flags)
    });
    let calls: Vec<_> = calls.collect();
    let mut folders = Vec::new();
    let mut paths = paths.into_iter();
    for calls in chunks(&calls) {
        for (reply, path) in remote.batch(calls).await?.iter().zip(&mut paths) {
            match reply.value() {
                Ok(_) | Err(MISSING) => {}
                Err(code) if flags == 0 && FOLDER.contains(&code) => folders.push(path),
                Err(code) => return Err(failed("remove", &path, code)),
            }
        }
    }
    Ok(folders)
}

async fn rename(remote: &mut Remote, moves: Vec<(Vec<u8>, Vec<u8>)>) -> Result<(), Error> {
    let calls = moves.iter().map(|(from, to)| {
        Call::new(remote.system.calls.renameat2)
            .here(0)
            .path(1, &absolute(from))
            .here(2)
            .path(3, &absolute(to))
    });
    let calls: Vec<_> = calls.collect();
    let mut moves = moves.iter();
    for calls in chunks(&calls) {
        for (reply, (from, _)) in remote.batch(calls).await?.iter().zip(&mut moves) {
            reply.value().map_err(|code| failed("move", from, code))?;
        }
    }
    Ok(())
}

async fn names(remote: &mut Remote, folder: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let listed = list(remote, &[folder.to_vec()]).await?;
    Ok(listed.into_iter().flat_map(|(_, names)| names).collect())
}
