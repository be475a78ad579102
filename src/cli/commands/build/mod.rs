//! `solvekit build`: flags as `docker buildx build` has them, resolved into a [`BuildRequest`].

pub(crate) mod again;
pub(crate) mod call;
pub(crate) mod context_size;
pub(crate) mod dry_run;
mod flags;
pub(crate) mod keep_going;
pub(crate) mod loading;
mod outcome;
pub(crate) mod preflight;
mod request;
pub(crate) mod result_files;
pub(crate) mod run;

use std::sync::Arc;

use solvekit::build_report::BuildReport;
use solvekit::pipeline::{self, BuildOutcome, BuildRequest, Prepared, Reconnect, StepLimit};
use solvekit::progress::{Mode, Summary};
use solvekit::spread::Built;
use tokio_util::sync::CancellationToken;

use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::explain::Recording;
use crate::cli::args::nodes::Ready;
use crate::cli::args::{default_load, nodes, reports};
use crate::cli::commands::cache_mount::NAMESPACE;
use crate::cli::debugger::Debugged;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::interrupt;
use crate::cli::report::display::Sink;
use crate::cli::report::{Failure, build_failure, display, nodes_failure};
use run::{Run, Shown};

pub(crate) use flags::BuildArgs;
pub(crate) use outcome::{metadata, write_file};
pub(crate) use request::{platforms, refuse_terminal};

/// The next step after a command of the Dockerfile has failed, at a terminal.
const SHELL: &str = "For a shell where it failed: the same command with --debug=on-error";

/// Builds, shows progress, and writes what was asked for.
pub(crate) async fn cmd_build(
    args: BuildArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let built = build_or_call(args, connection, environment).await;
    built.map_err(|failure| failure.behind_in_buildx("failed to build"))
}

async fn build_or_call(
    args: BuildArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let mode = display::mode(&args.progress.mode, args.quiet, environment)?;
    let mut sink = args.progress.open(mode)?;
    args.legacy.warn(mode);
    if let Some(question) = call::parse(&args.call, args.check)? {
        let request = request::build_request(&args, environment)?;
        let surroundings = call::Surroundings {
            mode,
            sink,
            connection,
            registries: &args.registries,
            environment,
        };
        return call::cmd_call(request, question, &args.results, surroundings).await;
    }
    if let Some(form) = args.dry_run {
        let asking = dry_run::Asking {
            form,
            mode,
            registries: &args.registries,
            connection,
            environment,
        };
        let preparing = async {
            let request = complete_request(&args, connection, environment)?;
            let prepared = pipeline::prepare(request).await;
            let prepared = prepared
                .map_err(|error| build_failure::explain(&error, &Summary::default(), mode))?;
            Ok(vec![(None, Arc::new(prepared))])
        };
        return dry_run::cmd_dry_run(preparing, asking).await;
    }
    let debugging = args
        .debug
        .debugging(mode, args.contexts.reads_stdin(), environment)?;
    let built = match debugging {
        None => build(&args, mode, sink.clone(), connection, environment, None).await,
        Some(debugging) => {
            let once = async |debugged: &Debugged| {
                build(
                    &args,
                    mode,
                    sink.clone(),
                    connection,
                    environment,
                    Some(debugged),
                )
                .await
            };
            debugging.repeat(once).await
        }
    };
    sink.end(built)
}

/// A build that is debugged in another way than at the terminal.
pub(crate) async fn debugged(
    args: &BuildArgs,
    sink: Sink,
    connection: &ConnectionArgs,
    environment: &Environment,
    debugged: &Debugged,
) -> Result<BuildOutcome, Failure> {
    build(
        args,
        Mode::Plain,
        sink,
        connection,
        environment,
        Some(debugged),
    )
    .await
}

/// Prepares the request, connects to a builder, builds on its nodes, and reports the result.
async fn build(
    args: &BuildArgs,
    mode: Mode,
    sink: Sink,
    connection: &ConnectionArgs,
    environment: &Environment,
    debugged: Option<&Debugged>,
) -> Result<BuildOutcome, Failure> {
    let request = complete_request(args, connection, environment)?;
    let publish = args
        .publishing
        .publish(request.outputs.iter(), environment)?;
    let platform = only_platform(&request);
    let cancelled = match debugged {
        None => interrupt::token()?,
        Some(debugged) => debugged.cancelled.clone(),
    };
    let namespace = request.build_args.get(NAMESPACE).map_or("", String::as_str);
    let copies = &args.cache_mounts;
    let copies = copies.parse(namespace, mode, &args.registries, environment)?;
    let preparing = prepare(args, request, mode, connection, environment);
    let (prepared, ready) = unless_cancelled(preparing, &cancelled, mode).await?;

    let clients = nodes::clients(&ready.nodes, [&ready.plan]);
    unless_cancelled(copies.before(&clients), &cancelled, mode).await?;

    let request = prepared.request();
    let load = loading::opener(request, ready.address(), connection, environment).await?;
    let run = Run::new(
        &args.registries,
        &args.publishing.retries,
        nodes::insecure(request),
        connection,
        environment,
    )?;
    ready.warn(&run.progress);
    if environment.identity == Identity::Buildx {
        prepared.show_inputs(&run.progress);
    }
    default_load::warn(request, &ready.used, mode, &run.progress);
    let refused = run.refused(ready.askable(request.pushes()));
    let registries = run.registries();
    let shown = Shown {
        mode,
        sink,
        platform,
        used: &ready.used,
        environment,
        hold: debugged.map(|it| it.hold.clone()).unwrap_or_default(),
    };
    let reconnect = Reconnect {
        within: args.reconnect,
    };
    let recording = Recording::new(args.explain, environment);
    let (mut settings, running) = run.start(shown, load, reconnect, &recording, &cancelled);
    settings.hook = debugged.map(|it| Arc::clone(&it.hook));
    settings.step_limit = args
        .max_parallel_steps
        .map(|most| StepLimit::new(most.into()));
    let plan = ready.plan.clone();
    let building = ready
        .nodes
        .publish(&prepared, plan, &registries, settings, &publish);
    let result = running
        .until_refused(building, refused, Result::is_ok)
        .await;
    let broken = running.broken.clone();
    let summary = running.end().await;
    let is_built = matches!(&result, Ok(Ok(_)));
    let copied = copies
        .unless_interrupted(clients, is_built, &cancelled)
        .await;
    recording.end(vec![outcome::target(args, is_built)], mode, environment);

    let built = result.and_then(|built| {
        built.map_err(|error| {
            let failure =
                nodes_failure::explain(&error, &summary, mode).incomplete(&broken.paths());
            let Some(code) =
                nodes_failure::cause(&error).and_then(build_failure::process_exit_code)
            else {
                return failure;
            };
            let failure = match (mode, debugged, environment.identity) {
                (Mode::Tty, None, Identity::Solvekit) => failure.report_after(SHELL),
                _ => failure,
            };
            match args.propagate_exit_code {
                true => failure.code(code),
                false => failure,
            }
        })
    });
    let report = report(prepared.request(), &built, &summary);
    let reported = args.reports.write(&report, environment);
    let built = built?;
    reported?;
    copied?;
    outcome::finish(args, built, &ready.used, &summary, mode, environment)
}

/// The request of the flags, with what the builder and the program's name add to it.
fn complete_request(
    args: &BuildArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<BuildRequest, Failure> {
    let mut request = request::build_request(args, environment)?;
    args.results.check(&request.outputs)?;
    args.reports.check()?;
    default_load::apply(&mut request, connection, environment)?;
    // docker build keeps an image without a name too, and tells its id.
    request.keep_unnamed =
        environment.identity == Identity::Buildx || args.quiet || args.results.wants_id();
    Ok(request)
}

fn only_platform(request: &BuildRequest) -> Option<String> {
    match request.platforms.as_slice() {
        [only] => Some(only.to_string()),
        _ => None,
    }
}

/// The report of a build, named after its first tag.
fn report(
    request: &BuildRequest,
    built: &Result<Built, Failure>,
    summary: &Summary,
) -> BuildReport {
    let tag = request.tags.first().map(ToString::to_string);
    let title = tag.unwrap_or_else(|| "build".to_owned());
    let mut report = reports::of_build(title, built, built.as_ref().err(), summary);
    if report.platforms.is_empty() {
        let platforms = request.platforms.iter();
        report.platforms = platforms.map(ToString::to_string).collect();
    }
    report
}

/// Reads the inputs, connects to the builder and puts the platforms on its nodes.
async fn prepare(
    args: &BuildArgs,
    request: BuildRequest,
    mode: Mode,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(Prepared, Ready), Failure> {
    let prepared = pipeline::prepare(request).await;
    let prepared =
        prepared.map_err(|error| build_failure::explain(&error, &Summary::default(), mode))?;
    let key = args.contexts.state().local_path;
    let say = |line: &str| display::boot(mode, line);
    let reached = connection.reach(environment, &key, &say).await?;
    let ready = reached.plan(&prepared).await?;
    Ok((prepared, ready))
}

/// Waits for what comes before a build, unless the user interrupts it.
pub(crate) async fn unless_cancelled<T>(
    preparing: impl Future<Output = Result<T, Failure>>,
    cancelled: &CancellationToken,
    mode: Mode,
) -> Result<T, Failure> {
    tokio::select! {
        ready = preparing => ready,
        () = cancelled.cancelled() => {
            let interrupted = pipeline::Error::Interrupted;
            Err(build_failure::explain(&interrupted, &Summary::default(), mode))
        }
    }
}
