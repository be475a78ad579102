//! Local folders: written from a cache mount, and read into one.

mod filling;
mod read;
mod write;

use std::io;
use std::path::Path;

pub(super) use self::read::read;
pub(super) use self::write::{check_empty, write};
use super::Error;
use crate::files::Beneath;

const SECOND: i64 = 1_000_000_000;

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Local {
        action,
        path,
        source,
    }
}

fn directory(root: &Beneath, path: &[u8]) -> io::Result<Beneath> {
    root.inner(if path.is_empty() { b"." } else { path })
}

/// The last part of a path.
fn last(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or_default()
}
