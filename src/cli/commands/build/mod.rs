//! `solvekit build`: turns the flags of `docker build` into a [`BuildRequest`].

pub(crate) mod again;
pub(crate) mod asking;
mod building;
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
mod unused;

use std::sync::Arc;

use solvekit::pipeline::{self, BuildOutcome, BuildRequest, Prepared};
use solvekit::progress::{Mode, Summary};
use tokio_util::sync::CancellationToken;

use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::nodes::Ready;
use crate::cli::args::{default_load, ignored};
use crate::cli::debugger::Debugged;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::display::Sink;
use crate::cli::report::{Failure, build_failure, display};
use building::Build;

pub(crate) use flags::BuildArgs;
pub(crate) use outcome::{metadata, write_file};
pub(crate) use request::{platforms, refuse_terminal};

/// Builds, shows the progress, and writes the requested results.
pub(crate) async fn cmd_build(
    args: BuildArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let built = build_or_call(args, connection, environment).await;
    built.map_err(|failure| failure.prefixed_in_buildx("failed to build"))
}

async fn build_or_call(
    args: BuildArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let mode = display::mode(&args.progress.mode, args.quiet, environment)?;
    let mut sink = args.progress.open(mode)?;
    args.legacy.warn(mode, environment.identity);
    let reaching = asking::Reaching {
        mode,
        connection,
        registries: &args.registries,
        environment,
    };
    if let Some(question) = call::parse(&args.call, args.check)? {
        let request = request::build_request(&args, environment)?;
        let surroundings = asking::Surroundings {
            reaching,
            bake_files: None,
            sink,
        };
        let asked = call::cmd_call(request, question, &args.results, surroundings);
        return Box::pin(asked).await;
    }
    if let Some(form) = args.dry_run {
        args.debug.refuse_dry_run()?;
        let preparing = async {
            let request = complete_request(&args, connection, environment)?;
            let prepared = pipeline::prepare(request).await;
            let prepared = prepared
                .map_err(|error| build_failure::explain(&error, &Summary::default(), mode))?;
            Ok(vec![(None, Arc::new(prepared))])
        };
        return Box::pin(dry_run::cmd_dry_run(preparing, form, reaching)).await;
    }
    let debugging = args
        .debug
        .debugging(mode, args.contexts.reads_stdin(), environment)?;
    let once = async |debugged: Option<&Debugged>| {
        let build = Build::new(&args, mode, connection, environment, debugged)?;
        Box::pin(build.run(sink.clone())).await
    };
    let built = match debugging {
        None => once(None).await,
        Some(debugging) => {
            let once = async |debugged: &Debugged| once(Some(debugged)).await;
            debugging.repeat(once).await
        }
    };
    sink.end(built)
}

/// A build with a debugger other than the one at the terminal.
pub(crate) async fn debugged(
    args: &BuildArgs,
    sink: Sink,
    connection: &ConnectionArgs,
    environment: &Environment,
    debugged: &Debugged,
) -> Result<BuildOutcome, Failure> {
    let build = Build::new(args, Mode::Plain, connection, environment, Some(debugged))?;
    Box::pin(build.run(sink)).await
}

/// The request of the flags, with the defaults of the builder and of the program's name.
fn complete_request(
    args: &BuildArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<BuildRequest, Failure> {
    let mut request = request::build_request(args, environment)?;
    let in_buildx = environment.identity == Identity::Buildx;
    if args.dry_run.is_none() {
        args.results.check(&request.outputs, in_buildx)?;
        args.reports.check()?;
    }
    ignored::warn(&request.ignored_values(), None);
    default_load::apply(&mut request, connection, environment)?;
    // docker build also keeps an image without a name, and prints its id.
    request.keep_unnamed = in_buildx || args.quiet || args.results.wants_id();
    Ok(request)
}

fn only_platform(request: &BuildRequest) -> Option<String> {
    match request.platforms.as_slice() {
        [only] => Some(only.to_string()),
        _ => None,
    }
}

/// Reads the inputs, connects to the builder and distributes the platforms over its nodes.
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
    let connecting = args.reconnect.connecting(&say, async || {
        let reached = connection.reach(environment, &key, &say).await?;
        reached.plan(&prepared).await
    });
    let ready = connecting.await?;
    Ok((prepared, ready))
}

/// Runs the preparation of a build, unless the user interrupts it.
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
