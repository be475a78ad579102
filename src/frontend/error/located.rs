//! Creates errors with the lines of the Dockerfile and the platform that they are about.

use super::{Error, Refusal, RefusedStep, SolveFailure, SyntaxFailure, TranslateFailure};
use crate::causes;
use crate::client::{self, Failure};
use crate::dockerfile::{Finding, Span};
use crate::frontend::{Source, reference_words};
use crate::gateway;
use crate::llb::Location;
use crate::oci::Platform;

impl Error {
    /// Creates a syntax error with its lines.
    pub(in crate::frontend) fn syntax(
        source: &Source,
        error: &(dyn std::error::Error + 'static),
        span: Option<Span>,
        excerpt: String,
        findings: Vec<Finding>,
    ) -> Self {
        let line = span.map_or(0, |span| span.first);
        Self::Syntax(Box::new(SyntaxFailure {
            reference: reference_words::of_syntax(error, line),
            line,
            message: causes::in_one_line(error),
            excerpt,
            file: source.path.clone(),
            detail: source.detail(span.as_slice()),
            findings,
        }))
    }

    /// Creates a translation error with its lines.
    pub(in crate::frontend) fn translate(
        source: &Source,
        platform: Option<&Platform>,
        error: &crate::translate::Error,
    ) -> Self {
        Self::Translate(Box::new(TranslateFailure {
            platform: platform.cloned(),
            built_for: platform.cloned(),
            line: error.spans.first().map_or(0, |span| span.first),
            message: causes::in_one_line(error),
            reference: reference_words::of_translation(&error.reason),
            excerpt: source.excerpt(&error.spans),
            file: source.path.clone(),
            detail: source.detail(&error.spans),
        }))
    }

    /// Creates the error for a refused step, with its lines.
    pub(in crate::frontend) fn refused(
        source: &Source,
        reason: Refusal,
        locations: &[Location],
    ) -> Self {
        let detail = source.detail_at(locations);
        let first = detail.as_ref().and_then(|detail| detail.ranges.first());
        Self::Refused(Box::new(RefusedStep {
            reason,
            built_for: None,
            file: source.path.clone(),
            line: first.map_or(0, |range| u32::try_from(range.start.line).unwrap_or(0)),
            excerpt: detail
                .as_ref()
                .map_or_else(String::new, |lines| source.excerpt_of(lines)),
            detail,
        }))
    }

    /// Creates the error of another frontend. If it names no lines, the line that requests that
    /// frontend is used.
    pub(in crate::frontend) fn forward(
        source: &Source,
        asked: Option<Span>,
        error: gateway::Error,
    ) -> Self {
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

    /// Creates the error of the daemon, with the Dockerfile lines if it names them.
    pub(in crate::frontend) fn solve(
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
            built_for: platform.cloned(),
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

impl Error {
    /// The same with the platform whose graph failed.
    pub(in crate::frontend) fn built_for(mut self, platform: &Platform) -> Self {
        let built_for = match &mut self {
            Self::Solve(failure) => &mut failure.built_for,
            Self::Refused(step) => &mut step.built_for,
            Self::Translate(failure) => &mut failure.built_for,
            _ => return self,
        };
        *built_for = Some(platform.clone());
        self
    }
}

/// True if the connection to the daemon was lost, for which no platform is to blame.
fn is_lost(error: &gateway::Error) -> bool {
    matches!(
        error,
        gateway::Error::Client(client::Error::ConnectionLost { .. })
    )
}
