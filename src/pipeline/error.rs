//! Why a build failed.

use std::path::PathBuf;

use crate::client::{self, Code, Failure};
use crate::oci::Platform;
use crate::pipeline::{CacheDirection, EngineLack, PlaceError, ValueError};
use crate::policy::{EvalError, LoadError};
use crate::task::Panicked;
use crate::{frontend, gateway, layout, session};

/// Why a build failed: what, where, why. What to do next is added by the command line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The context folder cannot be read.
    #[error("cannot read the build context {}", path.display())]
    Context {
        /// The folder as given.
        path: PathBuf,
        /// A folder with nearly this name that is there.
        near: Option<PathBuf>,
        /// Why.
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
        /// A file with nearly this name that is there.
        near: Option<PathBuf>,
        /// Why.
        source: std::io::Error,
    },
    /// A link in the context, or beside the Dockerfile, leads out of the folder.
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
    /// A text that can be no context, Dockerfile or name of a context.
    #[error("{what} cannot be {text:?}")]
    ContextText {
        /// What it should be.
        what: &'static str,
        /// The text as given, without a password.
        text: String,
        /// What is wrong with it.
        source: Box<ValueError>,
    },
    /// A named context cannot be used.
    #[error("cannot use the named context {name:?}")]
    NamedContext {
        /// Its name.
        name: String,
        /// Why.
        source: Box<Error>,
    },
    /// The stream that the context or the Dockerfile comes from cannot be read.
    #[error("cannot read the standard input")]
    Stream {
        /// Why.
        source: std::io::Error,
    },
    /// The stream that the context or the Dockerfile comes from has nothing.
    #[error("nothing came from the standard input")]
    EmptyStream,
    /// The stream has been read by another build.
    #[error("the standard input has been read already")]
    StreamUsedUp,
    /// One stream for two.
    #[error("the standard input cannot be both the build context and the Dockerfile")]
    StreamTwice,
    /// What came as context is a Dockerfile, and another one is named.
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
    /// A folder for what comes from a stream cannot be made.
    #[error("cannot make the temporary folder {}", path.display())]
    TemporaryFolder {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder is needed for what comes from a stream, and the request names none.
    #[error("the build was given no folder for temporary files")]
    NoTemporaryFolder,
    /// The ignore file cannot be read.
    #[error("cannot read the ignore file {}", path.display())]
    IgnoreFile {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An ignore file is named for a context that is no folder of this machine.
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
        /// The pattern, and what is wrong with it.
        source: session::PatternError,
    },
    /// An output that cannot be parsed.
    #[error("invalid output {input:?}")]
    Output {
        /// The text as given.
        input: String,
        /// What is wrong with it.
        source: Box<ValueError>,
    },
    /// An entitlement that cannot be parsed.
    #[error("invalid entitlement {input:?}")]
    Entitlement {
        /// The text as given.
        input: String,
        /// What is wrong with it.
        source: Box<ValueError>,
    },
    /// An annotation that cannot be parsed.
    #[error("invalid annotation {input:?}")]
    Annotation {
        /// The text as given.
        input: String,
        /// What is wrong with it.
        source: Box<ValueError>,
    },
    /// An attestation that cannot be parsed.
    #[error("invalid attestation {input:?}")]
    Attestation {
        /// Its type, if that was known before the text was read.
        kind: Option<&'static str>,
        /// The text as given.
        input: String,
        /// What is wrong with it.
        source: Box<ValueError>,
    },
    /// Several platforms in an archive for `docker load`, which holds one image.
    #[error("an archive of type=docker holds one platform, and {count} are asked for")]
    SeveralPlatformsForDocker {
        /// How many.
        count: usize,
    },
    /// Attestations in an archive for `docker load`, which holds one image and nothing else.
    #[error("an archive of type=docker holds no attestations")]
    AttestationsForDocker,
    /// A limit that cannot be parsed.
    #[error("invalid limit {input:?}")]
    Resource {
        /// The text as given.
        input: String,
        /// What is wrong with it.
        source: Box<ValueError>,
    },
    /// A cache that cannot be parsed.
    #[error("invalid cache to {direction}: {input:?}")]
    Cache {
        /// What was to be done with it.
        direction: CacheDirection,
        /// The text as given, without tokens and keys.
        input: String,
        /// What is wrong with it.
        source: Box<ValueError>,
    },
    /// The result is to be pushed, and has no name.
    #[error("there is no name to push to")]
    PushWithoutName,
    /// Several outputs want the standard output.
    #[error("several outputs go to the standard output")]
    SeveralToStandardOutput,
    /// An output goes to the standard output, which the program did not give.
    #[error("an output goes to the standard output, which this program has not given to the build")]
    NoStandardOutput,
    /// Several outputs are OCI layouts in folders, of which daemons fill one.
    #[error("several outputs are images in folders (tar=false), and the daemon can write one")]
    SeveralLayouts,
    /// A destination that cannot be written.
    #[error("cannot write the result to {}", path.display())]
    Destination {
        /// The path as given.
        path: PathBuf,
        /// What is the matter with it.
        source: PlaceError,
    },
    /// A folder that a cache cannot be written to.
    #[error("cannot write the cache to {}", path.display())]
    CacheDestination {
        /// The folder as given.
        path: PathBuf,
        /// What is the matter with it.
        source: PlaceError,
    },
    /// Annotations of an index where none is made.
    #[error("annotations of an index are given, and {what} has no index")]
    IndexAnnotations {
        /// What is made.
        what: &'static str,
    },
    /// The engine that builds keeps its images in Docker's older store.
    #[error("a Docker engine without containerd's image store cannot {lack}")]
    EngineStore {
        /// What it cannot do.
        lack: EngineLack,
    },
    /// A host's address is that of the engine's machine, and the daemon does not tell it.
    #[error(
        "the daemon does not tell the address of its machine (host-gateway) for the host {host:?}"
    )]
    NoHostGateway {
        /// The host.
        host: String,
    },
    /// A context has a file whose name, or whose link's target, is not UTF-8, and the daemon does
    /// not accept that.
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
    /// The result has a file whose name is not UTF-8, and the daemon cannot send it as a folder.
    #[error("{daemon} cannot export file names that are not UTF-8 to a folder")]
    ResultFileName {
        /// The daemon and its version.
        daemon: String,
    },
    /// There is a policy beside the Dockerfile in a context from a stream.
    #[error("the policy {file} is in a context from a stream, and cannot be read before the build")]
    Policy {
        /// Its path.
        file: String,
    },
    /// The policy beside the Dockerfile cannot be read.
    #[error("cannot read the policy {}", path.display())]
    PolicyUnreadable {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The policies of the build cannot be used.
    #[error(transparent)]
    PolicyLoad(Box<LoadError>),
    /// A policy cannot be tried out.
    #[error(transparent)]
    PolicyEval(Box<EvalError>),
    /// A policy denies a source.
    #[error("source {origin:?} not allowed by policy: {}", reasons.join("; "))]
    Denied {
        /// The source.
        origin: String,
        /// Why, each with the file and line of the rule.
        reasons: Vec<String>,
    },
    /// A policy could not decide about a source.
    #[error("the policy cannot decide about the source {origin:?}: {reason}")]
    PolicyFailed {
        /// The source.
        origin: String,
        /// Why not.
        reason: String,
    },
    /// The daemon does not ask about sources.
    #[error(
        "this BuildKit cannot obey the policy {}: it does not ask the client about sources",
        files.join(", ")
    )]
    PolicyNotAsked {
        /// The files of the policy.
        files: Vec<String>,
    },
    /// The daemon has no proxy for the network of steps.
    #[error(
        "network proxy requested by policy {} is not supported by the current BuildKit daemon, \
         please upgrade to version v0.31+",
        files.join(", ")
    )]
    PolicyProxy {
        /// The files of the policy.
        files: Vec<String>,
    },
    /// An output with `mode=delete` outside of the working directory, which was not allowed.
    #[error("mode=delete would remove files of {}, which is not below the working \
             directory", path.display())]
    DeletionNotAllowed {
        /// The folder as given.
        path: PathBuf,
    },
    /// All platforms are built, and the result cannot be written here.
    #[error("cannot write the result: {reason}")]
    Receive {
        /// What failed, with the path.
        reason: String,
    },
    /// An OCI layout of this machine cannot be used: a local cache, a context or an output.
    #[error("cannot use a folder of images or caches: {reason}")]
    Content {
        /// What failed, with the path.
        reason: String,
    },
    /// All is built, and the index of a local cache or an output cannot be written.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// An image is to be loaded, and the daemon is no Docker engine.
    #[error("the image cannot be loaded: the daemon is a buildkitd, which has no images to run")]
    NoEngineToLoad,
    /// The Dockerfile gave no result: a mistake in it, a base image that is not there, a step that
    /// failed.
    #[error(transparent)]
    Frontend(#[from] frontend::Error),
    /// Some platforms failed while the others were kept going; nothing is exported.
    #[error("{} of {} platforms failed", failed.len(), failed.len() + built.len())]
    Platforms {
        /// Those that failed, and why.
        failed: Vec<frontend::PlatformFailure>,
        /// Those that are built and in the daemon's cache.
        built: Vec<Platform>,
    },
    /// All platforms are built, the export failed: the push, most likely.
    #[error("cannot export the result")]
    Export {
        /// The daemon's answer.
        source: Box<client::Error>,
    },
    /// The daemon was lost, and it ran in a pod.
    #[error("the pod {} was lost", pod.name)]
    PodLost {
        /// The pod.
        pod: Box<client::Pod>,
        /// How it showed.
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
    /// Neither this side nor the daemon has read a Dockerfile.
    #[error("the daemon gave no Dockerfile")]
    NoDockerfile,
    /// A task of this program panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

impl From<LoadError> for Error {
    fn from(error: LoadError) -> Self {
        Self::PolicyLoad(Box::new(error))
    }
}

impl From<EvalError> for Error {
    fn from(error: EvalError) -> Self {
        Self::PolicyEval(Box::new(error))
    }
}

impl Error {
    /// What is returned to the daemon, which keeps it in the build's history.
    pub(super) fn to_failure(&self) -> Failure {
        let from_daemon = match self {
            Self::Frontend(error) => return error.to_failure(),
            Self::Gateway(error) => error.failure(),
            _ => None,
        };
        from_daemon
            .cloned()
            .unwrap_or_else(|| Failure::new(Code::Unknown, self.to_string()))
    }

    /// True if the daemon went away: nothing that was asked of it is to blame.
    pub(crate) fn is_of_lost_daemon(&self) -> bool {
        match self {
            Self::Export { source } => is_connection(source),
            error => error.is_lost(),
        }
    }

    /// Names the pod in which the daemon ran that was lost.
    pub(super) fn in_pod_of(self, address: &client::Address) -> Self {
        let pod = match address.endpoint() {
            client::Endpoint::Process(process) if self.is_of_lost_daemon() => process.pod(),
            _ => None,
        };
        match pod {
            Some(pod) => Self::PodLost {
                pod: Box::new(pod),
                source: Box::new(self),
            },
            None => self,
        }
    }

    /// True if a call broke off because the connection was lost.
    pub(super) fn is_lost(&self) -> bool {
        let gateway = match self {
            Self::Client(error) => return is_connection(error),
            Self::Gateway(error) | Self::Frontend(frontend::Error::Gateway(error)) => error,
            Self::Frontend(frontend::Error::Dockerfile { source, .. }) => source,
            _ => return false,
        };
        matches!(gateway, gateway::Error::Client(error) if is_connection(error))
    }

    /// True if the error may mean that the daemon is shutting down; it may mean other things too.
    pub(crate) fn may_be_of_ending_daemon(&self) -> bool {
        let failure = match self {
            Self::Interrupted => return false,
            Self::Client(error) => error.failure().cloned(),
            Self::Export { source } => source.failure().cloned(),
            error => Some(error.to_failure()),
        };
        failure.is_some_and(|failure| {
            matches!(failure.code, Code::Canceled | Code::Unavailable)
                || failure.message.contains("context canceled")
                || failure.message.contains("transport is closing")
        })
    }
}

fn is_connection(error: &client::Error) -> bool {
    matches!(error, client::Error::ConnectionLost { .. })
}
