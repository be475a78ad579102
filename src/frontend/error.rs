//! Errors of building a Dockerfile.

mod failure;
mod located;

use super::missing_source::MissingSource;
use super::{AttributeProblem, ScannerProblem};
use crate::client;
use crate::dockerfile::{Finding, Span};
use crate::emulation::Reason;
use crate::gateway;
use crate::oci::Platform;
use crate::progress::{SourceRange, Warning};
use crate::translate::AttributeError;

/// Why building a Dockerfile failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An attribute is invalid.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// The Dockerfile has a syntax error.
    #[error(transparent)]
    Syntax(Box<SyntaxFailure>),
    /// A platform's graph could not be created: an unknown stage, a missing base image.
    #[error(transparent)]
    Translate(Box<TranslateFailure>),
    /// A step was refused: it needs an entitlement or emulation that the build does not have.
    #[error(transparent)]
    Refused(Box<RefusedStep>),
    /// A step, or the called frontend in the daemon, failed.
    #[error(transparent)]
    Solve(Box<SolveFailure>),
    /// A question was asked about a Dockerfile that another frontend builds.
    #[error(
        "the Dockerfile is built by the frontend {frontend:?}, which answers no such question here"
    )]
    CallElsewhere {
        /// The frontend's name.
        frontend: String,
    },
    /// The daemon could not fetch the context: a git repository, a download.
    #[error("cannot fetch the build context {url}")]
    Context {
        /// Its URL, without a password.
        url: String,
        /// The daemon's error.
        source: gateway::Error,
    },
    /// The Dockerfile could not be read through the daemon.
    #[error("cannot read the Dockerfile {filename:?}")]
    Dockerfile {
        /// Its path in the context or in the client's folder.
        filename: String,
        /// The daemon's error.
        source: gateway::Error,
    },
    /// An attribute of a build inside the daemon is invalid, for example a context.
    #[error("the attribute {name} cannot be used: {reason}")]
    InvalidAttribute {
        /// The attribute.
        name: String,
        /// The reason.
        reason: AttributeProblem,
    },
    /// A frontend in the daemon creates a context, so its graph is not known here.
    #[error(
        "{dockerfile} cannot be linked to: it asks for the frontend {frontend}, which runs in the \
         daemon; remove its # syntax= line, or build and push it first and name the image"
    )]
    LinkedElsewhere {
        /// The path of the Dockerfile.
        dockerfile: String,
        /// The frontend.
        frontend: String,
    },
    /// A frontend in the daemon looks base images up by itself, so a lock does not bind it.
    #[error(
        "the lock cannot be kept: the frontend {frontend} runs in the daemon, and chooses base \
         images itself"
    )]
    LockElsewhere {
        /// The frontend.
        frontend: String,
    },
    /// A graph has more commands than a dry run can ask about.
    #[error("a dry run can ask about 100 commands of a platform, and this build has {commands}")]
    TooManyCommands {
        /// The number of its commands.
        commands: usize,
    },
    /// The graph of a dry run is invalid.
    #[error("cannot make the graph of a dry run")]
    DryRunGraph {
        /// The problem with the graph.
        source: crate::llb::Error,
    },
    /// The image that generates the SBOM is not usable.
    #[error("cannot make the SBOM with the image {generator}: {reason}")]
    Scanner {
        /// The image.
        generator: String,
        /// The reason.
        reason: ScannerProblem,
    },
    /// The client requires a capability that the frontend lacks.
    #[error("unsupported frontend capability {name}")]
    FrontendCapability {
        /// The capability, as in `frontend.caps`.
        name: String,
    },
    /// The client asked a question that the frontend does not support.
    #[error("unsupported request {id}")]
    UnknownRequest {
        /// The value of the attribute `requestid`.
        id: String,
    },
    /// A [`Hook`](super::Hook) refused a platform's graph.
    #[error("the graph of {platform} is refused")]
    Hook {
        /// The platform.
        platform: Box<Platform>,
        /// The hook's reason.
        source: super::HookError,
    },
    /// A call to the daemon failed.
    #[error(transparent)]
    Gateway(#[from] gateway::Error),
}

/// A Dockerfile with a syntax error.
#[derive(Debug, thiserror::Error)]
#[error("{}{message}", place(file, *line))]
pub struct SyntaxFailure {
    /// The Dockerfile's path as given.
    pub file: String,
    /// The first line of the error, from 1; 0 for none.
    pub line: u32,
    /// The mistake, and the expected form.
    pub message: String,
    /// The source lines with marks, ready to print.
    pub excerpt: String,
    /// The same for the daemon.
    pub(super) detail: client::SourceDetail,
    /// The message of BuildKit's own frontend, which scripts search for.
    pub reference: String,
    /// The lint findings before the error.
    pub(super) findings: Vec<Finding>,
}

impl SyntaxFailure {
    /// Returns the lint findings before the error as warnings of the build.
    pub fn warnings(&self) -> Vec<Warning> {
        let warning = |finding: &Finding| Warning {
            level: 1,
            short: warning_line(finding).into(),
            detail: vec![finding.detail().into()],
            url: finding.url().to_owned(),
            source: Some(self.detail.info.clone()),
            ranges: vec![lines(finding.span)],
            ..Warning::default()
        };
        self.findings.iter().map(warning).collect()
    }
}

/// Formats a finding in one line, as the reference does.
pub(super) fn warning_line(finding: &Finding) -> String {
    format!(
        "{}: {} (line {})",
        finding.rule.name(),
        finding.message,
        finding.span.first
    )
}

fn lines(span: Span) -> SourceRange {
    let line = |line: u32| i32::try_from(line).unwrap_or(i32::MAX);
    SourceRange::lines(line(span.first), line(span.last))
}

/// A Dockerfile whose graph could not be created for a platform.
#[derive(Debug, thiserror::Error)]
#[error("{}{}{message}", place(file, *line), for_platform(platform.as_ref()))]
pub struct TranslateFailure {
    /// The platform; `None` if the build has only one.
    pub platform: Option<Platform>,
    /// The platform whose graph could not be created, if it is known.
    pub built_for: Option<Platform>,
    /// The Dockerfile's path as given.
    pub file: String,
    /// The line, from 1; 0 for none.
    pub line: u32,
    /// The mistake, and the expected form.
    pub message: String,
    /// The source lines with marks, ready to print.
    pub excerpt: String,
    /// The message of BuildKit's own frontend, if scripts search for it.
    pub reference: Option<String>,
    /// The same for the daemon.
    pub(super) detail: client::SourceDetail,
}

impl TranslateFailure {
    /// Returns the lines of the mistake.
    pub fn lines(&self) -> &client::SourceDetail {
        &self.detail
    }
}

/// A refused step.
#[derive(Debug, thiserror::Error)]
#[error("{}{reason}", place(file, *line))]
pub struct RefusedStep {
    /// The reason.
    pub reason: Refusal,
    /// The platform whose graph has the step, if it is known.
    pub built_for: Option<Platform>,
    /// The Dockerfile's path as given.
    pub file: String,
    /// The step's line, from 1; 0 for none.
    pub line: u32,
    /// The source lines with marks, ready to print.
    pub excerpt: String,
    /// The same for the daemon.
    pub(super) detail: Option<client::SourceDetail>,
}

impl RefusedStep {
    /// Returns the lines of the step, if they are known.
    pub fn lines(&self) -> Option<&client::SourceDetail> {
        self.detail.as_ref()
    }
}

/// Why a step was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The step needs an entitlement that the build does not have.
    #[error("this step needs the entitlement {entitlement}, which the build was not given")]
    Entitlement {
        /// The entitlement's name for `--allow` and the daemon.
        entitlement: &'static str,
    },
    /// The step would be emulated, but the build must be native.
    #[error(
        "this step runs on {platform}, which the daemon emulates: it is a machine for {native}"
    )]
    Emulated {
        /// The step's platform.
        platform: Box<Platform>,
        /// The daemon's own platform.
        native: Box<Platform>,
    },
    /// The daemon cannot run programs of the step's platform.
    #[error("this step runs on {platform}, whose programs the daemon cannot run: {reason}")]
    CannotRun {
        /// The step's platform.
        platform: Box<Platform>,
        /// The reason.
        reason: Reason,
    },
    /// The source of a copy does not exist.
    #[error(transparent)]
    MissingSource(MissingSource),
}

/// A step that failed in the daemon.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}{}{message}",
    for_platform(platform.as_ref()),
    explanation.as_ref().map(|cause| format!("{cause}: ")).unwrap_or_default()
)]
pub struct SolveFailure {
    /// The platform; `None` if the build has only one.
    pub platform: Option<Platform>,
    /// The platform whose graph failed, if it is known.
    pub built_for: Option<Platform>,
    /// The daemon's message.
    pub message: String,
    /// The exit code, if the step's process failed.
    pub exit_code: Option<i32>,
    /// The Dockerfile lines of the step, if the daemon sends them.
    pub lines: Option<client::SourceDetail>,
    /// `file:line` and those lines with marks; empty if the daemon does not send them.
    pub excerpt: String,
    /// The reason why a source of COPY was not found: an ignore rule, or it does not exist. A
    /// frontend in the daemon does not see the files, so it leaves this empty.
    pub explanation: Option<MissingSource>,
    /// The daemon's error.
    pub source: gateway::Error,
}

fn for_platform(platform: Option<&Platform>) -> String {
    platform.map_or_else(String::new, |platform| format!("[{platform}] "))
}

pub(super) fn place(file: &str, line: u32) -> String {
    match line {
        0 => format!("{file}: "),
        _ => format!("{file}:{line}: "),
    }
}
