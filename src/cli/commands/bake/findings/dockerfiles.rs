//! Checks the Dockerfiles of all targets: findings of lint rules, and base images that lack a
//! platform.

use std::collections::{BTreeMap, BTreeSet};

use solvekit::bake::target::Target;
use solvekit::bake::{LocalMachine, Plan, filepath, print, remote};
use solvekit::dockerfile::{Dockerfile, LintConfig, Linter, Rule, parse_and_lint};
use solvekit::oci::{Digest, Platform};
use solvekit::translate::{self, ImageRequest, Options, Outcome, ResolvedImage, ResolvedImages};

use super::Shown;
use super::bases::{Base, Bases};
use crate::cli::report::Failure;

/// The most rounds in which a translation may request more images.
const MAX_ROUNDS: usize = 50;
/// The config that replaces those of unknown base images.
const UNKNOWN: &[u8] = br#"{"architecture":"amd64","os":"linux","config":{},
"rootfs":{"type":"layers","diff_ids":[]}}"#;
/// Rules whose result depends on the base image.
const ABOUT_BASES: [Rule; 3] = [
    Rule::UndefinedVar,
    Rule::WorkdirRelativePath,
    Rule::InvalidBaseImagePlatform,
];
/// The rule for a base image that lacks a platform of the target.
const PLATFORM_OF_IMAGE: &str = "PlatformOfImage";

/// All findings, without duplicates.
pub(super) fn dockerfiles(
    plan: &Plan,
    machine: &LocalMachine,
    bases: &mut Bases<'_>,
) -> BTreeSet<Shown> {
    let mut shown = BTreeSet::new();
    for (name, target) in &plan.targets {
        let Some((file, source)) = source(name, target, machine) else {
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
        let mut all_known = false;
        match parse_and_lint(&source, &mut linter) {
            Ok(dockerfile) => {
                let translated = translated(name, target, &dockerfile, &mut linter, bases);
                all_known = translated.all_known;
                for (line, message) in translated.lacking {
                    add(
                        line,
                        PLATFORM_OF_IMAGE,
                        message,
                        "the build fails for the platform",
                    );
                }
            }
            Err(error) => add(
                error.span.map_or(0, |span| span.first),
                "Syntax",
                error.kind.to_string(),
                "the target cannot be built",
            ),
        }
        for finding in linter.into_findings() {
            let rule = finding.rule;
            if all_known || !ABOUT_BASES.contains(&rule) {
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

/// The name and content of a local Dockerfile.
fn source(name: &str, target: &Target, machine: &LocalMachine) -> Option<(String, Vec<u8>)> {
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
    // A missing file may be created before the build.
    let source = machine.read_inside(&path)?;
    Some((path, source))
}

/// Findings that need a translation.
#[derive(Debug, Default)]
struct Translated {
    /// True if every base image is known, so that the results of all rules are reliable.
    all_known: bool,
    /// The lines of base images that lack a platform.
    lacking: Vec<(u32, String)>,
}

/// Translates for each platform; only the first translation is linted. Named contexts are unknown
/// here, so the Dockerfile of a target with named contexts is not translated.
fn translated(
    name: &str,
    target: &Target,
    dockerfile: &Dockerfile,
    linter: &mut Linter,
    bases: &mut Bases<'_>,
) -> Translated {
    let mut translated = Translated::default();
    if !target.contexts.is_empty() {
        return translated;
    }
    translated.all_known = true;
    let platforms = target.platforms.iter().flatten();
    let mut platforms: Vec<Option<Platform>> = platforms
        .filter_map(|text| Platform::parse(text).ok())
        .map(Some)
        .collect();
    if platforms.is_empty() {
        platforms.push(None);
    }
    let mut scratch = linter.clone();
    for (at, platform) in platforms.into_iter().enumerate() {
        let linter = match at {
            0 => &mut *linter,
            _ => &mut scratch,
        };
        let options = Options {
            target: target.target.clone().filter(|stage| !stage.is_empty()),
            platform,
            build_platforms: vec![Platform::host()],
            build_args: target.args.clone(),
            ..Options::default()
        };
        if let Some((line, message)) = check(
            dockerfile,
            &options,
            linter,
            bases,
            &mut translated.all_known,
        ) {
            let message = format!("{message}, for which target {name} is built");
            translated.lacking.push((line, message));
        }
    }
    translated
}

/// The line of a base image that lacks the platform, if any.
fn check(
    dockerfile: &Dockerfile,
    options: &Options,
    linter: &mut Linter,
    bases: &mut Bases<'_>,
    all_known: &mut bool,
) -> Option<(u32, String)> {
    let mut images = ResolvedImages::new();
    let mut lacks: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..MAX_ROUNDS {
        let requests = match translate::check(dockerfile, options, &images, linter) {
            Ok(Outcome::NeedsImages(requests)) => requests,
            Ok(_) => return None,
            // A build reports other mistakes better than this check could.
            Err(error) => {
                let reason = Failure::from_error(&error).into_message();
                let lacking = lacks
                    .into_values()
                    .find(|it| reason.contains(it.as_str()))?;
                let line = error.spans.first().map_or(0, |span| span.first);
                return Some((line, lacking));
            }
        };
        let found = bases.find(&requests, options.platform.as_ref());
        for (request, base) in requests.into_iter().zip(found) {
            match base {
                Base::Found(image) => images.insert(request, image),
                Base::Lacks { message, failure } => {
                    lacks.insert(request.reference.to_string(), message);
                    images.insert_failure(request, failure);
                }
                Base::Unknown => {
                    *all_known = false;
                    images.insert(request.clone(), stand_in(&request)?);
                }
            }
        }
    }
    None
}

fn stand_in(request: &ImageRequest) -> Option<ResolvedImage> {
    let digest = Digest::sha256(request.log_name.as_bytes());
    ResolvedImage::parse(Some(digest), UNKNOWN).ok()
}
