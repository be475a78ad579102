//! Inputs that a frontend reads through the daemon, both in a client and inside BuildKit: remote
//! contexts, their Dockerfile, ignore files.

mod archive;
mod contexts;
mod entry;
mod fetch;
mod files;

pub(crate) use archive::is_archive;
pub(crate) use contexts::{Contexts, read_ignore_file_of};
pub(crate) use entry::Entry;
pub use files::RemoteFiles;
