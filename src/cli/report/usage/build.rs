//! Mistakes in flags of `build`, `llb`, `lock` and `context`.

use std::io;
use std::path::{Path, PathBuf};

use solvekit::bake::compose::DotenvError;
use solvekit::oci;
use solvekit::pipeline::CsvError;
use thiserror::Error;

use super::Advised;

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
    #[error("invalid --call={text}: {reason}")]
    Call { text: String, reason: String },
    #[error("--no-cache and --no-cache-filter cannot be used together")]
    TwoKindsOfNoCache,
    #[error(transparent)]
    Tag(oci::Error),
    #[error("cannot name an image {0:?}: a name to push has no digest")]
    TagWithDigest(String),
    #[error("stdout is a terminal; an archive cannot go there")]
    ArchiveToTerminal,
    #[error("--iidfile is given, and the outputs are files, which have no image ID")]
    IdOfFiles,
    #[error("cannot write {}: {reason}", .path.display())]
    Place {
        flag: &'static str,
        path: PathBuf,
        reason: String,
    },
    #[error("cannot write {}: {source}", .path.display())]
    ResultFile { path: PathBuf, source: io::Error },
    #[error("there is no Docker engine to load the image into: {0}")]
    NoEngineToLoad(String),
    #[error("images are to be loaded into the engines of several docker contexts")]
    SeveralEngines,
    #[error("cannot read the lock {}: {source}", .path.display())]
    LockUnreadable { path: PathBuf, source: io::Error },
    #[error("cannot use the lock {}: {reason}", .path.display())]
    LockInvalid { path: PathBuf, reason: String },
    #[error("the lock does not have {name}")]
    NotInLock { name: String, known: Vec<String> },
    #[error("cannot read the secret {id:?}: the environment variable {variable} is not set")]
    SecretVariable { id: String, variable: String },
    #[error("{reason}")]
    SecretUnreadable {
        id: String,
        by_id: bool,
        /// The file, if it does not exist.
        missing: Option<String>,
        reason: String,
    },
    #[error("invalid --secret: {0}")]
    Secret(SecretProblem),
    #[error("--ssh {text}: {id} is given twice")]
    AgentTwice { text: String, id: String },
    #[error("--ssh {text}: {} is an agent's socket, which stands alone", .socket.display())]
    SocketAmongKeys { text: String, socket: PathBuf },
    #[error("{reason}")]
    Agent { text: String, reason: String },
    #[error("--ssh {0}: SSH_AUTH_SOCK is not set")]
    NoAgent(String),
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
    #[error("cannot use the source policy {}: {reason}", .path.display())]
    SourcePolicy { path: PathBuf, reason: String },
    #[error("--policy {0}: {1}")]
    Policy(String, solvekit::policy::PolicyTextError),
    #[error("--format pb is one graph, and several platforms are asked for")]
    SeveralGraphs,
    #[error("--format pb is binary, and stdout is a terminal")]
    GraphToTerminal,
    #[error("--progress-fd and --progress-file are for progress that programs read")]
    ProgressForPeople,
    #[error("--progress-fd is not supported on Windows")]
    ProgressDescriptor,
    #[error("cannot write progress to {place}: {source}")]
    ProgressPlace { place: String, source: io::Error },
    #[error("cannot open {} for --trace: {source}", .path.display())]
    TraceFile { path: PathBuf, source: io::Error },
    #[error("this command is started by BuildKit, not by hand: {0}")]
    FrontendByHand(String),
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

/// buildx's message for an SSH agent of `ID` or `ID=PATH,PATH`.
fn agent(text: &str, reason: &str) -> String {
    let (id, paths) = text.split_once('=').unwrap_or((text, ""));
    let paths = paths.replace(',', " ");
    format!("failed to convert agent config {{{id} [{paths}] false}}: {reason}")
}

impl Advised for BuildUsage {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::LockUnreadable { path, source } => return missing_lock(path, source),
            Self::Place { flag, .. } => format!("{flag} takes the path of a file"),
            Self::LockInvalid { path, .. } => {
                format!("make it anew: solvekit lock --update -o {}", path.display())
            }
            Self::NotInLock { known, .. } => format!("it has {}", known.join(", ")),
            Self::SecretUnreadable { id, by_id, .. } => secret(id, *by_id),
            fixed => fixed.fixed().to_owned(),
        })
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
            Self::ContextWithoutName(text) => {
                format!("invalid context value: {text}, expected key=value")
            }
            Self::Secret(problem) => problem.in_buildx()?,
            Self::SecretUnreadable {
                missing: Some(path),
                ..
            } => format!("failed to stat {path}: stat {path}: no such file or directory"),
            Self::Agent { text, reason } => agent(text, reason),
            Self::NoAgent(text) => agent(
                text,
                "invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set",
            ),
            Self::TwoKindsOfNoCache => {
                "--no-cache and --no-cache-filter cannot currently be used together".to_owned()
            }
            Self::Policy(text, _) => format!("invalid value {text}"),
            Self::SourcePolicy { path, .. } if !path.exists() => {
                let path = path.display();
                format!("failed to read policy file: open {path}: no such file or directory")
            }
            _ => return None,
        })
    }

    fn stands_alone(&self) -> bool {
        match self {
            Self::Secret(problem) => !matches!(problem, SecretProblem::NoId),
            Self::ContextWithoutName(_) | Self::Policy(..) => true,
            Self::SourcePolicy { path, .. } => !path.exists(),
            _ => false,
        }
    }
}

impl BuildUsage {
    /// The hints that do not depend on a variant's fields.
    fn fixed(&self) -> &'static str {
        match self {
            Self::ContextFromTerminal => {
                "pipe a tar archive or a Dockerfile into it, for example: solvekit build - < \
                 Dockerfile"
            }
            Self::ContextWithoutName(_) => {
                "write NAME=CONTEXT, for example --build-context alpine=docker-image://alpine:3.20 \
                 or \
                 --build-context data=./data"
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
            Self::ArchiveToTerminal => {
                "redirect it with > file.tar or a pipe, or name a file: --output type=tar,dest=FILE"
            }
            Self::IdOfFiles => {
                "leave out --iidfile, or add an output that makes an image: --output type=image"
            }
            Self::ResultFile { .. } => {
                "the work itself has succeeded; do it again with a path that can be written"
            }
            Self::NoEngineToLoad(_) => {
                "name one (DOCKER_HOST, docker context use), or write the image to a file: \
                 --output type=docker,dest=image.tar"
            }
            Self::SeveralEngines => {
                "load into one, and into the others with docker save and docker load"
            }
            Self::SecretVariable { .. } => "export it, or name a file: --secret id=ID,src=FILE",
            Self::Secret(_) => {
                "a secret is id=ID, then src=FILE or env=NAME, for example \
                 --secret id=npm,src=$HOME/.npmrc"
            }
            Self::AgentTwice { .. } => {
                "several keys of one id go into one flag: --ssh default=KEY,KEY"
            }
            Self::SocketAmongKeys { .. } => "an id is one socket, or one or more key files",
            Self::Agent { .. } => {
                "--ssh default uses the agent of SSH_AUTH_SOCK, --ssh ID=SOCKET another one, \
                 --ssh ID=KEY[,KEY] key files"
            }
            Self::NoAgent(_) => {
                "start an agent (eval $(ssh-agent); ssh-add), or name its socket or a key: \
                 --ssh default=PATH"
            }
            Self::ValueFile { .. } => {
                "it is a text file: NAME=VALUE on each line for --build-arg-file, a name of the \
                 image on each line for --tag-file"
            }
            Self::ArgumentFile { .. } | Self::ArgumentWithoutName { .. } => {
                "each line is NAME=VALUE; a value with spaces, # or $ goes in single quotes"
            }
            Self::SourcePolicy { .. } => {
                "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY names it; it is JSON like {\"rules\": \
                 [{\"action\": \"DENY\", \"selector\": {\"identifier\": \
                 \"docker-image://docker.io/*\"}}]}"
            }
            Self::Policy(..) => {
                "write filename=FILE, reset=true, disabled=true, strict=true or log-level=LEVEL, \
                 separated by commas"
            }
            Self::SeveralGraphs => "run it once for each platform",
            Self::GraphToTerminal => {
                "send it on: solvekit llb --format pb . | buildctl build --local context=."
            }
            Self::ProgressForPeople => {
                "add --progress=jsonl or --progress=rawjson; text goes to stderr"
            }
            Self::TraceFile { .. } => "name a file that can be written, in a folder that exists",
            Self::ProgressDescriptor => "name a file with --progress-file",
            Self::ProgressPlace { .. } => {
                "the shell opens one with 3>FILE or 3>&1, then --progress-fd 3"
            }
            Self::FrontendByHand(_) => {
                "make an image of it (make frontend-image), and name that in the Dockerfile: \
                 # syntax=registry/solvekit/frontend"
            }
            Self::LockUnreadable { .. }
            | Self::Place { .. }
            | Self::LockInvalid { .. }
            | Self::NotInLock { .. }
            | Self::SecretUnreadable { .. } => "",
        }
    }
}

fn missing_lock(path: &Path, error: &io::Error) -> Option<String> {
    let is_missing = error.kind() == io::ErrorKind::NotFound;
    is_missing.then(|| format!("make it: solvekit lock -o {}", path.display()))
}

fn secret(id: &str, by_id: bool) -> String {
    let looked = match by_id {
        true => format!("the variable {id} is not set, and so the file was looked for; "),
        false => String::new(),
    };
    looked + "--secret id=ID,src=FILE reads a file, --secret id=ID,env=NAME a variable"
}
