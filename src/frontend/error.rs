//! Why a Dockerfile gave no result: what, where, why.

use super::Source;
use super::missing_source::MissingSource;
use crate::causes;
use crate::client::{self, Code, Detail, Failure};
use crate::dockerfile::{Finding, Span};
use crate::emulation::Reason;
use crate::gateway;
use crate::llb::Location;
use crate::oci::Platform;
use crate::progress::{SourceRange, Warning};
use crate::translate::AttributeError;

/// Why a Dockerfile gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An attribute that cannot be used.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// The Dockerfile has a mistake.
    #[error(transparent)]
    Syntax(Box<SyntaxFailure>),
    /// A platform's graph cannot be made from the Dockerfile: an unknown stage, a base image that is not there.
    #[error(transparent)]
    Translate(Box<TranslateFailure>),
    /// A step is not begun: it needs leave that the build was not given, or emulation that it must not have.
    #[error(transparent)]
    Refused(Box<RefusedStep>),
    /// A step failed, or the frontend in the daemon that was called.
    #[error(transparent)]
    Solve(Box<SolveFailure>),
    /// Another question than a build is asked of a Dockerfile that another frontend builds.
    #[error(
        "the Dockerfile is built by the frontend {frontend:?}, which answers no such question here"
    )]
    CallElsewhere {
        /// The frontend's name.
        frontend: String,
    },
    /// The daemon cannot get the context: a git repository, a download.
    #[error("cannot fetch the build context {url}")]
    Context {
        /// Its URL, without a password.
        url: String,
        /// The daemon's answer.
        source: gateway::Error,
    },
    /// The Dockerfile cannot be read through the daemon.
    #[error("cannot read the Dockerfile {filename:?}")]
    Dockerfile {
        /// Its path in the context or in the folder that the client gives.
        filename: String,
        /// The daemon's answer.
        source: gateway::Error,
    },
    /// An attribute of a build inside the daemon that cannot be used, a context for example.
    #[error("the attribute {name} cannot be used: {reason}")]
    InvalidAttribute {
        /// The attribute.
        name: String,
        /// Why.
        reason: String,
    },
    /// A context is made by a frontend in the daemon, so its graph is not known here.
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
    /// The image that is to make the SBOM cannot be used.
    #[error("cannot make the SBOM with the image {generator}: {reason}")]
    Scanner {
        /// The image.
        generator: String,
        /// Why.
        reason: String,
    },
    /// The client expects something of the frontend that it does not do.
    #[error("unsupported frontend capability {name}")]
    FrontendCapability {
        /// As `frontend.caps` names it.
        name: String,
    },
    /// The client asks a question that the frontend does not know.
    #[error("unsupported request {id}")]
    UnknownRequest {
        /// The attribute `requestid`.
        id: String,
    },
    /// A call to the daemon failed.
    #[error(transparent)]
    Gateway(#[from] gateway::Error),
}

/// A Dockerfile that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}{message}", place(file, *line))]
pub struct SyntaxFailure {
    /// The Dockerfile's path as given.
    pub file: String,
    /// The first line of the mistake; 1 is the first of the file, 0 is none.
    pub line: u32,
    /// What is wrong, what was expected.
    pub message: String,
    /// The lines around, marked; printed as they are.
    pub excerpt: String,
    /// The same for the daemon.
    pub(super) detail: client::SourceDetail,
    /// What the lint rules had found before.
    pub(super) findings: Vec<Finding>,
}

impl SyntaxFailure {
    /// What the lint rules had found before the mistake, as warnings of the build.
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

/// A finding in one line, as the reference prints it.
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

/// A Dockerfile from which a platform's graph cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("{}{}{message}", place(file, *line), for_platform(platform.as_ref()))]
pub struct TranslateFailure {
    /// The platform; `None` when the build has one platform only.
    pub platform: Option<Platform>,
    /// The Dockerfile's path as given.
    pub file: String,
    /// The line; 1 is the first of the file, 0 is none.
    pub line: u32,
    /// What is wrong, what was expected.
    pub message: String,
    /// The lines around, marked; printed as they are.
    pub excerpt: String,
    /// The same for the daemon.
    pub(super) detail: client::SourceDetail,
}

/// A step that is not begun.
#[derive(Debug, thiserror::Error)]
#[error("{}{reason}", place(file, *line))]
pub struct RefusedStep {
    /// Why.
    pub reason: Refusal,
    /// The Dockerfile's path as given.
    pub file: String,
    /// The step's line; 1 is the first of the file, 0 is none.
    pub line: u32,
    /// The lines around, marked; printed as they are.
    pub excerpt: String,
    /// The same for the daemon.
    pub(super) detail: Option<client::SourceDetail>,
}

/// Why a step is not begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It needs leave for something, and the build was not given it.
    #[error("this step needs the entitlement {entitlement}, which the build was not given")]
    Entitlement {
        /// As `--allow` and the daemon name it.
        entitlement: &'static str,
    },
    /// It would be emulated, and the build is to be native.
    #[error(
        "this step runs on {platform}, which the daemon emulates: it is a machine for {native}"
    )]
    Emulated {
        /// The step's platform.
        platform: Box<Platform>,
        /// The daemon's own.
        native: Box<Platform>,
    },
    /// The daemon cannot run programs of its platform.
    #[error("this step runs on {platform}, whose programs the daemon cannot run: {reason}")]
    CannotRun {
        /// The step's platform.
        platform: Box<Platform>,
        /// Why not.
        reason: Reason,
    },
    /// What it copies is not there.
    #[error(transparent)]
    MissingSource(MissingSource),
}

/// A step that failed on the daemon.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}{}{message}",
    for_platform(platform.as_ref()),
    explanation.as_ref().map(|cause| format!("{cause}: ")).unwrap_or_default()
)]
pub struct SolveFailure {
    /// The platform; `None` when the build has one platform only.
    pub platform: Option<Platform>,
    /// What the daemon says.
    pub message: String,
    /// The exit code of the step's process, when that is what failed.
    pub exit_code: Option<i32>,
    /// The lines of the Dockerfile that the step comes from, when the daemon says them.
    pub lines: Option<client::SourceDetail>,
    /// `file:line` and those lines, marked; empty when the daemon does not say.
    pub excerpt: String,
    /// Why a COPY source is not found: the ignore rule that hides it, or that it does not exist. A frontend in the daemon
    /// does not see the files and leaves it empty.
    pub explanation: Option<MissingSource>,
    /// The daemon's answer.
    pub source: gateway::Error,
}

impl Error {
    /// What is returned to the daemon, which keeps it in the build's history: its own failure with all details, or this
    /// one's text with the lines of the Dockerfile.
    pub fn to_failure(&self) -> Failure {
        let own = |lines: &client::SourceDetail, message: &str| {
            let failure = Failure::new(Code::Unknown, message);
            match lines.ranges.is_empty() {
                true => failure,
                false => failure.with_source(lines.clone()),
            }
        };
        let from_daemon = match self {
            Self::Syntax(failure) => return own(&failure.detail, &failure.message),
            Self::Translate(failure) => return own(&failure.detail, &failure.message),
            Self::Refused(failure) => {
                let message = failure.to_string();
                return match &failure.detail {
                    Some(lines) => own(lines, &message),
                    None => Failure::new(Code::Unknown, message),
                };
            }
            Self::Solve(failure) => match (failure.source.failure(), &failure.lines) {
                (None, Some(lines)) => return own(lines, &failure.message),
                (Some(found), Some(lines)) => return found.clone().with_source(lines.clone()),
                (found, None) => found,
            },
            Self::Gateway(error) => error.failure(),
            Self::Dockerfile { source, .. } | Self::Context { source, .. } => {
                let what = self.to_string();
                return match source.failure() {
                    Some(failure) => failure.clone().during(&what),
                    None => Failure::new(Code::Unknown, causes::in_one_line(self)),
                };
            }
            Self::FrontendCapability { name } => {
                let failure = Failure::new(Code::Unimplemented, self.to_string());
                return failure.with_detail(Detail::FrontendCap { name: name.clone() });
            }
            Self::UnknownRequest { id } => {
                let failure = Failure::new(Code::Unknown, self.to_string());
                return failure.with_detail(Detail::Subrequest { name: id.clone() });
            }
            _ => None,
        };
        from_daemon
            .cloned()
            .unwrap_or_else(|| Failure::new(Code::Unknown, causes::in_one_line(self)))
    }

    /// A mistake in the text, with its lines.
    pub(super) fn syntax(
        source: &Source,
        error: &(dyn std::error::Error + 'static),
        span: Option<Span>,
        excerpt: String,
        findings: Vec<Finding>,
    ) -> Self {
        Self::Syntax(Box::new(SyntaxFailure {
            line: span.map_or(0, |span| span.first),
            message: causes::in_one_line(error),
            excerpt,
            file: source.path.clone(),
            detail: source.detail(span.as_slice()),
            findings,
        }))
    }

    /// A translation that failed, with the lines that it is about.
    pub(super) fn translate(
        source: &Source,
        platform: Option<&Platform>,
        error: &crate::translate::Error,
    ) -> Self {
        Self::Translate(Box::new(TranslateFailure {
            platform: platform.cloned(),
            line: error.spans.first().map_or(0, |span| span.first),
            message: causes::in_one_line(error),
            excerpt: source.excerpt(&error.spans),
            file: source.path.clone(),
            detail: source.detail(&error.spans),
        }))
    }

    /// A step that is not begun, with the lines that it is made from.
    pub(super) fn refused(source: &Source, reason: Refusal, locations: &[Location]) -> Self {
        let detail = source.detail_at(locations);
        let first = detail.as_ref().and_then(|detail| detail.ranges.first());
        Self::Refused(Box::new(RefusedStep {
            reason,
            file: source.path.clone(),
            line: first.map_or(0, |range| u32::try_from(range.start.line).unwrap_or(0)),
            excerpt: detail
                .as_ref()
                .map_or_else(String::new, |lines| source.excerpt_of(lines)),
            detail,
        }))
    }

    /// A failure of another frontend, with the line that asks for that one if it names no lines itself.
    pub(super) fn forward(source: &Source, asked: Option<Span>, error: gateway::Error) -> Self {
        let mut error = Self::solve(source, None, error);
        if let (Self::Solve(failure), Some(span)) = (&mut error, asked)
            && failure.lines.is_none()
        {
            let lines = source.detail(&[span]);
            failure.excerpt = source.excerpt_of(&lines);
            failure.lines = Some(lines);
        }
        error
    }

    /// A failure of the daemon's, with the lines of the Dockerfile if it names them.
    pub(super) fn solve(
        source: &Source,
        platform: Option<&Platform>,
        error: gateway::Error,
    ) -> Self {
        if is_lost(&error) {
            return error.into();
        }
        let failure = error.failure();
        let lines = match &error {
            gateway::Error::MissingCapability(missing) => source.detail_at(&missing.locations),
            _ => failure.and_then(Failure::source).cloned(),
        };
        let excerpt = lines.as_ref().map(|lines| source.excerpt_of(lines));
        Self::Solve(Box::new(SolveFailure {
            platform: platform.cloned(),
            message: failure.map_or_else(
                || causes::in_one_line(&error),
                |failure| failure.message.clone(),
            ),
            exit_code: failure.and_then(Failure::exit_code),
            lines,
            excerpt: excerpt.unwrap_or_default(),
            explanation: None,
            source: error,
        }))
    }
}

/// The daemon went away: no platform is to blame.
fn is_lost(error: &gateway::Error) -> bool {
    matches!(
        error,
        gateway::Error::Client(client::Error::ConnectionLost { .. })
    )
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
