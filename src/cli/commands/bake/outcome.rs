//! The results of the targets: the failure to report, the metadata file, the records of the builds.

use serde_json::{Map, Value};
use solvekit::bake::Plan;
use solvekit::build_report::BuildReport;
use solvekit::builder::{BuildState, GroupState, Store};
use solvekit::progress::{Mode, Summary};
use solvekit::spread::{Built, Ended, Error};
use solvekit::text::redact;
use solvekit::{frontend, pipeline};

use super::build::Baked;
use super::hints;
use crate::cli::args::{attestations, contexts, explain, nodes, reports};
use crate::cli::environment::Environment;
use crate::cli::report::{
    Failure, build_failure, display, nodes_failure, platforms_failure, recorded,
};

/// The failure of the targets, if any, and the folders that are incomplete because of it.
pub(super) fn failure(baked: &Baked, mode: Mode) -> Option<Failure> {
    failed_targets(baked, mode).map(|failure| failure.incomplete(&baked.broken))
}

fn failed_targets(baked: &Baked, mode: Mode) -> Option<Failure> {
    let failed: Vec<(&String, &Error)> = baked
        .ended
        .iter()
        .filter_map(|(name, end)| match end {
            Ended::Failed(error) => Some((name, error)),
            _ => None,
        })
        .collect();
    match failed.as_slice() {
        [] if baked
            .ended
            .iter()
            .all(|(_, end)| matches!(end, Ended::Built(_))) =>
        {
            exported_partly(baked, mode)
        }
        [] => Some(Failure::new("the build was interrupted").code(130)),
        [(_, error @ Error::Build(pipeline::Error::Interrupted))] => {
            Some(nodes_failure::explain(error, &baked.summary, mode))
        }
        [(name, error)] => {
            let failure = hints::explain(name, error, &baked.summary, mode);
            Some(match baked.ended.len() {
                1 => failure,
                _ => failure
                    .prefixed_in_buildx(&format!("target {name}"))
                    .report_after(&table(baked)),
            })
        }
        several => {
            let count = several.len();
            let failures = several
                .iter()
                .map(|(name, error)| hints::explain(name, error, &baked.summary, mode));
            let mut failures: Vec<Failure> = failures.collect();
            // buildx reports the first failure only.
            let first = several.first().zip(failures.first());
            let words =
                first.map(|((name, _), it)| format!("target {name}: {}", it.buildx_words()));
            let last: Vec<_> = failures.iter_mut().flat_map(Failure::take_last).collect();
            let kind = failures.first().and_then(Failure::registry);
            let kind = kind.filter(|kind| failures.iter().all(|it| it.registry() == Some(*kind)));
            let report: String = failures.into_iter().map(Failure::into_report).collect();
            let all = baked.ended.len();
            Some(
                Failure::new(format!("{count} of {all} targets failed"))
                    .in_buildx(words)
                    .report_before(report + &table(baked))
                    .ends_with(last)
                    .of_registry(kind),
            )
        }
    }
}

/// A target that was exported without its failed platforms counts as failed.
fn exported_partly(baked: &Baked, mode: Mode) -> Option<Failure> {
    let (mut count, mut reports, mut last) = (0, String::new(), Vec::new());
    for (name, built) in built(baked) {
        let partly = platforms_failure::exported_partly(&built.outcome, &baked.summary, mode);
        if let Some(mut failure) = partly {
            count += 1;
            let steps = failure.take_last().into_iter();
            last.extend(steps.map(|step| step.of_target(name)));
            reports.push_str(&format!("target {name}:\n{}\n", failure.into_report()));
        }
    }
    let all = baked.ended.len();
    (count > 0).then(|| {
        Failure::new(format!(
            "{count} of {all} targets were exported without platforms that failed"
        ))
        .report_before(reports + &table(baked))
        .ends_with(last)
    })
}

/// True if a process of RUN failed, of any target.
pub(super) fn has_failed_process(baked: &Baked) -> bool {
    baked.ended.iter().any(|(_, end)| match end {
        Ended::Failed(error) => {
            nodes_failure::cause(error).is_some_and(build_failure::has_failed_process)
        }
        Ended::Built(built) => {
            build_failure::has_platform_with_failed_process(&built.outcome.failed)
        }
        _ => false,
    })
}

/// The report about all targets of the command.
pub(super) fn report(baked: &Baked, failure: Option<&Failure>) -> BuildReport {
    let names = baked.ended.iter().map(|(name, _)| name.as_str());
    let title = format!("bake {}", names.collect::<Vec<_>>().join(" "));
    let built = built(baked).map(|(_, built)| built);
    reports::of_build(title, built, failure, &baked.summary)
}

/// Adds layers and provenance. If there are several targets, adds their names.
pub(super) async fn add_recorded(report: &mut BuildReport, baked: &Baked) {
    let is_alone = baked.ended.len() == 1;
    for (name, built) in built(baked) {
        let target = if is_alone { "" } else { name };
        recorded::add_built(report, target, built, &baked.clients).await;
    }
}

/// One line for each target.
fn table(baked: &Baked) -> String {
    let width = baked.ended.iter().map(|(name, _)| name.len()).max();
    let width = width.unwrap_or_default().max("TARGET".len());
    let mut table = format!("{:width$}  RESULT\n", "TARGET");
    for (name, end) in &baked.ended {
        let result = match end {
            Ended::Built(built) => built_in_words(built),
            Ended::NotExported => "built, not exported".to_owned(),
            Ended::Cancelled => "cancelled".to_owned(),
            Ended::Failed(error) => format!("failed: {}", first_line(error)),
            _ => String::new(),
        };
        table.push_str(&format!("{name:width$}  {result}\n"));
    }
    table
}

fn built_in_words(built: &Built) -> String {
    let failed = built.outcome.failed.iter();
    let failed: Vec<String> = failed.map(|it| it.platform.to_string()).collect();
    match failed.is_empty() {
        true => "built".to_owned(),
        false => format!("built without {}", failed.join(", ")),
    }
}

/// The first line of the message. That of a failed step contains its cause already.
fn first_line(error: &Error) -> String {
    let failure = match nodes_failure::cause(error) {
        Some(pipeline::Error::Frontend(frontend::Error::Solve(_))) => {
            nodes_failure::explain(error, &Summary::default(), Mode::Plain)
        }
        _ => Failure::from_error(error),
    };
    let message = failure.into_message();
    build_failure::without_command(message.lines().next().unwrap_or_default())
}

/// Shows the new images on the terminal.
pub(super) fn show(baked: &Baked, mode: Mode, environment: &Environment) {
    if !matches!(mode, Mode::Tty | Mode::Plain) {
        return;
    }
    let mut linked = Vec::new();
    for (name, built) in built(baked) {
        if built.outcome.image_id().is_some() {
            display::result(&built.outcome, environment);
        }
        let references = nodes::references(built, &baked.used.builder);
        linked.extend(references.into_iter().take(1).map(|it| (name.as_str(), it)));
    }
    display::details(&linked, mode, environment);
}

/// The metadata file: an object for each target by its name, as in buildx.
pub(super) fn metadata(
    baked: &Baked,
    with_warnings: bool,
    environment: &Environment,
) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, built) in built(baked) {
        all.insert(
            name.clone(),
            crate::cli::commands::build::metadata(built, &baked.used, &[]),
        );
    }
    let with_warnings = with_warnings && attestations::metadata_warnings(environment);
    if with_warnings && !baked.summary.warnings.is_empty() {
        // Warnings are plain data: they always serialize to JSON.
        let warnings = serde_json::to_value(&*baked.summary.warnings).unwrap_or_default();
        all.insert("buildx.build.warnings".to_owned(), warnings);
    }
    all
}

/// The targets for the build records, with keys that distinguish them from others.
pub(super) fn targets(ended: &[(String, Ended)], plan: &Plan) -> Vec<explain::Target> {
    let targets = ended.iter().map(|(name, end)| {
        let target = plan.targets.get(name);
        let context = target.and_then(|target| target.context.clone());
        let dockerfile = target.and_then(|target| target.dockerfile.clone());
        let context = contexts::absolute_context(&context.unwrap_or_default());
        let dockerfile = dockerfile.unwrap_or_default();
        explain::Target {
            name: name.clone(),
            key: explain::key(&context, &[&dockerfile, "bake", name]),
            title: redact(&format!("{context} (target {name})")).into_owned(),
            succeeded: matches!(end, Ended::Built(_)),
        }
    });
    targets.collect()
}

/// Records the builds for the history commands. Errors are ignored: an unwritable folder does not
/// fail a build.
pub(super) fn remember(baked: &Baked, plan: &Plan, group: &str, environment: &Environment) {
    let Some(folder) = &environment.buildx_config else {
        return;
    };
    let store = Store::new(folder);
    let mut references = Vec::new();
    let several = baked.ended.len() > 1;
    for build in &baked.started {
        let only = baked.ended.first().map(|(name, _)| name);
        let Some(name) = build.target.as_ref().or(only) else {
            continue;
        };
        let target = plan.targets.get(name);
        let context = target.and_then(|target| target.context.clone());
        let dockerfile = target.and_then(|target| target.dockerfile.clone());
        let state = BuildState {
            target: name.clone(),
            local_path: contexts::absolute_context(&context.unwrap_or_default()),
            dockerfile_path: dockerfile.unwrap_or_default(),
            group_ref: if several {
                group.to_owned()
            } else {
                String::new()
            },
            names: names_of(baked, &build.build_ref),
        };
        let (builder, node) = (&baked.used.builder, &build.node);
        let _ = store.save_state(builder, node, &build.build_ref, &state);
        references.push(format!("{builder}/{node}/{}", build.build_ref));
    }
    if several {
        let names = plan.groups.get("default");
        let state = GroupState {
            targets: names.map(|group| group.targets.clone()).unwrap_or_default(),
            refs: references,
        };
        let _ = store.save_group(group, &state);
    }
}

/// The names of the image of a finished build; none for one that failed.
fn names_of(baked: &Baked, build_ref: &str) -> Vec<String> {
    let is_it = |built: &&Built| built.parts.iter().any(|part| part.build_ref == build_ref);
    let built = built(baked).map(|(_, built)| built).find(is_it);
    let names = built.map(|built| built.outcome.names()).unwrap_or_default();
    names.into_iter().map(str::to_owned).collect()
}

fn built(baked: &Baked) -> impl Iterator<Item = (&String, &Built)> {
    baked.ended.iter().filter_map(|(name, end)| match end {
        Ended::Built(built) => Some((name, &**built)),
        _ => None,
    })
}
