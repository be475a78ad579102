//! Errors of cache mounts.

use std::io;
use std::path::PathBuf;

use crate::oci::Reference;
use crate::{client, gateway, llb, registry, session};

/// An error of listing, copying or removing a cache mount.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The daemon failed.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// A call of the container failed.
    #[error(transparent)]
    Gateway(#[from] gateway::Error),
    /// The system has no random numbers.
    #[error(transparent)]
    Id(#[from] session::Error),
    /// The graph of the container cannot be written.
    #[error(transparent)]
    Graph(#[from] llb::Error),
    /// The daemon has no such mount.
    #[error("the daemon has no cache mount with the id {id:?}")]
    NotFound {
        /// The requested id.
        id: String,
        /// The ids that exist.
        known: Vec<String>,
    },
    /// There is no program for the daemon's machine.
    #[error(
        "cache mounts cannot be copied on {platform}: the program for it is missing (there is \
         one for linux on {})",
        .supported.join(", ")
    )]
    Platform {
        /// The daemon's platform.
        platform: String,
        /// The supported architectures.
        supported: Vec<&'static str>,
    },
    /// A build was using the mount, so the daemon created another one with the same id.
    #[error("the cache mount {id:?} is in use, and the daemon gave an empty one in its place")]
    InUse {
        /// The id.
        id: String,
        /// The record of the new mount, which was removed.
        record: String,
    },
    /// No folder of the mount has the requested owner and mode, and no files from elsewhere.
    #[error("no folder of the cache mount {id:?} has the owner and mode that were asked for")]
    OtherFolder {
        /// The id.
        id: String,
        /// The record of the empty folder that the daemon created; it was removed.
        record: String,
    },
    /// The program in the container ended too early.
    #[error("the program beside the cache mount ended{}", describe(.message.as_deref()))]
    ProgramEnded {
        /// The daemon's message.
        message: Option<String>,
    },
    /// The program's answer is invalid.
    #[error("the program beside the cache mount gave an answer that makes no sense")]
    ProgramAnswer,
    /// A system call in the container failed.
    #[error("cannot {action} {path:?} in the cache mount: {}", system_error(*.code))]
    Remote {
        /// The operation that failed.
        action: &'static str,
        /// The path in the mount.
        path: String,
        /// The error number of Linux.
        code: i32,
    },
    /// A local file or folder cannot be used.
    #[error("cannot {action} {}", .path.display())]
    Local {
        /// The operation that failed.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The folder to write to exists and is not empty.
    #[error("the folder {} exists and is not empty", .path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The archive cannot be imported. The files of the mount are unchanged.
    #[error("cannot import the archive{}: {problem}", in_archive(.path))]
    Archive {
        /// The path of the entry; empty for the archive as a whole.
        path: String,
        /// The problem with the archive or the entry.
        problem: ArchiveProblem,
    },
    /// A registry failed.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// The reference belongs to something else.
    #[error("{reference} is not an exported cache mount: {found}")]
    NotAnExport {
        /// The reference.
        reference: Reference,
        /// The kind of artifact that was found.
        found: String,
    },
    /// The caller has cancelled the copy.
    #[error("the copy was interrupted{}", may_be_left(*.left_behind))]
    Interrupted {
        /// True if a part of an import may be left in the mount, in a folder that the next import
        /// removes.
        left_behind: bool,
    },
    /// The other side of the copy ended too early.
    #[error("the copy was broken off")]
    BrokenOff,
}

/// The reason that an archive or one of its entries cannot be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveProblem {
    /// The archive cannot be read or decompressed.
    #[error("it cannot be read: {0}")]
    Read(io::Error),
    /// The bytes are not a tar archive.
    #[error("it is not a tar archive")]
    NotTar,
    /// The archive ends in the middle, or its end mark is missing.
    #[error("it is cut off")]
    CutOff,
    /// A header is too large.
    #[error("a header of it has more than {limit} bytes")]
    HeaderTooLarge {
        /// The limit.
        limit: u64,
    },
    /// A number in a header is malformed.
    #[error("a header of it is malformed")]
    Header,
    /// A path leads out of the mount, or is too long.
    #[error("the path is not one inside of a cache mount")]
    Path,
    /// The parent of the entry is not a folder in the archive.
    #[error("its folder is another kind of file in the archive")]
    Parent,
    /// The entry is a sparse file in the format of GNU tar.
    #[error("it is stored with holes (tar --sparse), which is not supported")]
    Sparse,
    /// The compression is not supported.
    #[error("it is compressed with {name}; plain, gzip and zstd are supported")]
    Compression {
        /// The name.
        name: &'static str,
    },
    /// The kind of entry is not supported.
    #[error("entries of the type {kind:?} are not supported")]
    Kind {
        /// The type's letter.
        kind: char,
    },
}

fn describe(message: Option<&str>) -> String {
    message
        .map(|message| format!(": {message}"))
        .unwrap_or_default()
}

fn may_be_left(left_behind: bool) -> &'static str {
    match left_behind {
        true => "; a part of it may stay in the mount until the next import",
        false => "",
    }
}

fn in_archive(path: &str) -> String {
    match path {
        "" => String::new(),
        path => format!(" ({path:?})"),
    }
}

/// The text for an error number of Linux; this machine's system may use other numbers.
fn system_error(code: i32) -> String {
    let words = match code {
        1 => "operation not permitted",
        2 => "no such file or directory",
        5 => "input/output error",
        12 => "out of memory",
        13 => "permission denied",
        17 => "it exists already",
        18 => "it is on another file system",
        20 => "not a directory",
        21 => "it is a directory",
        22 => "invalid argument",
        24 => "too many open files",
        27 => "file too large",
        28 => "no space left on the daemon's disk",
        30 => "read-only file system",
        31 => "too many links",
        36 => "file name too long",
        38 => "the daemon's kernel lacks the call",
        39 => "directory not empty",
        40 => "it is a symbolic link",
        95 => "not supported by the file system",
        122 => "disk quota exceeded",
        code => return format!("error {code} of Linux"),
    };
    words.to_owned()
}
