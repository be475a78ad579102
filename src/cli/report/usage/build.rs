//! Mistakes in what builds read: contexts, names, arguments, policies.

use std::io;
use std::path::PathBuf;

use solvekit::bake::compose::DotenvError;
use solvekit::client::SourcePolicyError;
use solvekit::oci;
use thiserror::Error;

use super::{Advised, CallProblem};
use crate::cli::report::buildx_words::is_no_such_file;

#[derive(Debug, Error)]
pub(crate) enum BuildUsage {
    #[error("the standard input is a terminal, and a file is expected there")]
    ContextFromTerminal,
    #[error("--build-context {0:?} has no '='")]
    ContextWithoutName(String),
    #[error("{0} is not a folder of this machine")]
    NotAFolder(String),
    #[error("the Dockerfile is not on this machine, and no daemon is asked to fetch it")]
    DockerfileElsewhere,
    #[error("invalid --call={text}: {problem}")]
    Call { text: String, problem: CallProblem },
    #[error("--no-cache and --no-cache-filter cannot be used together")]
    TwoKindsOfNoCache,
    #[error(transparent)]
    Tag(oci::Error),
    #[error("cannot name an image {0:?}: a name to push has no digest")]
    TagWithDigest(String),
    #[error("cannot read {} of {flag}: {source}", .path.display())]
    ValueFile {
        flag: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("cannot read the arguments of {}: {source}", .path.display())]
    ArgumentFile { path: PathBuf, source: DotenvError },
    #[error("the arguments of {} have a line without a name", .path.display())]
    ArgumentWithoutName { path: PathBuf },
    #[error("cannot use the source policy {}: {source}", .path.display())]
    SourcePolicyUnreadable { path: PathBuf, source: io::Error },
    #[error("cannot use the source policy {}: {source}", .path.display())]
    SourcePolicy {
        path: PathBuf,
        source: SourcePolicyError,
    },
    #[error("--policy {0}: {1}")]
    Policy(String, solvekit::policy::PolicyTextError),
    #[error("this command is started by BuildKit, not by hand: {0}")]
    FrontendByHand(String),
}

impl Advised for BuildUsage {
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::ContextFromTerminal => {
                "pipe a tar archive or a Dockerfile into it, for example: solvekit build - < \
                 Dockerfile"
            }
            Self::ContextWithoutName(_) => {
                "write NAME=CONTEXT, for example --build-context alpine=docker-image://alpine:3.20 \
                 or --build-context data=./data"
            }
            Self::NotAFolder(_) => "give the folder that would be the build's context, often '.'",
            Self::DockerfileElsewhere => {
                "clone or download it, and name the folder, or pipe the Dockerfile in: \
                 solvekit … -f - URL < Dockerfile"
            }
            Self::Call { .. } => {
                "--call takes build, check, outline, targets or subrequests.describe, then maybe \
                 format=json and ignorestatus=true, for example --call=check,format=json"
            }
            Self::TwoKindsOfNoCache => {
                "--no-cache runs every step, --no-cache-filter those of the stages it names: give \
                 one of them"
            }
            Self::Tag(_) => {
                "a name is [registry/]repository[:tag], for example -t ghcr.io/me/app:1.0"
            }
            Self::TagWithDigest(_) => {
                "leave out the part from '@' on: the digest is what the build makes"
            }
            Self::ValueFile { .. } => {
                "it is a text file: NAME=VALUE on each line for --build-arg-file, a name of the \
                 image on each line for --tag-file"
            }
            Self::ArgumentFile { .. } | Self::ArgumentWithoutName { .. } => {
                "each line is NAME=VALUE; a value with spaces, # or $ goes in single quotes"
            }
            Self::SourcePolicyUnreadable { .. } | Self::SourcePolicy { .. } => {
                "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY names it; it is JSON like {\"rules\": \
                 [{\"action\": \"DENY\", \"selector\": {\"identifier\": \
                 \"docker-image://docker.io/*\"}}]}"
            }
            Self::Policy(..) => {
                "write filename=FILE, reset=true, disabled=true, strict=true or log-level=LEVEL, \
                 separated by commas"
            }
            Self::FrontendByHand(_) => {
                "make an image of it (make frontend-image), and name that in the Dockerfile: \
                 # syntax=registry/solvekit/frontend"
            }
        };
        Some(advice.to_owned())
    }

    fn in_buildx(&self) -> Option<String> {
        Some(match self {
            Self::Tag(oci::Error::Reference { input, .. }) => {
                let is_name = input.contains(char::is_uppercase) && !input.contains(' ');
                let reason = match is_name {
                    true => "repository name must be lowercase",
                    false => "invalid reference format",
                };
                format!("invalid tag {input:?}: {reason}")
            }
            Self::Call { text, problem } => problem.in_buildx(text)?,
            Self::ContextWithoutName(text) => {
                format!("invalid context value: {text}, expected key=value")
            }
            Self::TwoKindsOfNoCache => {
                "--no-cache and --no-cache-filter cannot currently be used together".to_owned()
            }
            Self::Policy(text, _) => format!("invalid value {text}"),
            Self::SourcePolicyUnreadable { path, source } if is_no_such_file(source) => {
                let path = path.display();
                format!("failed to read policy file: open {path}: no such file or directory")
            }
            _ => return None,
        })
    }

    fn stands_alone(&self) -> bool {
        match self {
            Self::Call { problem, .. } => !matches!(problem, CallProblem::Name(_)),
            Self::ContextWithoutName(_) | Self::Policy(..) => true,
            Self::SourcePolicyUnreadable { source, .. } => is_no_such_file(source),
            _ => false,
        }
    }
}
