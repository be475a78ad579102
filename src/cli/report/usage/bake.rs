//! Mistakes in flags and files of `bake`.

use std::io;

use thiserror::Error;

use super::Advised;

/// The hint if the git server of a remote bake file denies access.
pub(crate) const BAKE_LOGIN: &str = "the git server wants a login: set BUILDX_BAKE_GIT_AUTH_TOKEN, \
                                     or BUILDX_BAKE_GIT_AUTH_HEADER for a whole header; only this \
                                     server gets it";

#[derive(Debug, Error)]
pub(crate) enum BakeUsage {
    #[error("--print and --list cannot be used together")]
    PrintAndList,
    #[error("--changed-since compares files of a working tree, and this definition is elsewhere")]
    ChangedElsewhere,
    #[error("--changed-since compares with a commit, but this is not a git repository")]
    NoRepository,
    #[error("--changed-since {0}: git knows no such commit")]
    UnknownCommit(String),
    #[error("cannot run git: {0}")]
    NoGit(io::Error),
    #[error("there is no bake file")]
    NoFile,
    #[error("there is no bake file")]
    NoRemoteFile,
    #[error("cannot read {name}: {source}")]
    NamedByVariable { name: String, source: io::Error },
    #[error("cannot read {name}: {source}")]
    UsualFile { name: String, source: io::Error },
    #[error("--var {0}: it has no name and value")]
    Variable(String),
    #[error("--list {text}: {reason}")]
    List { text: String, reason: String },
    #[error("--call {text}: {reason}")]
    Call { text: String, reason: String },
    #[error("--policy {text}: {what} is not allowed here")]
    Policy { text: String, what: &'static str },
    #[error("--allow {text}: {reason}")]
    Allow {
        text: String,
        reason: String,
        known: String,
    },
    #[error("the bake file asks for more than is allowed")]
    NotAllowed { flags: String, command: String },
    #[error("cannot explain {text}: {reason}")]
    Explain {
        text: String,
        reason: String,
        nearest: Option<String>,
    },
    #[error("--format needs bake check")]
    FormatAlone,
    #[error("--offline needs bake check")]
    OfflineAlone,
    #[error("there is no HCL file to format")]
    NothingToFormat,
    #[error("cannot format {0}: only HCL files have a canonical form here")]
    NotHcl(String),
    #[error("{0}")]
    RemoteKeys(String),
    #[error("{0}")]
    RemoteContexts(String),
    #[error("target {target}: its context is here, and it does not say where its Dockerfile is")]
    DockerfileUnclear { target: String, dockerfile: String },
}

impl Advised for BakeUsage {
    fn in_buildx(&self) -> Option<String> {
        Some(match self {
            Self::NoFile => "couldn't find a bake definition".to_owned(),
            Self::List { text, .. } => format!("invalid list type {text:?}"),
            Self::Allow { text, .. } => format!("unknown entitlement key {text:?}"),
            Self::Variable(text) => format!("invalid variable {text:?}, expected key=value"),
            Self::NotAllowed { .. } => "additional privileges requested".to_owned(),
            _ => return None,
        })
    }

    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::PrintAndList => "--list shows what the files define, --print what would be built",
            Self::ChangedElsewhere => "clone the repository, and run it there",
            Self::NoRepository => {
                "run it in the working tree, or leave --changed-since out to build all"
            }
            Self::UnknownCommit(_) => {
                "name a commit, branch or tag; fetch it first if the clone is shallow: \
                 git fetch --depth=1 origin REF"
            }
            Self::NoGit(_) => "install git; it compares the files",
            Self::NoFile => {
                "name one with -f, or make docker-bake.hcl, docker-bake.json or compose.yaml here"
            }
            Self::NoRemoteFile => "name a file of the repository with -f",
            Self::NamedByVariable { .. } => "the variable BUILDX_BAKE_FILE names it",
            Self::UsualFile { name, source } => {
                let is_refused = source.kind() == io::ErrorKind::InvalidInput;
                return is_refused.then(|| format!("if that file is meant, name it: -f {name}"));
            }
            Self::Variable(_) => "write --var NAME=VALUE",
            Self::List { .. } => {
                "write --list=targets, --list=variables or --list=type=targets,format=json"
            }
            Self::Call { .. } => "write --call=check, or --call=outline,format=json",
            Self::Policy { .. } => "write it in the policy of a target in the bake file",
            Self::Allow { known, .. } => return Some(known.clone()),
            Self::NotAllowed { flags, command } => {
                return Some(format!("if you trust it, allow it: {flags}\n{command}"));
            }
            Self::Explain {
                nearest: Some(near),
                ..
            } => {
                return Some(format!("did you mean {near:?}?"));
            }
            Self::Explain { nearest: None, .. } => {
                "write TARGET.ATTRIBUTE, for example app.tags or app.args.VERSION"
            }
            Self::FormatAlone => "write solvekit bake check --format=json; --print is always JSON",
            Self::OfflineAlone => {
                "write solvekit bake check --offline; builds resolve base images through the daemon"
            }
            Self::NothingToFormat => "name files after fmt, or - for the standard input",
            Self::NotHcl(_) => "leave it out",
            Self::RemoteKeys(_) => {
                "the repository is read over SSH: start an agent, or set BUILDX_BAKE_GIT_SSH=KEY"
            }
            Self::RemoteContexts(_) => "use a git repository, or unpack the archive first",
            Self::DockerfileUnclear { dockerfile, .. } => {
                return Some(format!(
                    "write dockerfile = \"cwd://{dockerfile}\" for the one here"
                ));
            }
        };
        Some(advice.to_owned())
    }
}
