//! `solvekit bake`: the flags of `docker buildx bake`, its look-up of files, `--print` and `--list`.

mod allow;
mod build;
mod explain;
mod files;
mod findings;
mod flags;
mod fmt;
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

use solvekit::bake::remote::Place;
use solvekit::bake::target::Policy;
use solvekit::bake::{self, Diagnostic, Evaluation, InputFile, Options, Plan, print};

use solvekit::pipeline::{BuildRequest, OnFailure, Reconnect};
use solvekit::session::new_id;
use solvekit::spread::Joint;

pub(crate) use flags::BakeArgs;

use super::build::call;
use super::build::write_file;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::places;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::display;
use crate::cli::report::terminal::{print_json, talk};

/// What the command is to do.
enum Action {
    List(list::Listing),
    Print,
    Build,
}

/// Reads the files, and builds, prints or lists what they define.
pub(crate) async fn cmd_bake(
    args: &BakeArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let set = overrides::texts(args)?;
    allow::check(&args.allow)?;
    let listing = args.listing();
    if args.print && listing.is_some() {
        return Err(Failure::new("--print and --list cannot be used together")
            .hint("--list shows what the files define, --print what would be built"));
    }
    let asked = remote::Asked::of(&args.targets);
    let machine = machine::ThisMachine::new()?;
    let settings = files::Settings::from_process()?;
    let formatted = args.formatted();
    let bake_environment = files::environment(&settings, &args.var, asked.context)?;
    let read = match asked.url {
        None => files::read(&args.file, &settings, read_stdin).map(|files| (files, None)),
        Some(url) => {
            let named = files::named(&args.file, &settings)?;
            let fetched = args.fetch(url, named, &machine, connection, environment);
            fetched.await
        }
    };
    if let (Some((names, mode)), Err(_)) = (&formatted, &read) {
        return fmt::fmt(names, *mode);
    }
    let (files, place) = read?;
    let options = Options {
        file_relative_paths: settings.file_relative_paths()?,
    };
    let no_files = remote::NoFiles(&machine);
    let reader: &dyn bake::FileReader = match asked.url {
        Some(_) => &no_files,
        None => &machine,
    };
    let evaluated = bake::evaluate(&files, &bake_environment, reader, &machine, options);
    if let Some((names, mode)) = &formatted {
        // A file that has mistakes can still be formatted.
        let wins = evaluated
            .as_ref()
            .is_ok_and(|it| tools::declares(it, "fmt"));
        if !wins {
            return fmt::fmt(names, *mode);
        }
        talk("fmt is a target of these files; to format the files, rename it\n");
    }
    let evaluation = evaluated.map_err(|error| failed(&error))?;
    let work = tools::Work {
        evaluation: &evaluation,
        names: asked.targets,
        set: &set.texts,
        environment: &bake_environment,
        files: &files,
    };
    if args.tools.run(&work)? {
        return Ok(());
    }
    let action = match listing {
        Some(text) => Action::List(list::Listing::parse(&text)?),
        None if args.print => Action::Print,
        None => Action::Build,
    };
    if let Action::List(listing) = action {
        return listing.print(&evaluation);
    }
    let mut plan = plan(&evaluation, asked.targets, &set.texts, &bake_environment)?;
    finish(&mut plan, set.policies, environment);
    if let (Some(url), Some(place)) = (asked.url, place) {
        remote::rebase(&mut plan, url, place)?;
    }
    check(&plan, &machine)?;
    if let Some(reference) = &args.changed_since {
        if asked.url.is_some() {
            return Err(Failure::new(
                "--changed-since compares files of a working tree, and this definition is elsewhere",
            )
            .hint("clone the repository, and run it there"));
        }
        let work = since::Work {
            reference,
            files: &args.file,
            settings: &settings,
            set: &set,
            variables: &bake_environment,
            options,
            machine: &machine,
            registries: &args.registries,
        };
        since::leave_out(&mut plan, &work, environment)?;
    }
    for target in plan.targets.values_mut() {
        let context = target.context.take().unwrap_or_default();
        target.context = Some(print::shown_context(&context));
    }
    match action {
        Action::Print => print_json(&print::plan_json(&plan.groups, &plan.targets)),
        _ => {
            if plan.targets.is_empty() {
                return args.nothing_to_build();
            }
            let granted = allow::grants(&args.allow, &args.set);
            let mode = display::mode(&args.progress.mode, false, environment)?;
            allow::ask(&granted, &plan, asked.url.is_some(), mode, &machine).await?;
            args.run(&plan, &machine, connection, environment).await
        }
    }
}

impl BakeArgs {
    /// The files of a definition that is elsewhere, and the files here that change it.
    async fn fetch(
        &self,
        url: &str,
        named: Vec<String>,
        machine: &machine::ThisMachine,
        connection: &ConnectionArgs,
        environment: &Environment,
    ) -> Result<(Vec<InputFile>, Option<Place>), Failure> {
        let is_here = |name: &String| name.starts_with(files::WORKING_DIRECTORY);
        let (here, there): (Vec<String>, Vec<String>) = named.into_iter().partition(is_here);
        let mode = display::mode(&self.progress.mode, false, environment)?;
        let fetched = remote::fetch(url, &there, mode, machine, connection, environment).await?;
        let mut files = fetched.files;
        if !here.is_empty() {
            files.extend(files::read_some(here, read_stdin)?);
        }
        if files.is_empty() {
            return Err(files::none().hint("name a file of the repository with -f"));
        }
        Ok((files, fetched.place))
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
        machine: &machine::ThisMachine,
        connection: &ConnectionArgs,
        environment: &Environment,
    ) -> Result<(), Failure> {
        let mode = display::mode(&self.progress.mode, false, environment)?;
        if let Some(path) = &self.metadata_file {
            places::ready("--metadata-file", path)?;
        }
        let flag = call::parse(&self.call, self.check)?;
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
            let settings = self.settings();
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
            outcome::show(&baked, mode);
            let ended = outcome::failure(&baked, mode).map_or(Ok(()), Err);
            sink.end_without_image(ended)?;
        }
        match answered.is_empty() {
            true => Ok(()),
            false => questions.show(plan, &answered),
        }
    }

    /// How the targets are built together.
    fn settings(&self) -> build::Settings {
        let mut joint = Joint::default();
        joint.on_failure = self.on_failure();
        joint.export_as_ready = self.push_as_ready;
        joint.parallel = self.max_parallel.map(usize::from);
        build::Settings {
            joint,
            reconnect: Reconnect {
                within: self.reconnect,
            },
            registries: self.registries.clone(),
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

/// The names of the targets and groups of these files, or of the usual ones; none if they have mistakes.
pub(crate) fn names(files: &[String]) -> Vec<String> {
    let evaluate = || {
        let (settings, machine) = (
            files::Settings::from_process()?,
            machine::ThisMachine::new()?,
        );
        let environment = files::environment(&settings, &[], "")?;
        let no_stdin = || Err(io::Error::from(io::ErrorKind::Unsupported));
        let files = files::read(files, &settings, no_stdin)?;
        let options = Options {
            file_relative_paths: settings.file_relative_paths()?,
        };
        let evaluated = bake::evaluate(&files, &environment, &machine, &machine, options);
        evaluated.map_err(|error| failed(&error))
    };
    let Ok(evaluation) = evaluate() else {
        return Vec::new();
    };
    let definition = evaluation.definition;
    let groups = definition.groups.into_iter().map(|group| group.name);
    let targets = definition.targets.into_iter().map(|target| target.name);
    groups.chain(targets).collect()
}

fn read_stdin() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .take(files::MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn plan(
    evaluation: &Evaluation,
    asked: &[String],
    set: &[String],
    environment: &bake::Environment,
) -> Result<Plan, Failure> {
    let default = ["default".to_owned()];
    let names = if asked.is_empty() {
        &default[..]
    } else {
        asked
    };
    evaluation.plan(names, set, environment).map_err(|error| {
        let failure = failed(&error);
        // Nobody has named it: say what there is instead.
        let known = &evaluation.definition.targets;
        if error.kind == bake::Kind::UnknownTarget && asked.is_empty() && !known.is_empty() {
            let names: Vec<&str> = known
                .iter()
                .map(|target| target.name.as_str())
                .take(8)
                .collect();
            return failure.hint(format!(
                "name what to build, for example: {}",
                names.join(", ")
            ));
        }
        failure
    })
}

/// Adds what the command line and the environment say of all targets alike.
fn finish(plan: &mut Plan, policies: overrides::Policies, environment: &Environment) {
    const EPOCH: &str = "SOURCE_DATE_EPOCH";
    for target in plan.targets.values_mut() {
        if policies == overrides::Policies::Disabled {
            let disabled = Policy {
                disabled: true,
                ..Policy::default()
            };
            target.policy = vec![disabled];
        }
        if let Some(epoch) = &environment.source_date_epoch {
            target
                .args
                .entry(EPOCH.to_owned())
                .or_insert_with(|| epoch.clone());
        }
    }
}

/// Finds what a build could not use; the target is named if there are several.
fn check(plan: &Plan, machine: &machine::ThisMachine) -> Result<(), Failure> {
    for (name, target) in &plan.targets {
        bake::check(target, machine)
            .map_err(|error| Failure::from_error(&error).behind(&format!("target {name}")))?;
    }
    Ok(())
}

/// The error of a bake file, with its lines before it.
fn failed(error: &Diagnostic) -> Failure {
    let failure = Failure::new(error.to_string());
    let failure = match &error.excerpt {
        Some(excerpt) => failure.report_before(excerpt.clone()),
        None => failure,
    };
    match error.hints.is_empty() {
        true => failure,
        false => failure.hint(error.hints.join("\n")),
    }
}
