//! Markdown, as GitHub renders it in `$GITHUB_STEP_SUMMARY`.

use std::fmt::Write as _;

use super::text::{duration, escaped};
use super::{BuildReport, FailureReport, Status, layers, text};
use crate::progress::{FailedStep, StepState, TimelineStep};
use crate::text::{lines, one_line};

/// The most steps in the list of the slowest ones.
const SLOWEST: usize = 10;
/// The number of an image's largest layers that are listed.
const LARGEST: usize = 10;
/// The most lines of a failed step's output: GitHub accepts 1 MiB for a whole job.
const LOG_LINES: usize = 100;
/// The most warnings in the list.
const WARNINGS: usize = 50;
/// The most sources that are listed.
const SOURCES: usize = 50;

pub(super) fn render(report: &BuildReport) -> String {
    let mut out = String::new();
    let mark = match report.status {
        Status::Succeeded => "✅",
        Status::Failed => "❌",
        Status::Cancelled => "⏹️",
    };
    let status = text::status(report.status);
    let _ = writeln!(out, "## {mark} {} {status}\n", cell(&report.title));
    facts(&mut out, report);
    if let Some(failure) = &report.failure {
        failed(&mut out, failure);
    }
    slowest(&mut out, report);
    layers(&mut out, report);
    warnings(&mut out, report);
    origin(&mut out, report);
    out
}

fn facts(out: &mut String, report: &BuildReport) {
    let steps = &report.timeline.steps;
    let cached = steps.iter().filter(|step| step.state == StepState::Cached);
    out.push_str("| | |\n|---|---|\n");
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(out, "| {name} | {value} |");
        }
    };
    fact("Time", duration(report.timeline.took));
    fact(
        "Steps",
        format!("{}, {} cached", steps.len(), cached.count()),
    );
    fact("Platforms", cell(&report.platforms.join(", ")));
    let names = report.names.iter().map(|name| code(name));
    fact("Image", names.collect::<Vec<_>>().join(" "));
    fact(
        "Digest",
        report.digest.as_deref().map(code).unwrap_or_default(),
    );
    let refs = report.build_refs.iter().map(|name| code(name));
    fact("Build", refs.collect::<Vec<_>>().join(" "));
    out.push('\n');
}

fn failed(out: &mut String, failure: &FailureReport) {
    let _ = writeln!(out, "### Why it failed\n\n{}\n", cell(&failure.message));
    fenced(out, &failure.excerpt);
    for step in &failure.steps {
        let _ = writeln!(out, "{}\n", code(&step.name));
        fenced(out, &log(step));
    }
}

fn log(step: &FailedStep) -> String {
    let lines = &step.log[step.log.len().saturating_sub(LOG_LINES)..];
    match lines.is_empty() {
        true => step.error.clone(),
        false => lines.join("\n"),
    }
}

fn slowest(out: &mut String, report: &BuildReport) {
    let critical = report.critical_path();
    let mut steps: Vec<&TimelineStep> = report.timeline.steps.iter().collect();
    steps.sort_by_key(|step| std::cmp::Reverse(step.worked()));
    steps.truncate(SLOWEST);
    if steps.is_empty() {
        return;
    }
    out.push_str("### Slowest steps\n\n| Step | Time | |\n|---|--:|---|\n");
    for step in steps {
        let is_critical = critical.iter().any(|it| it.digest == step.digest);
        let note = match (step.state, is_critical) {
            (StepState::Done, true) => "critical path",
            (StepState::Done, false) => "",
            (state, _) => text::state(state),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {note} |",
            code(&step.name),
            duration(step.worked())
        );
    }
    out.push('\n');
}

/// The largest layers of each image, largest first.
fn layers(out: &mut String, report: &BuildReport) {
    let size = crate::progress::size;
    for placed in layers::of(report) {
        if placed.image.layers.is_empty() {
            continue;
        }
        let name = placed.image.name();
        let _ = writeln!(out, "### Layers {}\n", cell(&name));
        let _ = writeln!(out, "| Step | Size, {} |\n|---|--:|", placed.image.sizes());
        let mut row = |name: &str, bytes: u64| {
            let _ = writeln!(out, "| {name} | {} |", size(bytes));
        };
        if placed.base > 0 {
            row(&text::base(placed.base), placed.base_size());
        }
        let mut own: Vec<_> = placed.own().collect();
        own.sort_by_key(|(_, layer)| std::cmp::Reverse(layer.size));
        for (name, layer) in own.iter().take(LARGEST) {
            row(&code(&text::instruction(name)), layer.size);
        }
        if let Some(rest) = own.get(LARGEST..).filter(|rest| !rest.is_empty()) {
            let bytes = rest.iter().map(|(_, layer)| layer.size);
            let bytes = bytes.fold(0, u64::saturating_add);
            row(&format!("{} more", rest.len()), bytes);
        }
        row("**all**", placed.image.size());
        out.push('\n');
    }
}

/// The provenance and the sources, collapsed, because few read them.
fn origin(out: &mut String, report: &BuildReport) {
    if report.provenance.is_empty() && report.sources.is_empty() {
        return;
    }
    out.push_str("<details><summary>Provenance</summary>\n\n");
    for provenance in &report.provenance {
        let lines = text::provenance(provenance);
        let lines: Vec<String> = lines.lines().map(code).collect();
        let _ = writeln!(out, "- {}", lines.join("<br>"));
    }
    for source in report.sources.iter().take(SOURCES) {
        let _ = writeln!(out, "- from {} {}", code(&source.uri), code(&source.digest));
    }
    let more = report.sources.len().saturating_sub(SOURCES);
    if more > 0 {
        let _ = writeln!(out, "- and {more} more");
    }
    out.push_str("\n</details>\n");
}

fn warnings(out: &mut String, report: &BuildReport) {
    if report.warnings.is_empty() {
        return;
    }
    out.push_str("### Warnings\n\n");
    for warning in report.warnings.iter().take(WARNINGS) {
        let place = text::place(warning);
        let place = place.map(|(file, line)| format!("{}: ", code(&format!("{file}:{line}"))));
        let _ = writeln!(
            out,
            "- {}{}",
            place.unwrap_or_default(),
            cell(&text::short(warning))
        );
    }
    let more = report.warnings.len().saturating_sub(WARNINGS);
    if more > 0 {
        let _ = writeln!(out, "- and {more} more");
    }
    out.push('\n');
}

/// Escapes text for a line or a table cell.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in escaped(&one_line(text)).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '@') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Formats code for a line or a cell. HTML protects characters that Markdown cannot escape.
fn code(text: &str) -> String {
    let text = escaped(&one_line(text));
    let mut out = String::from("<code>");
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '`' | '[' | ']' | '~' | '\\' | '@' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out + "</code>"
}

/// Formats a block of lines; the fence is longer than any fence in the text.
fn fenced(out: &mut String, text: &str) {
    if text.is_empty() {
        return;
    }
    let text = lines(text);
    let longest = text.split(|c| c != '`').map(str::len).max();
    let fence = "`".repeat(longest.unwrap_or_default().max(2) + 1);
    let _ = writeln!(out, "{fence}\n{}\n{fence}\n", text.trim_end_matches('\n'));
}
