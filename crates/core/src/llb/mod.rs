//! An immutable graph of build steps, and its marshalling to Definition bytes and digests. Pure: no
//! I/O.
//!
//! A [`State`] is a file system together with settings (environment, directory, user …). Sources
//! ([`image`], [`local`], [`git`], [`http()`], [`oci_layout`], [`image_blob`]) make states,
//! [`State::run`] and [`State::file`] make new ones of them, [`merge`] and [`diff`] combine them.
//! [`State::marshal`] gives the [`Definition`] that a daemon solves. The ops' bytes, and so the
//! digests, are those of BuildKit's own Go client for the same graph.
//!
//! ```
//! use solvekit_core::llb::{self, Constraints, Copy, File, Local, MarshalOptions, State};
//!
//! let context = llb::local("context", &Local::default(), Constraints::new().named("load the context"));
//! let copied = State::scratch().file(File::new().copy(&context, "/src", "/app/", Copy::default()), Constraints::new());
//! let definition = copied.marshal(&MarshalOptions { unique_id: "example".into(), ..MarshalOptions::default() })?;
//! assert_eq!(definition.vertices()[0].metadata().name(), Some("load the context"));
//! # Ok::<(), solvekit_core::llb::Error>(())
//! ```

mod caps;
mod defined;
mod definition;
mod env;
mod exec;
mod feature;
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

/// The PATH of processes whose environment has none.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Why a graph cannot be marshalled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An exec op that runs nothing.
    #[error("a command to run has no arguments")]
    NoArguments,
    /// An exec op without a working directory.
    #[error("a command to run has no working directory")]
    NoDirectory,
    /// A deferred source that was never given.
    #[error("a deferred source was never set")]
    UnresolvedSource,
    /// A passthrough without an id, or that hands nothing on.
    #[error("a passthrough needs an id and at least one input")]
    EmptyPassthrough,
    /// A definition from elsewhere that is none.
    #[error("a definition of a build graph cannot be read: {reason}")]
    InvalidDefinition {
        /// What is wrong with it.
        reason: String,
    },
}

#[cfg(test)]
mod tests;
