//! `frontend.lint`: the lint findings, and errors.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::super::error::place;
use super::super::{Source, SyntaxFailure, reference_words};
use super::{Answer, CheckFailure, to_json};
use crate::causes;
use crate::client::SourceDetail;
use crate::dockerfile::{Finding, Span, Wording};
use crate::translate;

const VERSION: &str = "1.0.0";

/// The reference's `LintResults`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Results {
    /// `null` if there is none, as in the reference.
    warnings: Option<Vec<Warning>>,
    #[serde(skip_deserializing)]
    sources: Vec<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_error: Option<BuildError>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Warning {
    rule_name: String,
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    url: String,
    detail: String,
    #[serde(skip_deserializing)]
    location: Location,
}

#[derive(Debug, Default, Serialize)]
struct File {
    filename: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    data: String,
    language: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct BuildError {
    message: String,
    #[serde(skip_deserializing)]
    location: Location,
}

/// A location in the first file.
#[derive(Debug, Default, Serialize)]
struct Location {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ranges: Vec<Range>,
}

#[derive(Debug, Serialize)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Debug, Serialize)]
struct Position {
    line: i32,
}

/// Returns the findings up to the end, or up to an error.
pub(in super::super) fn check(
    source: &Source,
    findings: &[Finding],
    error: Option<(&translate::Error, Wording)>,
) -> Answer {
    let mistake = error.map(|(error, wording)| Mistake {
        message: causes::in_one_line(error),
        reference: reference_words::of_translation(&error.reason),
        wording,
        line: error.spans.first().map_or(0, |span| span.first),
        lines: source.detail(&error.spans),
        excerpt: source.excerpt(&error.spans),
    });
    answer(source, findings, mistake)
}

/// The same for a Dockerfile with a syntax error.
pub(in super::super) fn check_syntax(
    source: &Source,
    failure: &SyntaxFailure,
    wording: Wording,
) -> Answer {
    let mistake = Mistake {
        message: failure.message.clone(),
        reference: Some(failure.reference.clone()),
        wording,
        line: failure.line,
        lines: failure.detail.clone(),
        excerpt: failure.excerpt.clone(),
    };
    answer(source, &failure.findings, Some(mistake))
}

/// Returns the number of findings in a check's JSON, and the error, if any.
pub(super) fn summary(json: &str) -> (usize, Option<CheckFailure>) {
    match serde_json::from_str::<Results>(json) {
        Ok(results) => (
            results.warnings.map_or(0, |warnings| warnings.len()),
            results.build_error.map(|error| CheckFailure {
                message: error.message,
                reference: None,
                excerpt: String::new(),
            }),
        ),
        Err(_) => (0, None),
    }
}

struct Mistake {
    message: String,
    /// The same in the words of BuildKit's own frontend.
    reference: Option<String>,
    /// The wording of the JSON.
    wording: Wording,
    line: u32,
    lines: SourceDetail,
    excerpt: String,
}

impl Mistake {
    fn in_json(&self) -> &str {
        match (self.wording, &self.reference) {
            (Wording::BuildKit, Some(reference)) => reference,
            _ => &self.message,
        }
    }
}

fn answer(source: &Source, findings: &[Finding], mistake: Option<Mistake>) -> Answer {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.span.first);
    let warnings: Vec<Warning> = sorted.iter().map(|finding| warning(finding)).collect();
    let results = Results {
        warnings: Some(warnings).filter(|warnings| !warnings.is_empty()),
        sources: vec![File {
            filename: source.file.filename.clone(),
            data: BASE64.encode(source.text()),
            language: source.file.language.clone(),
        }],
        build_error: mistake.as_ref().map(|mistake| BuildError {
            message: mistake.in_json().to_owned(),
            location: Location {
                ranges: mistake
                    .lines
                    .ranges
                    .iter()
                    .map(|range| range_of(range.start.line, range.end.line))
                    .collect(),
            },
        }),
    };
    Answer {
        json: to_json(&results),
        text: sorted
            .iter()
            .map(|finding| shown(source, finding))
            .collect(),
        status: u8::from(!findings.is_empty() || mistake.is_some()),
        version: VERSION.to_owned(),
        findings: findings.len(),
        failure: mistake.map(|mistake| CheckFailure {
            message: format!("{}{}", place(&source.path, mistake.line), mistake.message),
            reference: mistake.reference,
            excerpt: mistake.excerpt,
        }),
    }
}

fn warning(finding: &Finding) -> Warning {
    Warning {
        rule_name: finding.rule.name().to_owned(),
        description: finding.detail().to_owned(),
        url: finding.url().to_owned(),
        detail: finding.message.clone(),
        location: Location {
            ranges: ranges(finding.span),
        },
    }
}

fn ranges(span: Span) -> Vec<Range> {
    let line = |line: u32| i32::try_from(line).unwrap_or(i32::MAX);
    span.ranges()
        .map(|range| range_of(line(range.start.line), line(range.end.line)))
        .collect()
}

fn range_of(start: i32, end: i32) -> Range {
    let position = |line| Position { line };
    Range {
        start: position(start),
        end: position(end),
    }
}

/// Formats a finding in full: the rule, the problem, the reason, the fix, the lines. BuildKit shows
/// neither reason nor fix.
fn shown(source: &Source, finding: &Finding) -> String {
    let rule = finding.rule;
    let mut text = format!("\nWARNING: {}", rule.name());
    if !finding.url().is_empty() {
        let _ = write!(text, " - {}", finding.url());
    }
    let _ = writeln!(text, "\n{}", finding.message);
    if finding.wording == Wording::Own {
        let _ = writeln!(text, "Why: {}", rule.reason());
        let _ = writeln!(text, "Fix: {}", rule.remedy());
    }
    text.push_str(&source.excerpt(&[finding.span]));
    text
}
