//! Mistakes in `--secret` and `--ssh`.

use std::io;
use std::path::PathBuf;

use solvekit::pipeline::CsvError;
use solvekit::session;
use thiserror::Error;

use super::Advised;
use crate::cli::report::failure::with_causes;

#[derive(Debug, Error)]
pub(crate) enum SecretUsage {
    #[error("cannot read the secret {id:?}: the environment variable {variable} is not set")]
    Variable { id: String, variable: String },
    #[error("{source}")]
    Unreadable {
        id: String,
        by_id: bool,
        /// The file, if it does not exist.
        missing: Option<String>,
        source: session::Error,
    },
    #[error("invalid --secret: {0}")]
    Invalid(SecretProblem),
}

/// The reason why a text of `--secret` cannot be used. None of them contains a value, which may be
/// secret.
#[derive(Debug, Error)]
pub(crate) enum SecretProblem {
    #[error(transparent)]
    Csv(CsvError),
    #[error("a field is not key=value")]
    Form,
    #[error("there is no field {0:?}; the fields are id, src, env and type")]
    Field(String),
    #[error("id= is missing")]
    NoId,
    #[error("it has both src= and env=")]
    TwoSources,
    #[error("type=file has no env=")]
    FileOfVariable,
    #[error("type={0} is neither file nor env")]
    Kind(String),
}

impl SecretProblem {
    /// buildx's message; where that quotes a value, it is hidden.
    fn in_buildx(&self) -> Option<String> {
        Some(match self {
            Self::Form => "invalid field '***' must be a key=value pair".to_owned(),
            Self::Field(key) => format!("unexpected key '{key}' in '{key}=***'"),
            Self::NoId => "secret missing ID".to_owned(),
            Self::Kind(kind) => format!("unsupported secret type {kind:?}"),
            Self::Csv(_) | Self::TwoSources | Self::FileOfVariable => return None,
        })
    }
}

impl Advised for SecretUsage {
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::Variable { .. } => "export it, or name a file: --secret id=ID,src=FILE",
            Self::Unreadable {
                id, by_id: true, ..
            } => {
                return Some(format!(
                    "the variable {id} is not set, and so the file was looked for; {FORMS}"
                ));
            }
            Self::Unreadable { by_id: false, .. } => FORMS,
            Self::Invalid(_) => {
                "a secret is id=ID, then src=FILE or env=NAME, for example \
                 --secret id=npm,src=$HOME/.npmrc"
            }
        };
        Some(advice.to_owned())
    }

    fn in_buildx(&self) -> Option<String> {
        match self {
            Self::Invalid(problem) => problem.in_buildx(),
            Self::Unreadable { missing, .. } => missing.as_ref().map(|path| {
                format!("failed to stat {path}: stat {path}: no such file or directory")
            }),
            Self::Variable { .. } => None,
        }
    }

    fn stands_alone(&self) -> bool {
        matches!(self, Self::Invalid(problem) if !matches!(problem, SecretProblem::NoId))
    }
}

const FORMS: &str = "--secret id=ID,src=FILE reads a file, --secret id=ID,env=NAME a variable";

#[derive(Debug, Error)]
pub(crate) enum AgentUsage {
    #[error("--ssh {text}: {id} is given twice")]
    Twice { text: String, id: String },
    #[error("--ssh {text}: {} is an agent's socket, which stands alone", .socket.display())]
    SocketAmongKeys { text: String, socket: PathBuf },
    #[error("{source}")]
    Unusable {
        text: String,
        source: session::Error,
    },
    #[error("--ssh {0}: SSH_AUTH_SOCK is not set")]
    NotRunning(String),
}

impl Advised for AgentUsage {
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::Twice { .. } => "several keys of one id go into one flag: --ssh default=KEY,KEY",
            Self::SocketAmongKeys { .. } => "an id is one socket, or one or more key files",
            Self::Unusable { .. } => {
                "--ssh default uses the agent of SSH_AUTH_SOCK, --ssh ID=SOCKET another one, \
                 --ssh ID=KEY[,KEY] key files"
            }
            Self::NotRunning(_) => {
                "start an agent (eval $(ssh-agent); ssh-add), or name its socket or a key: \
                 --ssh default=PATH"
            }
        };
        Some(advice.to_owned())
    }

    fn in_buildx(&self) -> Option<String> {
        match self {
            Self::Unusable { text, source } => {
                let reason = unreadable_key(source).unwrap_or_else(|| with_causes(source));
                Some(in_buildx(text, &reason))
            }
            Self::NotRunning(text) => Some(in_buildx(
                text,
                "invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set",
            )),
            Self::Twice { .. } | Self::SocketAmongKeys { .. } => None,
        }
    }
}

/// buildx's reason why the file of a key cannot be used, if it has a well-known one.
fn unreadable_key(error: &session::Error) -> Option<String> {
    let session::Error::SshKey {
        id,
        path,
        source: session::KeyError::Read(source),
    } = error
    else {
        return None;
    };
    let path = path.display();
    let reason = match source.kind() {
        io::ErrorKind::NotFound => format!("stat {path}: no such file or directory"),
        io::ErrorKind::IsADirectory => {
            format!("failed to read {path}: read {path}: is a directory")
        }
        _ => return None,
    };
    Some(format!(
        "failed to convert agent config for ID: {id:?}: {reason}"
    ))
}

/// buildx's message for an SSH agent of `ID` or `ID=PATH,PATH`.
fn in_buildx(text: &str, reason: &str) -> String {
    let (id, paths) = text.split_once('=').unwrap_or((text, ""));
    let paths = paths.replace(',', " ");
    format!("failed to convert agent config {{{id} [{paths}] false}}: {reason}")
}
