//! One build of the command, from its request to its report.

use std::path::PathBuf;
use std::sync::Arc;

use solvekit::build_report::BuildReport;
use solvekit::pipeline::{BuildOutcome, BuildRequest, Prepared, StepLimit};
use solvekit::progress::{Mode, Summary};
use solvekit::spread::{self, Built, Publish};
use tokio_util::sync::CancellationToken;

use super::run::{Run, Shown};
use super::{
    BuildArgs, complete_request, loading, only_platform, outcome, prepare, unless_cancelled, unused,
};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::explain::Recording;
use crate::cli::args::nodes::Ready;
use crate::cli::args::{default_load, nodes, reports};
use crate::cli::commands::cache_mount::NAMESPACE;
use crate::cli::debugger::Debugged;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::interrupt;
use crate::cli::report::again::again;
use crate::cli::report::display::Sink;
use crate::cli::report::terminal::warn;
use crate::cli::report::{Failure, build_failure, display, nodes_failure, recorded};

/// One build of the command.
pub(super) struct Build<'a> {
    args: &'a BuildArgs,
    mode: Mode,
    connection: &'a ConnectionArgs,
    environment: &'a Environment,
    /// The debugger of the build, if any.
    debugged: Option<&'a Debugged>,
    cancelled: CancellationToken,
}

/// The result of a build's steps, before it is reported.
struct Solved {
    result: Result<Result<Built, spread::Error>, Failure>,
    summary: Summary,
    /// The folders of local outputs that are incomplete.
    broken: Vec<PathBuf>,
    recording: Recording,
}

impl<'a> Build<'a> {
    pub(super) fn new(
        args: &'a BuildArgs,
        mode: Mode,
        connection: &'a ConnectionArgs,
        environment: &'a Environment,
        debugged: Option<&'a Debugged>,
    ) -> Result<Self, Failure> {
        let cancelled = match debugged {
            None => interrupt::token()?,
            Some(debugged) => debugged.cancelled.clone(),
        };
        Ok(Self {
            args,
            mode,
            connection,
            environment,
            debugged,
            cancelled,
        })
    }

    /// Prepares the request, connects to a builder, builds on its nodes, and reports the result.
    pub(super) async fn run(&self, sink: Sink) -> Result<BuildOutcome, Failure> {
        let (args, mode, environment) = (self.args, self.mode, self.environment);
        let request = complete_request(args, self.connection, environment)?;
        if let Some(warning) = unused::warning(args, &request, environment.identity)
            && matches!(mode, Mode::Tty | Mode::Plain)
        {
            warn(&warning);
        }
        let outputs = request.outputs.iter();
        let publish = args.publishing.publish(outputs, environment)?;
        let namespace = request.build_args.get(NAMESPACE).map_or("", String::as_str);
        let copies = &args.cache_mounts;
        let copies = copies.parse(namespace, mode, &args.registries, environment)?;

        let preparing = Box::pin(prepare(args, request, mode, self.connection, environment));
        let (prepared, ready) = self.unless_cancelled(preparing).await?;
        let clients = nodes::clients(&ready.nodes, [&ready.plan]);
        copies.before(&clients, &self.cancelled).await?;
        let solved = Box::pin(self.solve(&prepared, &ready, &publish, sink)).await?;
        let is_built = matches!(&solved.result, Ok(Ok(_)));
        let copied = copies
            .unless_interrupted(clients.clone(), is_built, &self.cancelled)
            .await;
        let target = outcome::target(args, is_built);
        solved.recording.end(vec![target], mode, environment);

        let (summary, broken) = (&solved.summary, &solved.broken);
        let built = solved.result.and_then(|built| {
            built.map_err(|error| self.failure(&error, summary).incomplete(broken))
        });
        if built.is_err() && environment.identity == Identity::Buildx {
            display::warnings(summary, mode, environment);
        }
        let mut report = report(prepared.request(), &built, summary);
        if let (Ok(built), false) = (&built, args.reports.is_empty()) {
            recorded::add_built(&mut report, "", built, &clients).await;
        }
        let reported = args.reports.write(&report, environment);
        let built = built?;
        reported?;
        let partly = build_failure::has_platform_with_failed_process(&built.outcome.failed);
        let shell = self.shell(partly);
        // A failed copy does not change the result of the build.
        let finished = outcome::finish(args, built, &ready.used, summary, mode, environment);
        let finished = finished.map_err(|failure| failure.shell(shell))?;
        copied?;
        Ok(finished)
    }

    /// Builds on the nodes, and shows the progress until the end.
    async fn solve(
        &self,
        prepared: &Prepared,
        ready: &Ready,
        publish: &Publish,
        sink: Sink,
    ) -> Result<Solved, Failure> {
        let (args, connection, environment) = (self.args, self.connection, self.environment);
        let request = prepared.request();
        let run = Run::new(
            &args.registries,
            &args.publishing.retries,
            nodes::insecure(request),
            connection,
            environment,
        )?;
        let (address, progress) = (ready.address(), &run.progress);
        let load = loading::opener(request, address, progress, connection, environment).await?;
        ready.warn(&run.progress);
        prepared.warn_of_inputs(&run.progress);
        if environment.identity == Identity::Buildx {
            prepared.show_inputs(&run.progress);
        }
        let identity = environment.identity;
        let late = default_load::warn(request, &ready.used, self.mode, &run.progress, identity);
        let refused = run.refused(ready.askable(request.pushes()));
        let registries = run.registries();
        let shown = Shown {
            mode: self.mode,
            sink,
            platform: only_platform(request),
            used: &ready.used,
            environment,
            hold: self.debugged.map(|it| it.hold.clone()),
        };
        let reconnect = args.reconnect.during_build();
        let recording = Recording::new(args.explain, environment);
        let (mut settings, running) =
            run.start(shown, load, reconnect, &recording, &self.cancelled);
        settings.hook = self.debugged.map(|it| Arc::clone(&it.hook));
        let most = args.max_parallel_steps;
        settings.step_limit = most.map(|most| StepLimit::new(most.into()));
        let plan = ready.plan.clone();
        let nodes = &ready.nodes;
        let building = Box::pin(nodes.publish(prepared, plan, &registries, settings, publish));
        let result = running
            .until_refused(building, refused, Result::is_ok)
            .await;
        ready.remember_lost();
        let broken = running.broken.paths();
        let started = running.started.builds();
        outcome::remember_started(args, &started, &ready.used, environment);
        let summary = running.end().await;
        if let Some(warning) = late {
            warn(&warning);
        }
        Ok(Solved {
            result,
            broken,
            summary,
            recording,
        })
    }

    /// The failure of a build, with its exit code.
    fn failure(&self, error: &spread::Error, summary: &Summary) -> Failure {
        let failure = nodes_failure::explain(error, summary, self.mode);
        let cause = nodes_failure::cause(error);
        let code = cause.and_then(build_failure::process_exit_code);
        let has_failed = cause.is_some_and(build_failure::has_failed_process);
        let failure = failure.shell(self.shell(has_failed));
        match (code, self.args.propagate_exit_code) {
            (Some(code), true) => failure.code(code),
            _ => failure,
        }
    }

    /// The command that opens a shell after a failed command of the Dockerfile, if there is a
    /// terminal.
    fn shell(&self, has_failed_process: bool) -> Option<String> {
        let is_at_terminal = self.mode == Mode::Tty && self.debugged.is_none();
        let can_open = is_at_terminal
            && self.environment.identity == Identity::Solvekit
            && !self.args.contexts.reads_stdin()
            && has_failed_process;
        can_open.then(|| again(&["build", "b"], "--debug=on-error"))
    }

    async fn unless_cancelled<T>(
        &self,
        preparing: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        unless_cancelled(preparing, &self.cancelled, self.mode).await
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
