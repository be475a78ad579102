//! Exported build records: bundles (`.dockerbuild`) in the format of Docker Desktop and buildx, and
//! traces.
//!
//! A bundle is an OCI image layout in a tar.gz archive. Each record is a manifest: its config is
//! the record as JSON, its layers are the trace, the logs, the attestations and the manifests of
//! the results. [`Bundle::of`] reads records from daemons, [`Bundle::write`] writes them, [`read`]
//! reads a bundle. Credentials are removed from the output as far as they can be recognised.

mod archive;
mod desktop;
mod problem;
mod read;
mod record;
mod trace;
mod write;

pub use desktop::upload;
pub use problem::{BundleProblem, DesktopProblem, TraceProblem};
pub use read::{BundledRecord, read};
pub use trace::{Span, Trace};
pub use write::{Bundle, Exported};

use std::io;

use crate::client;

/// The media type of a record.
const RECORD: &str = "application/vnd.buildkit.historyrecord.v0";
/// The maximum size in bytes of a record's blob, and of a bundle that is read.
const LIMIT: usize = 512 << 20;

/// Why a record could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The daemon could not send a part of the record.
    #[error("cannot read the {what} of the build {build_ref}")]
    Part {
        /// The part.
        what: &'static str,
        /// The build.
        build_ref: String,
        /// The daemon's error.
        source: client::Error,
    },
    /// The daemon's content does not match its digest.
    #[error(
        "the {what} of the build {build_ref} is not what its digest {expected} says: it has the \
         digest {actual}"
    )]
    Digest {
        /// The part.
        what: &'static str,
        /// The build.
        build_ref: String,
        /// The expected digest.
        expected: String,
        /// The digest of the received bytes.
        actual: String,
    },
    /// The trace is malformed.
    #[error("the trace cannot be understood: {reason}")]
    Trace {
        /// The problem with the trace.
        reason: TraceProblem,
    },
    /// The file is not a bundle, or is damaged.
    #[error("it is not a bundle of build records: {reason}")]
    NotABundle {
        /// The problem with the file.
        reason: BundleProblem,
    },
    /// The bundle could not be written.
    #[error("cannot write the bundle")]
    Write {
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Docker Desktop rejected the bundle.
    #[error("Docker Desktop does not take the bundle: {reason}")]
    Desktop {
        /// The reason.
        reason: DesktopProblem,
    },
}
