//! `solvekit build`: flags as `docker buildx build` has them, resolved into a [`BuildRequest`].

pub(crate) mod call;
pub(crate) mod context_size;
mod flags;
pub(crate) mod keep_going;
pub(crate) mod loading;
pub(crate) mod preflight;
pub(crate) mod result_files;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use solvekit::builder::Store;
use solvekit::files;
use solvekit::frontend::ImageLock;
use solvekit::oci::{Platform, Reference};
use solvekit::pipeline::{
    self, BuildOutcome, BuildRequest, CacheDirection, Destination, Network, NoCache, Output,
    OutputKind, Reconnect,
};
use solvekit::progress::{self, Mode, Summary, Warning};
use solvekit::registry;
use solvekit::spread::Built;

use crate::cli::args::builder::Used;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::registries::Notes;
use crate::cli::args::{
    attestations, caches, default_load, git_source, images, nodes, policy, proxies, secrets, values,
};
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::interrupt;
use crate::cli::report::display::Sink;
use crate::cli::report::terminal::{print, talk};
use crate::cli::report::{Failure, build_failure, display};
pub(crate) use flags::BuildArgs;

/// Builds, shows progress, and writes what was asked for.
pub(crate) async fn cmd_build(
    args: BuildArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let mode = display::mode(&args.progress.mode, args.quiet, environment)?;
    let mut sink = args.progress.open(mode)?;
    args.legacy.warn(mode);
    if let Some(question) = call::parse(&args.call, args.check)? {
        let request = build_request(&args, environment)?;
        let surroundings = call::Surroundings {
            mode,
            sink,
            connection,
            registries: &args.registries,
            environment,
        };
        return call::cmd_call(request, question, surroundings).await;
    }
    let built = build(&args, mode, sink.clone(), connection, environment).await;
    sink.end(built)
}

async fn build(
    args: &BuildArgs,
    mode: Mode,
    sink: Sink,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<BuildOutcome, Failure> {
    let mut request = build_request(args, environment)?;
    args.results.check(&request.outputs)?;
    default_load::apply(&mut request, connection, environment)?;
    // docker build keeps an image without a name too, and tells its id.
    request.keep_unnamed =
        environment.identity == Identity::Buildx || args.quiet || args.results.wants_id();
    let platform = match request.platforms.as_slice() {
        [only] => Some(only.to_string()),
        _ => None,
    };
    let cancelled = interrupt::token()?;
    let early = |error| build_failure::explain(&error, &Summary::default(), mode);
    let say = |line: &str| display::boot(mode, line);
    let prepare_and_connect = async {
        let prepared = pipeline::prepare(request).await.map_err(early)?;
        let key = args.contexts.state().local_path;
        let reached = connection.reach(environment, &key, &say).await?;
        let ready = reached.plan(&prepared).await?;
        Ok::<_, Failure>((prepared, ready))
    };
    let (prepared, ready) = tokio::select! {
        ready = prepare_and_connect => ready?,
        () = cancelled.cancelled() => return Err(early(pipeline::Error::Interrupted)),
    };

    let credentials = environment.credentials()?;
    let pushes = ready.askable(prepared.request().pushes());
    let load =
        loading::opener(prepared.request(), ready.address(), connection, environment).await?;
    let (writer, updates) = progress::channel();
    ready.warn(&writer);
    default_load::warn(prepared.request(), &ready.used, mode, &writer);
    let notes = Notes::new(writer.clone());
    let credentials = credentials.with_notifier(notes.notifier());
    let credentials = Arc::new(credentials);
    let mut options = args.registries.options(environment);
    options.insecure.extend(nodes::insecure(prepared.request()));
    options.notifier = Some(notes.notifier());
    let registries = registry::Client::new(Arc::clone(&credentials), options.clone());
    let refused = preflight::refused(pushes, &registries, writer.clone());
    let stop = cancelled.child_token();
    let used = &ready.used;
    let display = display::start(mode, sink, platform, used, environment, updates);
    let mut run = pipeline::Environment::default();
    run.credentials = credentials;
    run.registries = options;
    run.progress = Some(writer);
    run.cancelled = stop.clone();
    run.standard_output = Some(Arc::new(|| Ok(Box::new(std::io::stdout()))));
    run.load = load;
    run.reconnect = Reconnect {
        within: args.reconnect,
    };
    let sent = run.sent.clone();
    let broken = run.broken.clone();
    let plan = ready.plan.clone();
    let mut running = std::pin::pin!(ready.nodes.build(&prepared, plan, &registries, run));
    let result = tokio::select! {
        result = &mut running => Ok(result),
        failure = refused => {
            stop.cancel();
            // It may have come to its end at the same time.
            running.await.map_or(Err(failure), |built| Ok(Ok(built)))
        }
    };
    notes.end();
    let summary = display.await.unwrap_or_default();
    let result = result?;
    context_size::warn(&sent, mode);

    let built = result.map_err(|error| {
        let failure = nodes::explain(&error, &summary, mode).incomplete(&broken.paths());
        match nodes::cause(&error).and_then(build_failure::process_exit_code) {
            Some(code) if args.propagate_exit_code => failure.code(code),
            _ => failure,
        }
    })?;
    remember(args, &built, used, environment);
    display::warnings(&summary, mode, environment);
    let metadata = args.results.wants_metadata().then(|| {
        let wanted = attestations::metadata_warnings(environment);
        let warnings = if wanted { &*summary.warnings } else { &[] };
        metadata(&built, used, warnings)
    });
    let outcome = built.outcome;
    write_results(args, &outcome, metadata, mode)?;
    match keep_going::exported_partly(&outcome, &summary, mode) {
        None => Ok(outcome),
        Some(failure) => Err(failure),
    }
}

/// Writes down for the history commands what was built. Nothing depends on it: a folder that cannot be written fails no build.
fn remember(args: &BuildArgs, built: &Built, used: &Used, environment: &Environment) {
    let Some(folder) = &environment.buildx_config else {
        return;
    };
    let (store, state) = (Store::new(folder), args.contexts.state());
    for part in &built.parts {
        let _ = store.save_state(&used.builder, &part.node, &part.build_ref, &state);
    }
}

/// The object of the metadata file.
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
        // Warnings are plain data: making JSON of them cannot fail.
        let warnings = serde_json::to_value(warnings).unwrap_or_default();
        fields.insert("buildx.build.warnings".to_owned(), warnings);
    }
    metadata
}

/// The files and lines that the flags ask for.
fn write_results(
    args: &BuildArgs,
    outcome: &BuildOutcome,
    metadata: Option<Value>,
    mode: Mode,
) -> Result<(), Failure> {
    let image_id = outcome.image_id();
    args.results.write(outcome, metadata)?;
    match (mode, image_id) {
        (Mode::Quiet, Some(id)) => print(id.as_str()),
        (Mode::Tty | Mode::Plain, Some(_)) => {
            display::result(outcome);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Writes a file in one step, so that nobody reads half of it, or to a pipe or device.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = files::Destination::open(path).and_then(|mut to| {
        to.write_all(bytes)?;
        to.finish()
    });
    written.map_err(|error| {
        Failure::new(format!("cannot write {}: {error}", path.display()))
            .hint("the work itself has succeeded; do it again with a path that can be written")
    })
}

/// The one place where flags become a request.
fn build_request(args: &BuildArgs, environment: &Environment) -> Result<BuildRequest, Failure> {
    let mut request = args.contexts.request()?;
    // Anything that is no keyword is the name of an image.
    let Ok(frontend) = args.frontend.parse();
    request.frontend = frontend;
    request.platforms = platforms(&args.platform, environment)?;
    request.tags = tags(&args.tag)?;
    request.outputs = outputs(args)?;
    request.target = args.target.clone();
    request.build_args = values::build_args(args.build_arg.clone());
    if let Some(epoch) = &environment.source_date_epoch {
        request
            .build_args
            .entry("SOURCE_DATE_EPOCH".to_owned())
            .or_insert_with(|| epoch.clone());
    }
    proxies::add(&mut request.build_args, environment)?;
    request.labels = values::labels(args.label.clone());
    request.no_cache = match (args.no_cache, args.no_cache_filter.is_empty()) {
        (true, true) => NoCache::All,
        (true, false) => {
            return Err(Failure::new("--no-cache and --no-cache-filter cannot be used together")
                .hint("--no-cache runs every step, --no-cache-filter those of the stages it names: give one of them"));
        }
        (false, true) => NoCache::None,
        (false, false) => NoCache::Stages(args.no_cache_filter.clone()),
    };
    request.pull = args.pull;
    if let Some(path) = &args.lock {
        request.lock = Some(ImageLock {
            lock: Arc::new(images::read_lock(path)?),
            resolve_missing: args.lock_missing == "resolve",
        });
    }
    request.network = match args.network.as_str() {
        "host" => Network::Host,
        "none" => Network::None,
        _ => Network::Default,
    };
    request.extra_hosts = args.add_host.clone();
    request.shm_size = args.shm_size;
    request.ulimits = args.ulimit.clone();
    request.secrets = secrets::secrets(&args.secret)?;
    request.ssh_agents = secrets::agents(&args.ssh)?;
    request.cache_from = caches::of_flags(&args.cache_from, CacheDirection::From)?;
    request.cache_to = caches::of_flags(&args.cache_to, CacheDirection::To)?;
    pipeline::add_inline_cache(&mut request.cache_to, &request.build_args);
    args.permissions.apply(&mut request)?;
    args.resources.apply(&mut request)?;
    let metadata_file = args.results.wants_metadata();
    args.attestations
        .apply(&mut request, metadata_file, environment)?;
    request.policy = args.policy.parse()?;
    request.annotations = pipeline::parse_annotations(&args.annotation)
        .map_err(|error| Failure::from_error(&error))?;
    request.source_policy = policy::of_environment(environment)?;
    request.node_id = environment.node_id();
    git_source::apply(&mut request, environment);
    args.several.apply(&mut request);
    request.max_parallel_platforms = args.max_parallel_platforms.map(usize::from);
    Ok(request)
}

pub(crate) fn platforms(
    given: &[String],
    environment: &Environment,
) -> Result<Vec<Platform>, Failure> {
    let from_environment: Vec<String>;
    let given = match &environment.default_platform {
        Some(default) if given.is_empty() => {
            from_environment = default.split(',').map(str::to_owned).collect();
            &from_environment
        }
        _ => given,
    };
    let mut platforms: Vec<Platform> = Vec::new();
    for text in given {
        let platform = match text.trim() {
            "local" => Platform::host(),
            text => Platform::parse(text)
                .map_err(|error| Failure::from_error(&error))?
                .normalized(),
        };
        if let Some(meant) = platform.probably_meant() {
            talk(&format!(
                "WARNING: {platform} is no known platform; did you mean {meant}?\n"
            ));
        }
        if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    Ok(platforms)
}

fn tags(given: &[String]) -> Result<Vec<Reference>, Failure> {
    given
        .iter()
        .map(|tag| {
            let reference = Reference::parse(tag).map_err(|error| {
                Failure::from_error(&error).hint(
                    "a name is [registry/]repository[:tag], for example -t ghcr.io/me/app:1.0",
                )
            })?;
            if reference.digest().is_some() {
                return Err(Failure::new(format!(
                    "cannot name an image {tag:?}: a name to push has no digest"
                ))
                .hint("leave out the part from '@' on: the digest is what the build makes"));
            }
            Ok(reference.with_default_tag())
        })
        .collect()
}

fn outputs(args: &BuildArgs) -> Result<Vec<Output>, Failure> {
    let mut outputs = args
        .output
        .iter()
        .map(|text| {
            text.parse::<Output>()
                .map_err(|error| Failure::from_error(&error))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if args.push {
        let image = outputs
            .iter_mut()
            .find(|output| output.kind == OutputKind::Image);
        match image {
            Some(image) => {
                let push = ("push".to_owned(), "true".to_owned());
                image.attributes.extend([push]);
            }
            None => outputs.push(Output::push()),
        }
    }
    if args.load && !outputs.contains(&Output::load()) {
        outputs.push(Output::load());
    }
    refuse_terminal(&outputs)?;
    Ok(outputs)
}

/// An archive does a terminal no good.
pub(crate) fn refuse_terminal(outputs: &[Output]) -> Result<(), Failure> {
    let to_stdout = |output: &Output| output.destination == Some(Destination::StandardOutput);
    match outputs.iter().any(to_stdout) && std::io::stdout().is_terminal() {
        true => Err(Failure::new("stdout is a terminal; an archive cannot go there").hint(
            "redirect it with > file.tar or a pipe, or name a file: --output type=tar,dest=FILE",
        )),
        false => Ok(()),
    }
}
