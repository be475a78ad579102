//! `solvekit bake check`: finds likely mistakes in bake files and Dockerfiles.

mod bases;
mod dockerfiles;

use serde_json::json;
use solvekit::bake::findings::findings;

use super::tools::Work;
use crate::cli::args::images::{Registries, on_own_thread};
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_json, print_text, warn};
use bases::Bases;

/// A finding in the form that is printed.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shown {
    file: String,
    line: u32,
    rule: &'static str,
    message: String,
    reason: &'static str,
}

/// Prints all findings. Fails if there are any.
pub(super) fn check(work: &Work<'_>, as_json: bool, offline: bool) -> Result<(), Failure> {
    let plan = work.plan()?;
    let in_files = findings(work.evaluation, &plan).into_iter();
    let mut shown: Vec<Shown> = in_files
        .map(|finding| Shown {
            file: finding
                .span
                .as_ref()
                .map_or_else(String::new, |span| span.file.to_string()),
            line: finding.span.map_or(0, |span| span.start.line),
            rule: finding.rule.name(),
            message: finding.message,
            reason: finding.rule.reason(),
        })
        .collect();
    let (in_dockerfiles, unanswered) = on_own_thread(|| {
        let registries = match offline {
            true => None,
            false => Some(Registries::new(work.registries, work.process)?),
        };
        let mut bases = Bases::new(registries.as_ref());
        let found = dockerfiles::dockerfiles(&plan, work.machine, &mut bases);
        let unanswered: Vec<String> = bases.unanswered().cloned().collect();
        Ok((found, unanswered))
    })?;
    for line in unanswered {
        warn(&format!("{line}; --offline asks no registry"));
    }
    shown.extend(in_dockerfiles);
    if as_json {
        print_json(&json_of(&shown))?;
    } else {
        print_text(&text_of(&shown))?;
    }
    match shown.is_empty() {
        true => Ok(()),
        false => Err(Failure::silent(1)),
    }
}

fn text_of(findings: &[Shown]) -> String {
    let mut text = String::new();
    for finding in findings {
        let Shown {
            file,
            line,
            rule,
            message,
            reason,
        } = finding;
        let place = match file.as_str() {
            "" => String::new(),
            file => format!("{file}:{line}: "),
        };
        text.push_str(&format!("{place}{rule}: {message}\n    {reason}\n"));
    }
    let count = match findings.len() {
        0 => "no findings".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    text + &count + "\n"
}

fn json_of(findings: &[Shown]) -> String {
    let list: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({
                "file": finding.file,
                "line": finding.line,
                "rule": finding.rule,
                "message": finding.message,
                "reason": finding.reason,
            })
        })
        .collect();
    format!("{:#}\n", json!({ "findings": list }))
}
