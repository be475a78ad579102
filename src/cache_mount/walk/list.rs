//! Lists the names in folders.

use crate::cache_mount::Error;
use crate::cache_mount::entry::is_name;
use crate::cache_mount::remote::{Call, Remote, Reply, absolute, failed};

use super::GONE;

/// The bytes of a folder's list that are read per call.
const LIST: usize = 32 << 10;

/// The names in folders, sorted. Folders that were removed are omitted.
pub(in crate::cache_mount) async fn list(
    remote: &mut Remote,
    folders: &[Vec<u8>],
) -> Result<Vec<(Vec<u8>, Vec<Vec<u8>>)>, Error> {
    let listing = |remote: &Remote| {
        Call::new(remote.system.calls.getdents)
            .number(0, remote.descriptor)
            .fills(1, LIST)
    };
    let mut calls = Vec::new();
    for folder in folders {
        calls.push(remote.open(&absolute(folder), remote.system.o_directory));
        calls.extend([listing(remote), listing(remote), remote.close()]);
    }
    let replies = remote.batch(&calls).await?;
    let mut found = Vec::new();
    for (folder, replies) in folders.iter().zip(replies.chunks(4)) {
        let [opened, first, second, _] = replies else {
            return Err(Error::ProgramAnswer);
        };
        match opened.value() {
            Err(code) if GONE.contains(&code) => continue,
            Err(code) => return Err(failed("open", folder, code)),
            Ok(_) => {}
        }
        let mut names = Vec::new();
        take_names(folder, first, &mut names)?;
        if take_names(folder, second, &mut names)? {
            names = list_long(remote, folder, &listing(remote)).await?;
        }
        names.sort();
        found.push((folder.clone(), names));
    }
    Ok(found)
}

/// Lists a folder whose names do not fit into two answers.
async fn list_long(
    remote: &mut Remote,
    folder: &[u8],
    listing: &Call,
) -> Result<Vec<Vec<u8>>, Error> {
    let open = remote.open(&absolute(folder), remote.system.o_directory);
    for reply in remote.batch(&[open]).await? {
        reply.value().map_err(|code| failed("open", folder, code))?;
    }
    let mut names = Vec::new();
    let many = vec![listing.clone(); 32];
    let mut goes_on = true;
    while goes_on {
        for reply in remote.batch(&many).await? {
            goes_on = take_names(folder, &reply, &mut names)?;
        }
    }
    let close = remote.close();
    remote.batch(&[close]).await?;
    Ok(names)
}

/// Parses `struct linux_dirent64`. Returns false at the end of the folder.
fn take_names(folder: &[u8], reply: &Reply, names: &mut Vec<Vec<u8>>) -> Result<bool, Error> {
    match reply.value() {
        Ok(0) => return Ok(false),
        Err(code) if GONE.contains(&code) => return Ok(false),
        Ok(_) => {}
        Err(code) => return Err(failed("list", folder, code)),
    }
    let mut rest = &reply.data[..];
    while !rest.is_empty() {
        let length = rest
            .get(16..18)
            .map(|it| u16::from_le_bytes([it[0], it[1]]));
        let entry = length.and_then(|length| rest.split_at_checked(length.into()));
        let Some((entry, after)) = entry else {
            return Err(Error::ProgramAnswer);
        };
        let name = entry.get(19..).unwrap_or_default();
        let end = name.iter().position(|&byte| byte == 0);
        let name = name.get(..end.unwrap_or(0)).unwrap_or_default();
        if name != b"." && name != b".." {
            // The daemon is not trusted: a name never leads elsewhere.
            if !is_name(name) {
                return Err(Error::ProgramAnswer);
            }
            names.push(name.to_vec());
        }
        rest = after;
    }
    Ok(true)
}
