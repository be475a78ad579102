//! Failures in the terms of the person who gets them: the platform, the lines of the Dockerfile, what hides a file.

use std::sync::Arc;

use super::context::Inputs;
use super::error::{SolveFailure, TranslateFailure};
use super::pipeline::Build;
use super::{Error, missing_source};
use crate::client::{self, SolveResponse};
use crate::dockerfile::{self, Dockerfile, Finding, LintConfig, Linter, Span};
use crate::gateway;
use crate::llb::{self, Location, SourceFile};
use crate::oci::{Platform, Reference};
use crate::progress::{SourceExcerpt, SourceInfo, SourceRange};
use crate::translate;

/// The parsed Dockerfile and what the lint rules find in its text; a mistake comes with its lines.
pub(super) fn parse(inputs: &Inputs) -> Result<(Dockerfile, Vec<Finding>), Error> {
    let file = inputs.dockerfile.display().to_string();
    let config = LintConfig::of_dockerfile(&inputs.text).map_err(|error| Error::Syntax {
        line: 1,
        message: message(&error),
        excerpt: String::new(),
        file: file.clone(),
    })?;
    let mut linter = Linter::new(config);
    let parsed = dockerfile::parse_and_lint(&inputs.text, &mut linter);
    let dockerfile = parsed.map_err(|error| Error::Syntax {
        line: error.shown_span().map_or(0, |span| span.first),
        message: message(&error),
        excerpt: dockerfile::render_error(&file, &inputs.text, &error),
        file,
    })?;
    match &dockerfile.directives.syntax {
        Some(frontend) if !is_dockerfile_frontend(frontend) => Err(Error::Frontend {
            frontend: frontend.clone(),
        }),
        _ => Ok((dockerfile, linter.into_findings())),
    }
}

/// Docker's own Dockerfile frontend, in any version: what is translated here.
fn is_dockerfile_frontend(syntax: &str) -> bool {
    let image = syntax.split_whitespace().next().unwrap_or_default();
    Reference::parse(image).is_ok_and(|reference| {
        reference.domain() == "docker.io"
            && matches!(
                reference.path(),
                "docker/dockerfile" | "docker/dockerfile-upstream"
            )
    })
}

/// A translation that failed, with the lines that it is about.
pub(super) fn translation(
    build: &Build<'_>,
    platform: Option<&Platform>,
    error: &translate::Error,
) -> Error {
    let file = build.inputs.dockerfile.display().to_string();
    Error::Translate(Box::new(TranslateFailure {
        platform: build.targets.label(platform).cloned(),
        line: error.spans.first().map_or(0, |span| span.first),
        message: message(error),
        excerpt: excerpt(build.inputs, &file, &error.spans),
        file,
    }))
}

/// A step that failed while a platform was solved.
pub(super) fn solve(
    build: &Build<'_>,
    platform: Option<&Platform>,
    error: gateway::Error,
) -> Error {
    let failure = error.failure();
    let excerpt = failure
        .and_then(client::Failure::source)
        .map(|source| SourceExcerpt {
            file: SourceInfo {
                filename: build.inputs.dockerfile.display().to_string(),
                ..source.info.clone()
            },
            ranges: source.ranges.clone(),
        });
    Error::Solve(Box::new(SolveFailure {
        platform: build.targets.label(platform).cloned(),
        message: failure.map_or_else(|| message(&error), |failure| failure.message.clone()),
        exit_code: failure.and_then(client::Failure::exit_code),
        explanation: failure
            .and_then(|failure| missing_source::explain(build.inputs, failure, excerpt.as_ref())),
        excerpt: excerpt.map(|excerpt| excerpt.render()).unwrap_or_default(),
        source: error,
    }))
}

/// The build's own call ended before the result was handed over.
pub(super) fn ended_early(ended: Result<SolveResponse, client::Error>) -> Error {
    match ended {
        Err(error) => Error::Client(error),
        Ok(_) => Error::Client(client::Error::InvalidAnswer {
            call: "the build",
            reason: "it ended before it had a result".to_owned(),
        }),
    }
}

/// Everything is built, and the daemon could not export it.
pub(super) fn export_failed(error: client::Error) -> Error {
    Error::Export {
        source: Box::new(error),
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

/// The lines of a finding in the Dockerfile.
pub(super) fn location(build: &Build<'_>, span: Span) -> Location {
    let position = |line: u32| llb::Position {
        line: i32::try_from(line).unwrap_or(i32::MAX),
        character: 0,
    };
    Location {
        file: Arc::new(SourceFile {
            filename: build.inputs.file_name(),
            language: "Dockerfile".to_owned(),
            data: build.inputs.text.clone(),
            definition: None,
        }),
        ranges: Arc::from([llb::Range {
            start: position(span.first),
            end: position(span.last),
        }]),
    }
}

fn excerpt(inputs: &Inputs, file: &str, spans: &[Span]) -> String {
    let line = |line: u32| i32::try_from(line).unwrap_or(i32::MAX);
    SourceExcerpt {
        file: SourceInfo {
            filename: file.to_owned(),
            data: inputs.text.clone().into(),
            language: "Dockerfile".to_owned(),
            ..SourceInfo::default()
        },
        ranges: spans
            .iter()
            .map(|span| SourceRange::lines(line(span.first), line(span.last)))
            .collect(),
    }
    .render()
}

/// The error and its causes in one line; a cause that the text has already is not repeated.
fn message(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
