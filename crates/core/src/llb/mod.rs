//! An immutable graph of build steps, and its marshalling to Definition bytes and digests. Pure: no
//! I/O.
//!
//! A [`State`] is a file system together with settings (environment, directory, user …). Sources
//! ([`image`], [`local`], [`git`], [`http()`], [`oci_layout`], [`image_blob`]) create states,
//! [`State::run`] and [`State::file`] derive new ones from them, [`merge`] and [`diff`] combine
//! them. [`State::marshal`] returns the [`Definition`] that a daemon solves. The ops' bytes, and so
//! the digests, are those of BuildKit's own Go client for the same graph.
//!
//! ```
//! use solvekit_core::llb::{self, Constraints, Copy, File, Local, MarshalOptions, State};
//!
//! let named = Constraints::new().named("load the context");
//! let context = llb::local("context", &Local::default(), named);
//! let copy = File::new().copy(&context, "/src", "/app/", Copy::default());
//! let copied = State::scratch().file(copy, Constraints::new());
//! let mut options = MarshalOptions::default();
//! options.unique_id = "example".into();
//! let definition = copied.marshal(&options)?;
//! assert_eq!(definition.vertices()[0].metadata().name(), Some("load the context"));
//! # Ok::<(), solvekit_core::llb::Error>(())
//! ```

mod caps;
mod defined;
mod definition;
mod env;
mod exec;
mod file;
mod finished;
mod go_json;
mod json;
mod marshal;
mod metadata;
mod passthrough;
#[doc(hidden)]
pub mod path;
mod proto;
pub mod render;
mod source;
mod source_files;
mod state;
mod vertex;

pub use caps::{Cap, CapSet};
pub use definition::{DefinedVertex, Definition};
pub use env::Env;
pub use exec::{Device, Exec, HostIp, Mount, ProxyEnv, Run, Secret, Sharing, SshSocket, Ulimit};
pub use file::{Copy, File, MakeDir, Mode, Owner, Principal};
pub use marshal::MarshalOptions;
pub use metadata::{
    CUSTOM_NAME, Constraints, LinuxResources, Location, Metadata, Position, ProgressGroup, Range,
    SourceFile,
};
pub use passthrough::{Passthrough, passthrough};
pub use source::{
    Blob, Bundle, Git, GitAuth, GitSignature, Http, HttpSignature, Image, Local, MetadataOnly,
    OciLayout, ResolveMode, git, http, image, image_blob, local, oci_layout, oci_layout_blob,
};
pub use state::{Deferred, Network, Security, State, diff, merge};

/// The PATH of processes whose environment sets none.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The reason a graph cannot be marshalled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An exec op has no arguments.
    #[error("a command to run has no arguments")]
    NoArguments,
    /// An exec op has no working directory.
    #[error("a command to run has no working directory")]
    NoDirectory,
    /// A deferred source was never resolved.
    #[error("a deferred source was never set")]
    UnresolvedSource,
    /// A passthrough has no id or no output.
    #[error("a passthrough needs an id and at least one input")]
    EmptyPassthrough,
    /// Bytes from elsewhere are not a valid definition.
    #[error("a definition of a build graph cannot be read: {0}")]
    InvalidDefinition(DefinitionProblem),
}

/// The reason bytes are not a valid definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionProblem {
    /// The bytes are not this protobuf message.
    #[error(transparent)]
    Protobuf(prost::DecodeError),
    /// The last op does not name the result.
    #[error("the last op does not name one result")]
    NoResult,
    /// An op uses another one that does not come before it.
    #[error("the op {digest} is used before it is there")]
    UnknownOp {
        /// The digest of the other op.
        digest: String,
    },
}

#[cfg(test)]
mod tests;
