//! The error type of a build. `policy.rs` has the errors of policies about sources.

mod daemon;
mod policy;

use std::path::PathBuf;

use crate::client;
use crate::oci::{Platform, Reference};
use crate::pipeline::{CacheDirection, EngineLack, PlaceError, ValueError};
use crate::policy::{EvalError, LoadError};
use crate::task::Panicked;
use crate::{frontend, gateway, layout, session};
pub use policy::PolicyError;

/// Why a build failed: the operation, the object and the cause. The next step is added by the
/// command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The context folder cannot be read.
    #[error("cannot read the build context {}", path.display())]
    Context {
        /// The folder as given.
        path: PathBuf,
        /// An existing folder with a similar name.
        near: Option<PathBuf>,
        /// The cause.
        source: std::io::Error,
    },
    /// The context is not a folder.
    #[error("the build context {} is not a folder", path.display())]
    ContextNotAFolder {
        /// The path as given.
        path: PathBuf,
    },
    /// The Dockerfile cannot be read.
    #[error("cannot read the Dockerfile {}", path.display())]
    Dockerfile {
        /// The path.
        path: PathBuf,
        /// An existing file with a similar name.
        near: Option<PathBuf>,
        /// The cause.
        source: std::io::Error,
    },
    /// A symbolic link in the context or beside the Dockerfile leads out of the folder.
    #[error("cannot read {}: a symbolic link leads out of {}", path.display(), folder.display())]
    LeadsOut {
        /// The Dockerfile or ignore file.
        path: PathBuf,
        /// The folder that it has to stay in.
        folder: PathBuf,
    },
    /// A Dockerfile or ignore file is a folder, a pipe, a socket or a device.
    #[error("cannot read {}: it is not a regular file", path.display())]
    NotRegular {
        /// The Dockerfile or ignore file.
        path: PathBuf,
    },
    /// A text that is not a valid context, Dockerfile or context name.
    #[error("{what} cannot be {text:?}")]
    ContextText {
        /// The kind of value that was expected.
        what: &'static str,
        /// The text as given, without passwords.
        text: String,
        /// The mistake in it.
        source: Box<ValueError>,
    },
    /// A named context cannot be used.
    #[error("cannot use the named context {name:?}")]
    NamedContext {
        /// Its name.
        name: String,
        /// The cause.
        source: Box<Error>,
    },
    /// The stream that the context or the Dockerfile comes from cannot be read.
    #[error("cannot read the standard input")]
    Stream {
        /// The cause.
        source: std::io::Error,
    },
    /// The stream of the context or the Dockerfile is empty.
    #[error("nothing came from the standard input")]
    EmptyStream,
    /// The stream was already read by another build.
    #[error("the standard input has been read already")]
    StreamUsedUp,
    /// The same stream is used as the context and as the Dockerfile.
    #[error("the standard input cannot be both the build context and the Dockerfile")]
    StreamTwice,
    /// The stream given as context holds a Dockerfile, but another Dockerfile is named.
    #[error("the standard input is a Dockerfile, not an archive, and another Dockerfile is named")]
    StreamIsNoArchive,
    /// The Dockerfile cannot be fetched.
    #[error("cannot fetch the Dockerfile {url}")]
    DockerfileUrl {
        /// Its URL, without a password.
        url: String,
        /// The daemon's answer.
        source: gateway::Error,
    },
    /// The temporary folder for data from a stream cannot be created.
    #[error("cannot make the temporary folder {}", path.display())]
    TemporaryFolder {
        /// Its path.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Data from a stream needs a temporary folder, but the request names none.
    #[error("the build was given no folder for temporary files")]
    NoTemporaryFolder,
    /// The ignore file cannot be read.
    #[error("cannot read the ignore file {}", path.display())]
    IgnoreFile {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// An ignore file is given, but the context is not a local folder.
    #[error(
        "the ignore file {} is for a context that is a folder, and this one is not",
        path.display()
    )]
    IgnoreFileWithoutFolder {
        /// The path.
        path: PathBuf,
    },
    /// The ignore file has an invalid pattern.
    #[error("cannot use the ignore file {}", path.display())]
    IgnorePatterns {
        /// The path.
        path: PathBuf,
        /// The pattern and the mistake in it.
        source: session::PatternError,
    },
    /// An output that cannot be parsed.
    #[error("invalid output {input:?}")]
    Output {
        /// The text as given.
        input: String,
        /// The mistake in it.
        source: Box<ValueError>,
    },
    /// An entitlement that cannot be parsed.
    #[error("invalid entitlement {input:?}")]
    Entitlement {
        /// The text as given.
        input: String,
        /// The mistake in it.
        source: Box<ValueError>,
    },
    /// An annotation that cannot be parsed.
    #[error("invalid annotation {input:?}")]
    Annotation {
        /// The text as given.
        input: String,
        /// The mistake in it.
        source: Box<ValueError>,
    },
    /// An attestation that cannot be parsed.
    #[error("invalid attestation {input:?}")]
    Attestation {
        /// Its type, if it was known before parsing.
        kind: Option<&'static str>,
        /// The text as given.
        input: String,
        /// The mistake in it.
        source: Box<ValueError>,
    },
    /// Several platforms are requested in an archive for `docker load`, which holds one image.
    #[error("an archive of type=docker holds one platform, and {count} are asked for")]
    SeveralPlatformsForDocker {
        /// The number of platforms.
        count: usize,
    },
    /// Attestations are requested in an archive for `docker load`, which holds one image only.
    #[error("an archive of type=docker holds no attestations")]
    AttestationsForDocker,
    /// A limit that cannot be parsed.
    #[error("invalid limit {input:?}")]
    Resource {
        /// The text as given.
        input: String,
        /// The mistake in it.
        source: Box<ValueError>,
    },
    /// A cache that cannot be parsed.
    #[error("invalid cache to {direction}: {input:?}")]
    Cache {
        /// The direction: import or export.
        direction: CacheDirection,
        /// The text as given, without tokens and keys.
        input: String,
        /// The mistake in it.
        source: Box<ValueError>,
    },
    /// The result should be pushed but has no name.
    #[error("there is no name to push to")]
    PushWithoutName,
    /// Several outputs go to the standard output.
    #[error("several outputs go to the standard output")]
    SeveralToStandardOutput,
    /// An output needs the standard output, but this program did not pass a writer for it.
    #[error("an output goes to the standard output, which this program has not given to the build")]
    NoStandardOutput,
    /// Several outputs are OCI layouts in folders; daemons support one.
    #[error("several outputs are images in folders (tar=false), and the daemon can write one")]
    SeveralLayouts,
    /// A destination that cannot be written.
    #[error("cannot write the result to {}", path.display())]
    Destination {
        /// The path as given.
        path: PathBuf,
        /// The cause.
        source: PlaceError,
    },
    /// A folder that a cache cannot be written to.
    #[error("cannot write the cache to {}", path.display())]
    CacheDestination {
        /// The folder as given.
        path: PathBuf,
        /// The cause.
        source: PlaceError,
    },
    /// Annotations for an index are given, but the result has no index.
    #[error("annotations of an index are given, and {what} has no index")]
    IndexAnnotations {
        /// The kind of result.
        what: &'static str,
    },
    /// The Docker engine uses its older image store, which lacks a feature.
    #[error("a Docker engine without containerd's image store cannot {lack}")]
    EngineStore {
        /// The missing feature.
        lack: EngineLack,
    },
    /// The Docker engine, which pushes images itself with its older image store, failed to push.
    #[error("cannot push {image}")]
    EnginePush {
        /// The image's name.
        image: Reference,
        /// The cause.
        source: Box<client::Error>,
    },
    /// A host has the address of the engine's machine, but the daemon does not report that address.
    #[error(
        "the daemon does not tell the address of its machine (host-gateway) for the host {host:?}"
    )]
    NoHostGateway {
        /// The host.
        host: String,
    },
    /// The context has a file name or link target that is not UTF-8, and the daemon does not accept
    /// that.
    #[error(
        "{daemon} does not accept file names that are not UTF-8, and {directory} has one: {path}"
    )]
    ContextFileName {
        /// The daemon and its version.
        daemon: String,
        /// The name of the context.
        directory: String,
        /// The path in it, with bytes that are not UTF-8 as `\\xNN`.
        path: String,
    },
    /// The result has a file name that is not UTF-8, and the daemon cannot export it to a folder.
    #[error("{daemon} cannot export file names that are not UTF-8 to a folder")]
    ResultFileName {
        /// The daemon and its version.
        daemon: String,
    },
    /// A policy about the sources of the build denies one of them, or cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// An output with `mode=delete` is outside of the working directory and was not allowed.
    #[error("mode=delete would remove files of {}, which is not below the working \
             directory", path.display())]
    DeletionNotAllowed {
        /// The folder as given.
        path: PathBuf,
    },
    /// All platforms are built, but the result cannot be written on this machine.
    #[error("cannot receive the result: {reason}")]
    Receive {
        /// The failed operation, with the path.
        reason: String,
    },
    /// A local OCI layout cannot be used: a local cache, a context or an output.
    #[error("cannot use a folder of images or caches: {reason}")]
    Content {
        /// The failed operation, with the path.
        reason: String,
    },
    /// All platforms are built, but the index of a local cache or output cannot be written.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// The image should be loaded, but the daemon is not a Docker engine.
    #[error("the image cannot be loaded: the daemon is a buildkitd, which has no images to run")]
    NoEngineToLoad,
    /// The Dockerfile gave no result: a mistake in it, a missing base image, a failed step.
    #[error(transparent)]
    Frontend(#[from] frontend::Error),
    /// Some platforms failed while the others finished; nothing is exported.
    #[error("{} of {} platforms failed", failed.len(), failed.len() + built.len())]
    Platforms {
        /// The failed platforms with their causes.
        failed: Vec<frontend::PlatformFailure>,
        /// The platforms that are built and in the daemon's cache.
        built: Vec<Platform>,
    },
    /// All platforms are built, but the export failed, usually the push.
    #[error("cannot export the result")]
    Export {
        /// The daemon's answer.
        source: Box<client::Error>,
    },
    /// The connection to the daemon was lost; it ran in a pod.
    #[error("{}", pod.loss(.end))]
    PodLost {
        /// The pod.
        pod: Box<client::Pod>,
        /// What became of it.
        end: Box<client::PodEnd>,
        /// The error of the lost connection.
        source: Box<Error>,
    },
    /// A call to the daemon failed.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// A gateway call to the daemon failed.
    #[error(transparent)]
    Gateway(#[from] gateway::Error),
    /// The session cannot be set up.
    #[error("cannot set up the session with the daemon")]
    Session(#[from] session::Error),
    /// The build was cancelled.
    #[error("the build was interrupted")]
    Interrupted,
    /// Neither this program nor the daemon has read a Dockerfile.
    #[error("the daemon gave no Dockerfile")]
    NoDockerfile,
    /// A task of this program panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        PolicyError::from(error).into()
    }
}

impl From<EvalError> for Error {
    fn from(error: EvalError) -> Self {
        PolicyError::from(error).into()
    }
}
