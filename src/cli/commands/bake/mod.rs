//! `solvekit bake`: the flags of `docker buildx bake`, its look-up of files, `--print` and
//! `--list`.

mod allow;
mod build;
mod definition;
mod explain;
mod files;
mod findings;
mod flags;
mod fmt;
mod hints;
mod list;
mod machine;
mod outcome;
mod overrides;
mod questions;
mod remote;
mod since;
mod tools;

use std::collections::BTreeMap;
use std::io::{self, Read as _};

use solvekit::bake::{Diagnostic, LocalMachine, Plan, print};
use solvekit::pipeline::{BuildRequest, OnFailure, Reconnect, StepLimit};
use solvekit::session::new_id;
use solvekit::spread::{Joint, Publish};

pub(crate) use definition::names;
use definition::{Bake, Definition};
pub(crate) use flags::BakeArgs;

use super::build::write_file;
use super::build::{call, dry_run};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::places;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::display;
use crate::cli::report::terminal::{print_json, talk};

/// Reads the files, and builds, prints, lists, checks or formats what they define.
pub(crate) async fn cmd_bake(
    args: &BakeArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let bake = Bake::of(args)?;
    let definition = bake.definition(connection, environment).await;
    if let Some((names, mode)) = args.formatted() {
        // A file that has mistakes can still be formatted.
        let declares = |it: &Definition| tools::declares(&it.evaluation, "fmt");
        if !definition.as_ref().is_ok_and(declares) {
            return fmt::fmt(&names, mode);
        }
        talk("fmt is a target of these files; to format the files, rename it\n");
    }
    let definition = definition?;
    if args.tools.run(&bake.work(&definition, environment))? {
        return Ok(());
    }
    if let Some(listing) = args.listing() {
        return list::Listing::parse(&listing)?.print(&definition.evaluation);
    }
    let plan = bake.plan(&definition, environment)?;
    match args.print {
        true => print_json(&print::plan_json(&plan.groups, &plan.targets)),
        false => args.build(&bake, &plan, connection, environment).await,
    }
}

impl BakeArgs {
    /// The targets as they were given, for their name in a trace.
    pub(crate) fn names(&self) -> &[String] {
        &self.targets
    }

    /// Asks for what the targets need and the flags do not grant, then builds.
    async fn build(
        &self,
        bake: &Bake<'_>,
        plan: &Plan,
        connection: &ConnectionArgs,
        environment: &Environment,
    ) -> Result<(), Failure> {
        if plan.targets.is_empty() {
            return self.nothing_to_build();
        }
        let granted = allow::grants(&self.allow, &self.set);
        let mode = display::mode(&self.progress.mode, false, environment)?;
        let is_remote = bake.asked.url.is_some();
        allow::ask(&granted, plan, is_remote, mode, &bake.machine).await?;
        self.run(plan, &bake.machine, connection, environment).await
    }

    /// Every target was left out.
    fn nothing_to_build(&self) -> Result<(), Failure> {
        talk("nothing to build\n");
        match &self.metadata_file {
            Some(path) => write_file(path, b"{}"),
            None => Ok(()),
        }
    }

    /// Builds the targets, and answers questions about those that are not built but asked about.
    async fn run(
        &self,
        plan: &Plan,
        machine: &LocalMachine,
        connection: &ConnectionArgs,
        environment: &Environment,
    ) -> Result<(), Failure> {
        let mode = display::mode(&self.progress.mode, false, environment)?;
        if let Some(path) = &self.metadata_file {
            places::ready("--metadata-file", path)?;
        }
        if let Some(form) = self.dry_run {
            let asking = dry_run::Asking {
                form,
                mode,
                registries: &self.registries,
                connection,
                environment,
            };
            let preparing = build::prepared(plan, machine, connection, environment);
            return dry_run::cmd_dry_run(preparing, asking).await;
        }
        let flag = call::parse(&self.call, self.check)?;
        self.reports.check()?;
        let questions = questions::Questions::of(plan, flag)?;
        let (to_build, to_ask) = questions.split(plan);
        let mut sink = self.progress.open(mode)?;
        let requests = |plan: &Plan| {
            let metadata = self.metadata_file.is_some();
            let requests = build::requests(plan, machine, metadata, connection, environment)?;
            Ok::<_, Failure>(self.with_failure_rules(requests))
        };
        let asked = requests(&to_ask)?;
        let mut baked = None;
        if !to_build.targets.is_empty() {
            let requests = requests(&to_build)?;
            let outputs = requests.values().flat_map(|request| &request.outputs);
            let publish = self.publishing.publish(outputs, environment)?;
            let settings = self.settings(publish);
            let shown = sink.clone();
            let built = build::build(
                &to_build,
                requests,
                settings,
                mode,
                shown,
                connection,
                environment,
            );
            match built.await {
                Ok(built) => baked = Some(built),
                Err(failure) => return sink.end_without_image(Err(failure)),
            }
        }
        let surroundings = call::Surroundings {
            mode,
            sink: sink.clone(),
            connection,
            registries: &self.registries,
            environment,
        };
        let answered = questions.ask(&to_ask, asked, surroundings).await?;
        if let Some(baked) = &baked {
            let group = new_id().map_err(|error| Failure::from_error(&error))?;
            outcome::remember(baked, &to_build, &group, environment);
            display::warnings(&baked.summary, mode, environment);
        }
        if let Some(path) = &self.metadata_file {
            let mut metadata = questions::metadata(&answered);
            if let Some(baked) = &baked {
                metadata.extend(outcome::metadata(baked, flag.is_none(), environment));
            }
            let text = serde_json::to_string_pretty(&metadata)
                .map_err(|error| Failure::new(format!("cannot write the metadata: {error}")))?;
            write_file(path, text.as_bytes())?;
        }
        if let Some(baked) = baked {
            outcome::show(&baked, mode, environment);
            let failure = outcome::failure(&baked, mode);
            let report = outcome::report(&baked, failure.as_ref());
            let reported = self.reports.write(&report, environment);
            let ended = failure.map_or(reported, Err);
            sink.end_without_image(ended)?;
        }
        match answered.is_empty() {
            true => Ok(()),
            false => questions.show(plan, &answered),
        }
    }

    /// How the targets are built together.
    fn settings(&self, publish: Publish) -> build::Settings {
        let mut joint = Joint::default();
        joint.on_failure = self.on_failure();
        joint.publish = publish;
        joint.export_as_ready = self.push_as_ready;
        joint.parallel = self.max_parallel.map(usize::from);
        build::Settings {
            joint,
            reconnect: Reconnect {
                within: self.reconnect,
            },
            step_limit: self
                .max_parallel_steps
                .map(|most| StepLimit::new(most.into())),
            registries: self.registries.clone(),
            retries: self.publishing.retries.clone(),
            explain: self.explain_steps,
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

impl BakeArgs {
    /// The files to format, if the first word is `fmt`; those of `-f` are among them.
    fn formatted(&self) -> Option<(Vec<&str>, fmt::Mode)> {
        let (first, names) = self.targets.split_first()?;
        let mode = match self.check {
            true => fmt::Mode::Check,
            false => fmt::Mode::Write,
        };
        let names = names.iter().chain(&self.file).map(String::as_str);
        (first == "fmt").then(|| (names.collect(), mode))
    }

    fn listing(&self) -> Option<String> {
        let older = |asked: bool, kind: &str| asked.then(|| kind.to_owned());
        let older =
            older(self.list_targets, "targets").or_else(|| older(self.list_variables, "variables"));
        self.list.clone().or(older)
    }
}

fn read_stdin() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(files::MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The error of a bake file, with its lines before it.
fn failed(error: &Diagnostic) -> Failure {
    let failure = Failure::new(error.to_string());
    let failure = match &error.excerpt {
        Some(excerpt) => failure.report_before(excerpt.clone()),
        None => failure,
    };
    failure.advised((!error.hints.is_empty()).then(|| error.hints.join("\n")))
}
