//! Records of builds that leave their daemon: bundles (`.dockerbuild`) as Docker Desktop opens them and buildx writes them, and traces.
//!
//! A bundle is an OCI image layout as a gzip'd tar archive. Each record is a manifest whose config is the record as JSON and whose layers are
//! its trace, its logs, its attestations and the manifests of its results. [`Bundle::of`] takes records from daemons,
//! [`Bundle::write`] writes them, [`read`] looks into a bundle. Credentials are left out of what is written, as far as they can be told from other words.

mod archive;
mod desktop;
mod read;
mod record;
mod trace;
mod write;

pub use desktop::upload;
pub use read::{BundledRecord, read};
pub use trace::{Span, Trace};
pub use write::{Bundle, Exported};

use std::io;

use crate::client;

/// The media type of a record.
const RECORD: &str = "application/vnd.buildkit.historyrecord.v0";
/// No blob of a record, and no bundle that is read, is larger.
const LIMIT: usize = 512 << 20;

/// Why a record cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The daemon does not give a part of the record.
    #[error("cannot read the {what} of the build {build_ref}")]
    Part {
        /// Which part.
        what: &'static str,
        /// The build.
        build_ref: String,
        /// What the daemon says.
        source: client::Error,
    },
    /// What the daemon gives is not what its digest says.
    #[error(
        "the {what} of the build {build_ref} is not what its digest {expected} says: it has the digest {actual}"
    )]
    Digest {
        /// Which part.
        what: &'static str,
        /// The build.
        build_ref: String,
        /// The digest that it should have.
        expected: String,
        /// The digest of what came.
        actual: String,
    },
    /// A trace that cannot be understood.
    #[error("the trace cannot be understood: {reason}")]
    Trace {
        /// What is wrong.
        reason: String,
    },
    /// A file that is no bundle, or a damaged one.
    #[error("it is no bundle of build records: {reason}")]
    NotABundle {
        /// What is wrong.
        reason: String,
    },
    /// The bundle cannot be written.
    #[error("cannot write the bundle")]
    Write {
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Docker Desktop does not take it.
    #[error("Docker Desktop does not take the bundle: {reason}")]
    Desktop {
        /// Why not.
        reason: String,
    },
}
