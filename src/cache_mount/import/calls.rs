//! Calls that set metadata, and checks of the results of calls.

use crate::cache_mount::entry::{Meta, text};
use crate::cache_mount::remote::{Call, NO_FOLLOW, NOT_SUPPORTED, Remote, Reply, absolute, failed};
use crate::cache_mount::{ArchiveProblem, Error};

/// The expected result of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Success,
    /// The descriptor of the next file.
    Opened,
    /// This many bytes written.
    Written(usize),
    /// Any result: there may be nothing to remove.
    Anything,
    /// Success, or an error if the file system does not support the attribute.
    Attribute,
}

const FULL: i32 = 28;
const EXISTS: i32 = 17;
/// Not permitted: the attribute needs more privileges than the container has.
const PERMITTED: i32 = 1;

/// Checks the result of a call. Returns the number of attributes that cannot be kept.
pub(super) fn check(
    reply: &Reply,
    expected: Expected,
    descriptor: u64,
    action: &'static str,
    path: &[u8],
) -> Result<u64, Error> {
    match (reply.value(), expected) {
        (_, Expected::Anything) | (Ok(_), Expected::Success | Expected::Attribute) => Ok(0),
        (Ok(opened), Expected::Opened) if opened == descriptor => Ok(0),
        (Ok(written), Expected::Written(size)) if written == size as u64 => Ok(0),
        // The disk is full, so only a part was written.
        (Ok(written), Expected::Written(size)) if written < size as u64 => {
            Err(failed(action, path, FULL))
        }
        (Ok(_), _) => Err(Error::ProgramAnswer),
        (Err(NOT_SUPPORTED | PERMITTED), Expected::Attribute) => Ok(1),
        (Err(EXISTS), Expected::Opened | Expected::Success) => {
            Err(problem(path, ArchiveProblem::Parent))
        }
        (Err(code), _) => Err(failed(action, path, code)),
    }
}

/// The owner, permissions and time of an entry that is not a regular file.
pub(super) fn meta_calls(
    remote: &Remote,
    path: &[u8],
    meta: &Meta,
    is_link: bool,
) -> Vec<(Call, &'static str)> {
    let system = remote.system;
    let chown = Call::new(system.calls.fchownat).here(0).path(1, path);
    let chown = chown.number(2, meta.uid.into()).number(3, meta.gid.into());
    let mut calls = vec![(chown.number(4, NO_FOLLOW), "set the owner of")];
    if !is_link {
        let chmod = Call::new(system.calls.fchmodat).here(0).path(1, path);
        calls.push((chmod.number(2, meta.mode.into()), "set the permissions of"));
    }
    let times = Call::new(system.calls.utimensat).here(0).path(1, path);
    let times = times.bytes(2, &times_of(meta)).number(3, NO_FOLLOW);
    calls.push((times, "set the time of"));
    calls
}

pub(super) fn xattr_calls<'a>(
    remote: &'a Remote,
    path: &'a [u8],
    meta: &'a Meta,
) -> impl Iterator<Item = Call> + 'a {
    meta.xattrs.iter().map(move |(name, value)| {
        Call::new(remote.system.calls.lsetxattr)
            .path(0, path)
            .path(1, name)
            .bytes(2, value)
            .number(3, value.len() as u64)
    })
}

/// Sets the metadata of the mount's root.
pub(super) async fn set_root(remote: &mut Remote, meta: &Meta) -> Result<(), Error> {
    let (calls, actions): (Vec<_>, Vec<_>) = meta_calls(remote, &absolute(b""), meta, false)
        .into_iter()
        .unzip();
    for (reply, action) in remote.batch(&calls).await?.iter().zip(actions) {
        reply.value().map_err(|code| failed(action, b"", code))?;
    }
    Ok(())
}

/// Two `struct timespec`: the access time and the modification time.
pub(super) fn times_of(meta: &Meta) -> Vec<u8> {
    let (seconds, nanoseconds) = meta.mtime;
    let time = [seconds.to_le_bytes(), i64::from(nanoseconds).to_le_bytes()].concat();
    time.repeat(2)
}

pub(super) fn problem(path: &[u8], problem: ArchiveProblem) -> Error {
    Error::Archive {
        path: text(path),
        problem,
    }
}
