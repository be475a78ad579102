//! Text formats that all reports share.

use std::time::Duration;

use super::{ProvenanceReport, Status};
use crate::progress::{StepState, Warning};
use crate::text::{lines, one_line};

/// `0.4s`, `12.3s`, `3m 05s`, `2h 04m`.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1}s", time.as_secs_f64()),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

pub(super) fn state(state: StepState) -> &'static str {
    match state {
        StepState::Pending => "pending",
        StepState::Running => "running",
        StepState::Done => "done",
        StepState::Cached => "cached",
        StepState::Canceled => "cancelled",
        StepState::Failed => "failed",
    }
}

pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "succeeded",
        Status::Failed => "failed",
        Status::Cancelled => "cancelled",
    }
}

/// The message of the warning, in one line.
pub(super) fn short(warning: &Warning) -> String {
    String::from_utf8_lossy(&warning.short).into_owned()
}

/// The file and the line of a warning.
pub(super) fn place(warning: &Warning) -> Option<(&str, i32)> {
    let file = warning.source.as_ref().map(|source| &*source.filename);
    let line = warning.ranges.first().map(|range| range.start.line);
    file.zip(line)
}

/// The row of a base image.
pub(super) fn base(layers: usize) -> String {
    match layers {
        1 => "base image, 1 layer".to_owned(),
        layers => format!("base image, {layers} layers"),
    }
}

/// The instruction that made a layer, without BuildKit's suffix in an image's history.
pub(super) fn instruction(text: &str) -> String {
    let text = one_line(text);
    let text = text.trim_end();
    text.strip_suffix("# buildkit")
        .unwrap_or(text)
        .trim_end()
        .to_owned()
}

/// A summary of the provenance, in lines.
pub(super) fn provenance(provenance: &ProvenanceReport) -> String {
    let first = [
        &*provenance.platform,
        &provenance.predicate_type,
        &provenance.digest,
    ];
    let first: Vec<&str> = first.into_iter().filter(|it| !it.is_empty()).collect();
    let mut lines = vec![first.join(" ")];
    for (name, value) in [
        ("builder", &provenance.builder),
        ("build type", &provenance.build_type),
        ("invocation", &provenance.invocation),
    ] {
        if !value.is_empty() {
            lines.push(format!("{name} {value}"));
        }
    }
    lines.join("\n")
}

/// Escapes text for HTML and XML, in elements and in quoted attributes. Removes control characters,
/// which XML does not allow, and characters that change the direction of text.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in lines(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}
