//! The results of a finished build: its record in the history, and the files and lines that scripts
//! read.

use std::io::{self, Write as _};
use std::path::Path;

use serde_json::Value;
use solvekit::builder::Store;
use solvekit::files::Destination;
use solvekit::pipeline::{BuildOutcome, StartedBuild};
use solvekit::progress::{Mode, Summary, Warning};
use solvekit::spread::Built;
use solvekit::text::redact;

use super::BuildArgs;
use crate::cli::args::builder::Used;
use crate::cli::args::explain::Target;
use crate::cli::args::{attestations, explain, nodes};
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::interrupt::{EXIT_INTERRUPTED, blocking};
use crate::cli::report::terminal::print;
use crate::cli::report::usage::OutputUsage;
use crate::cli::report::{Failure, display, platforms_failure};

/// Reports a finished build. Fails if some of its platforms failed.
pub(super) fn finish(
    args: &BuildArgs,
    built: Built,
    used: &Used,
    summary: &Summary,
    mode: Mode,
    environment: &Environment,
) -> Result<BuildOutcome, Failure> {
    remember(args, &built, used, environment);
    display::warnings(summary, mode, environment);
    let metadata = args.results.wants_metadata().then(|| {
        let wanted = attestations::metadata_warnings(environment);
        let warnings = if wanted { &*summary.warnings } else { &[] };
        metadata(&built, used, warnings)
    });
    let references = nodes::references(&built, &used.builder);
    let outcome = built.outcome;
    write_results(args, &outcome, metadata, mode, environment)?;
    let linked = references.into_iter().take(1);
    let linked: Vec<_> = linked.map(|it| ("default", it)).collect();
    display::details(&linked, mode, environment);
    match platforms_failure::exported_partly(&outcome, summary, mode) {
        None => Ok(outcome),
        Some(failure) => Err(failure),
    }
}

/// Records the builds that daemons have begun, for the history commands: a failed build is
/// described there too. Errors are ignored.
pub(super) fn remember_started(
    args: &BuildArgs,
    started: &[StartedBuild],
    used: &Used,
    environment: &Environment,
) {
    let Some(folder) = &environment.buildx_config else {
        return;
    };
    let (store, state) = (Store::new(folder), args.contexts.state());
    for build in started {
        let _ = store.save_state(&used.builder, &build.node, &build.build_ref, &state);
    }
}

/// Records the names of a finished build. Errors are ignored: an unwritable folder does not
/// fail a build.
fn remember(args: &BuildArgs, built: &Built, used: &Used, environment: &Environment) {
    let Some(folder) = &environment.buildx_config else {
        return;
    };
    let (store, mut state) = (Store::new(folder), args.contexts.state());
    state.names = built
        .outcome
        .names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    for part in &built.parts {
        let _ = store.save_state(&used.builder, &part.node, &part.build_ref, &state);
    }
}

/// The target for the build record, with a key that distinguishes it from others.
pub(super) fn target(args: &BuildArgs, succeeded: bool) -> Target {
    let state = args.contexts.state();
    let stage = args.target.as_deref().unwrap_or_default();
    Target {
        name: String::new(),
        key: explain::key(&state.local_path, &[&state.dockerfile_path, stage]),
        title: title(&state.local_path, &state.dockerfile_path, stage),
        succeeded,
    }
}

fn title(context: &str, dockerfile: &str, stage: &str) -> String {
    let mut title = redact(context).into_owned();
    let default = Path::new(context).join("Dockerfile");
    if !dockerfile.is_empty() && Path::new(dockerfile) != default {
        title.push_str(&format!(" (file {dockerfile})"));
    }
    if !stage.is_empty() {
        title.push_str(&format!(" (stage {stage})"));
    }
    title
}

/// The content of the metadata file.
pub(crate) fn metadata(built: &Built, used: &Used, warnings: &[Warning]) -> Value {
    let references = nodes::references(built, &used.builder);
    let node = built.parts.first().map_or(&used.node, |part| &part.node);
    let mut metadata = built.outcome.metadata(&used.builder, node);
    let Value::Object(fields) = &mut metadata else {
        return metadata;
    };
    if references.len() > 1 {
        fields.insert("buildx.build.refs".to_owned(), references.into());
    }
    if !warnings.is_empty() {
        // Warnings are plain data: they always serialize to JSON.
        let warnings = serde_json::to_value(warnings).unwrap_or_default();
        fields.insert("buildx.build.warnings".to_owned(), warnings);
    }
    metadata
}

/// Writes the files and lines that the flags request.
fn write_results(
    args: &BuildArgs,
    outcome: &BuildOutcome,
    metadata: Option<Value>,
    mode: Mode,
    environment: &Environment,
) -> Result<(), Failure> {
    let image_id = outcome.image_id();
    let in_buildx = environment.identity == Identity::Buildx;
    args.results.write(outcome, metadata, in_buildx)?;
    match (mode, image_id) {
        (Mode::Quiet, Some(id)) => print(id.as_str()),
        // With -q, buildx prints a line with the image's id, which is empty without an image.
        (Mode::Quiet, None) if in_buildx && args.quiet && !args.writes_to_stdout() => print(""),
        (Mode::Tty | Mode::Plain, Some(_)) => {
            display::result(outcome, environment);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Writes a file atomically, so that nobody reads half of it; or writes to a pipe or device, which
/// may have no reader.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = match Destination::is_special(path) {
        false => write(path, bytes),
        true => {
            let (to, bytes) = (path.to_owned(), bytes.to_vec());
            let written = blocking::run(move || write(&to, &bytes));
            let path = path.display();
            let interrupted = || Failure::new(format!("interrupted: {path} has no reader"));
            written.ok_or_else(|| interrupted().code(EXIT_INTERRUPTED))?
        }
    };
    Ok(written.map_err(|source| OutputUsage::ResultFile {
        path: path.to_owned(),
        source,
    })?)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut to = Destination::open(path)?;
    to.write_all(bytes)?;
    to.finish()
}
