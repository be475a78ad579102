//! `solvekit bake check`: what is probably not meant in bake files and Dockerfiles.

use std::collections::BTreeSet;

use serde_json::json;
use solvekit::bake::findings::findings;
use solvekit::bake::target::Target;
use solvekit::bake::{Plan, filepath, print, remote};
use solvekit::dockerfile::{LintConfig, Linter, Rule, parse_and_lint};
use solvekit::oci::{Digest, Platform};
use solvekit::translate::{self, Options, Outcome, ResolvedImage, ResolvedImages};

use super::files::read_only_here;
use super::tools::Work;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_json, print_text};

/// How often a translation may ask for further images.
const MAX_ROUNDS: usize = 50;
/// Stands for base images, which are not looked up.
const BASE: &[u8] = br#"{"architecture":"amd64","os":"linux","config":{},
"rootfs":{"type":"layers","diff_ids":[]}}"#;
/// Rules whose answer depends on the base image.
const ABOUT_BASES: [Rule; 3] = [
    Rule::UndefinedVar,
    Rule::WorkdirRelativePath,
    Rule::InvalidBaseImagePlatform,
];

/// A finding, as it is shown.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shown {
    file: String,
    line: u32,
    rule: &'static str,
    message: String,
    reason: &'static str,
}

/// Prints all findings. There being any is a failure.
pub(super) fn check(work: &Work<'_>, as_json: bool) -> Result<(), Failure> {
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
    shown.extend(dockerfiles(&plan));
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

/// What the lint rules find in the Dockerfiles of all targets, each finding once.
fn dockerfiles(plan: &Plan) -> BTreeSet<Shown> {
    let mut shown = BTreeSet::new();
    for (name, target) in &plan.targets {
        let Some((file, source)) = dockerfile(name, target) else {
            continue;
        };
        let mut add = |line, rule, message, reason| {
            shown.insert(Shown {
                file: file.clone(),
                line,
                rule,
                message,
                reason,
            });
        };
        let mut linter = Linter::new(LintConfig::of_dockerfile(&source).unwrap_or_default());
        match parse_and_lint(&source, &mut linter) {
            Ok(dockerfile) => translated(target, &dockerfile, &mut linter),
            Err(error) => add(
                error.span.map_or(0, |span| span.first),
                "Syntax",
                error.kind.to_string(),
                "the target cannot be built",
            ),
        }
        for finding in linter.into_findings() {
            let rule = finding.rule;
            if !ABOUT_BASES.contains(&rule) {
                add(
                    finding.span.first,
                    rule.name(),
                    finding.message,
                    rule.reason(),
                );
            }
        }
    }
    shown
}

/// The name and content of a Dockerfile that lies here.
fn dockerfile(name: &str, target: &Target) -> Option<(String, Vec<u8>)> {
    if let Some(text) = &target.dockerfile_inline {
        let file = format!("dockerfile-inline of {name}");
        return Some((file, text.clone().into_bytes()));
    }
    let file = target.dockerfile.as_deref().unwrap_or("Dockerfile");
    let context = print::shown_context(target.context.as_deref().unwrap_or_default());
    let path = match file.strip_prefix("cwd://") {
        Some(path) => path.to_owned(),
        None if filepath::is_absolute(file) => file.to_owned(),
        None if remote::is_remote(&context) || remote::is_remote(file) => return None,
        None => filepath::join(&context, file),
    };
    // A file that is missing may be made before the build; one that is elsewhere is not quoted.
    let source = read_only_here(&path)?;
    Some((path, source))
}

/// Adds what only a translation finds. Base images are not looked up: an empty one stands for each.
/// Named contexts are not known here, so a target that has some is checked as text only.
fn translated(target: &Target, dockerfile: &solvekit::dockerfile::Dockerfile, linter: &mut Linter) {
    if !target.contexts.is_empty() {
        return;
    }
    let platforms = target.platforms.iter().flatten();
    let options = Options {
        target: target.target.clone().filter(|stage| !stage.is_empty()),
        platform: platforms
            .filter_map(|text| Platform::parse(text).ok())
            .next(),
        build_platforms: vec![Platform::host()],
        build_args: target.args.clone(),
        ..Options::default()
    };
    let mut images = ResolvedImages::new();
    for _ in 0..MAX_ROUNDS {
        // A mistake ends a build with a better message than could be given here.
        let Ok(Outcome::NeedsImages(requests)) =
            translate::check(dockerfile, &options, &images, linter)
        else {
            return;
        };
        for request in requests {
            let digest = Digest::sha256(request.log_name.as_bytes());
            let Ok(image) = ResolvedImage::parse(Some(digest), BASE) else {
                return;
            };
            images.insert(request, image);
        }
    }
}
