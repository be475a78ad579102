//! Runs the targets of one command: builds them, or answers questions about them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use solvekit::bake::{LocalMachine, Plan};
use solvekit::pipeline::{BuildRequest, OnFailure, StepLimit};
use solvekit::progress::Mode;
use solvekit::session::new_id;
use solvekit::spread::{Joint, Publish};

use super::build::{Baked, Building};
use super::questions::{self, Questions};
use super::{BakeArgs, allow, build, outcome};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::commands::build::asking::{Reaching, Surroundings};
use crate::cli::commands::build::dry_run::{self, Form};
use crate::cli::commands::build::{call, write_file};
use crate::cli::debugger::Debugged;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::interrupt;
use crate::cli::report::Failure;
use crate::cli::report::again::again;
use crate::cli::report::bake_files::BakeFiles;
use crate::cli::report::display::{self, Sink};

/// The targets to bake, with the settings of the command.
pub(super) struct Baking<'a> {
    pub(super) args: &'a BakeArgs,
    pub(super) plan: &'a Plan,
    /// The files of this machine, for the first display of progress.
    pub(super) local: Option<&'a BakeFiles>,
    pub(super) machine: &'a LocalMachine,
    pub(super) mode: Mode,
    pub(super) connection: &'a ConnectionArgs,
    pub(super) environment: &'a Environment,
}

impl Baking<'_> {
    /// Prints what would run.
    pub(super) async fn dry_run(&self, form: Form) -> Result<(), Failure> {
        let preparing = build::prepared(self.plan, self.machine, self.connection, self.environment);
        dry_run::cmd_dry_run(preparing, form, self.reaching()).await
    }

    /// Builds the targets, and answers the questions about targets with a `call`.
    pub(super) async fn run(&self) -> Result<(), Failure> {
        let flag = call::parse(&self.args.call, self.args.check)?;
        self.args.reports.check()?;
        let questions = Questions::of(self.plan, flag)?;
        let (to_build, to_ask) = questions.split(self.plan);
        let mut sink = self.args.progress.open(self.mode)?;
        let asked = self.requests(&to_ask)?;
        let baked = match to_build.targets.is_empty() {
            true => None,
            false => match self.build_or_debug(&to_build, &sink).await {
                Ok(baked) => Some(baked),
                Err(failure) => return sink.end_without_image(Err(failure)),
            },
        };
        let surroundings = Surroundings {
            reaching: self.reaching(),
            bake_files: self.local.filter(|_| baked.is_none()),
            sink: sink.clone(),
        };
        let answered = questions.ask(&to_ask, asked, surroundings).await?;
        let mut metadata = questions::metadata(&answered);
        if let Some(baked) = &baked {
            self.remember(baked, &to_build)?;
            metadata.extend(outcome::metadata(baked, flag.is_none(), self.environment));
        }
        self.write_metadata(&metadata)?;
        if let Some(baked) = &baked {
            sink.end_without_image(self.report(baked).await)?;
        }
        match answered.is_empty() {
            true => Ok(()),
            false => questions.show(self.plan, &answered, self.environment.identity),
        }
    }

    fn reaching(&self) -> Reaching<'_> {
        Reaching {
            mode: self.mode,
            connection: self.connection,
            registries: &self.args.registries,
            environment: self.environment,
        }
    }

    fn requests(&self, plan: &Plan) -> Result<BTreeMap<String, BuildRequest>, Failure> {
        let has_metadata = self.args.metadata_file.is_some();
        let (machine, connection) = (self.machine, self.connection);
        let requests = build::requests(plan, machine, has_metadata, connection, self.environment)?;
        Ok(self.args.with_failure_rules(requests))
    }

    /// Builds the targets, with the debugger if the flags request it.
    async fn build_or_debug(&self, plan: &Plan, sink: &Sink) -> Result<Baked, Failure> {
        let reads_stdin = self.args.file.iter().any(|file| file == "-");
        let flags = &self.args.debug;
        let debugging = flags.debugging(self.mode, reads_stdin, self.environment)?;
        let Some(debugging) = debugging else {
            return self.build(plan, sink.clone(), None).await;
        };
        let build = async |debugged: &Debugged| {
            self.build(plan, sink.clone(), Some(debugged.clone())).await
        };
        debugging.repeat(build).await
    }

    async fn build(
        &self,
        plan: &Plan,
        sink: Sink,
        debugged: Option<Debugged>,
    ) -> Result<Baked, Failure> {
        let requests = self.requests(plan)?;
        let outputs = requests.values().flat_map(|request| &request.outputs);
        let publish = self.args.publishing.publish(outputs, self.environment)?;
        let cancelled = match &debugged {
            None => interrupt::token()?,
            Some(debugged) => debugged.cancelled.clone(),
        };
        let building = Building {
            plan,
            settings: self.args.settings(publish, debugged),
            mode: self.mode,
            local: self.local,
            connection: self.connection,
            environment: self.environment,
            cancelled,
        };
        building.run(requests, sink).await
    }

    /// Records the builds for `history`, and shows their warnings.
    fn remember(&self, baked: &Baked, plan: &Plan) -> Result<(), Failure> {
        let group = new_id().map_err(|error| Failure::from_error(&error))?;
        outcome::remember(baked, plan, &group, self.environment);
        display::warnings(&baked.summary, self.mode, self.environment);
        Ok(())
    }

    fn write_metadata(&self, metadata: &Map<String, Value>) -> Result<(), Failure> {
        let Some(path) = &self.args.metadata_file else {
            return Ok(());
        };
        let text = serde_json::to_string_pretty(metadata)
            .map_err(|error| Failure::new(format!("cannot write the metadata: {error}")))?;
        write_file(path, text.as_bytes())
    }

    /// Shows the results of the targets, and writes the requested reports.
    async fn report(&self, baked: &Baked) -> Result<(), Failure> {
        outcome::show(baked, self.mode, self.environment);
        let failure = outcome::failure(baked, self.mode);
        let failure = failure.map(|failure| failure.shell(self.shell(baked)));
        let mut report = outcome::report(baked, failure.as_ref());
        if !self.args.reports.is_empty() {
            outcome::add_recorded(&mut report, baked).await;
        }
        let reported = self.args.reports.write(&report, self.environment);
        failure.map_or(reported, Err)
    }
}

impl Baking<'_> {
    /// The command that opens a shell after a failed command of a Dockerfile, if there is a
    /// terminal.
    fn shell(&self, baked: &Baked) -> Option<String> {
        let reads_stdin = self.args.file.iter().any(|file| file == "-");
        let can_open = self.mode == Mode::Tty
            && self.environment.identity == Identity::Solvekit
            && !reads_stdin
            && !self.args.debug.is_asked_for()
            && outcome::has_failed_process(baked);
        can_open.then(|| again(&["bake"], "--debug=on-error"))
    }
}

impl BakeArgs {
    /// The settings that the targets share.
    fn settings(&self, publish: Publish, debugged: Option<Debugged>) -> build::Settings {
        let mut joint = Joint::default();
        joint.on_failure = self.on_failure();
        joint.publish = publish;
        joint.export_as_ready = self.push_as_ready;
        joint.parallel = self.max_parallel.map(usize::from);
        build::Settings {
            joint,
            reconnect: self.reconnect.clone(),
            step_limit: self
                .max_parallel_steps
                .map(|most| StepLimit::new(most.into())),
            registries: self.registries.clone(),
            retries: self.publishing.retries.clone(),
            explain: self.explain_steps,
            debugged,
            cache_mounts: self.cache_mounts.clone(),
        }
    }

    fn on_failure(&self) -> OnFailure {
        match (self.keep_going, self.push_partial) {
            (true, true) => OnFailure::Export,
            (true, false) => OnFailure::Finish,
            (false, _) => OnFailure::Cancel,
        }
    }

    fn with_failure_rules(
        &self,
        mut requests: BTreeMap<String, BuildRequest>,
    ) -> BTreeMap<String, BuildRequest> {
        for request in requests.values_mut() {
            request.on_failure = self.on_failure();
            allow::hand_over(request);
        }
        requests
    }
}
