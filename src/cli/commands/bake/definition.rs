//! The input of `bake`: the files, their definitions, and the requested targets.

use std::io;

use solvekit::bake::remote::Place;
use solvekit::bake::target::Policy;
use solvekit::bake::{self, Evaluation, InputFile, LocalMachine, Options, Plan, print};

use super::{BakeArgs, allow, failed, files, machine, overrides, read_stdin, remote, since, tools};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::bake_files::BakeFiles;
use crate::cli::report::usage::BakeUsage;
use crate::cli::report::{Failure, display};

/// The flags, combined with the process's environment.
pub(super) struct Bake<'a> {
    args: &'a BakeArgs,
    set: overrides::Overrides,
    pub(super) asked: remote::Asked<'a>,
    pub(super) machine: LocalMachine,
    settings: files::Settings,
    variables: bake::Environment,
    options: Options,
}

/// The bake files, before they are evaluated.
pub(super) struct Sources {
    files: Vec<InputFile>,
    /// The remote place of the files; `None` if they are local.
    place: Option<Place>,
}

/// The evaluated bake files.
pub(super) struct Definition {
    files: Vec<InputFile>,
    /// The remote place of the files; `None` if they are local.
    place: Option<Place>,
    pub(super) evaluation: Evaluation,
}

impl<'a> Bake<'a> {
    /// Checks the flags before any bake file is read.
    pub(super) fn of(args: &'a BakeArgs, identity: Identity) -> Result<Self, Failure> {
        let set = overrides::texts(args)?;
        allow::check(&args.allow)?;
        if args.print && args.listing().is_some() {
            return Err(BakeUsage::PrintAndList.into());
        }
        let asked = remote::Asked::of(&args.targets);
        let settings = files::Settings::from_process()?;
        Ok(Self {
            variables: files::environment(&settings, &args.var, asked.context)?,
            options: Options {
                file_relative_paths: settings.file_relative_paths()?,
            },
            machine: machine::this(identity)?,
            args,
            set,
            asked,
            settings,
        })
    }

    /// Reads the files. Adds those of this machine to the files that the progress shows.
    pub(super) async fn read(
        &self,
        shown: &mut BakeFiles,
        connection: &ConnectionArgs,
        environment: &Environment,
    ) -> Result<Sources, Failure> {
        shown.variable = files::variable(&self.args.file, &self.settings);
        let Some(url) = self.asked.url else {
            let files = files::read(&self.args.file, &self.settings, read_stdin, shown)?;
            return Ok(Sources { files, place: None });
        };
        self.fetch(url, shown, connection, environment).await
    }

    /// Evaluates the files.
    pub(super) fn definition(&self, sources: Sources) -> Result<Definition, Failure> {
        let Sources { files, place } = sources;
        let no_files = remote::NoFiles(&self.machine);
        let reader: &dyn bake::FileReader = match self.asked.url {
            Some(_) => &no_files,
            None => &self.machine,
        };
        let evaluated =
            bake::evaluate(&files, &self.variables, reader, &self.machine, self.options);
        Ok(Definition {
            evaluation: evaluated.map_err(|error| failed(&error))?,
            files,
            place,
        })
    }

    /// The files of a remote definition, and the local files that override it.
    async fn fetch(
        &self,
        url: &str,
        shown: &mut BakeFiles,
        connection: &ConnectionArgs,
        environment: &Environment,
    ) -> Result<Sources, Failure> {
        let named = files::named(&self.args.file, &self.settings)?;
        let is_here = |name: &String| name.starts_with(files::WORKING_DIRECTORY);
        let (here, there): (Vec<String>, Vec<String>) = named.into_iter().partition(is_here);
        let mode = display::mode(&self.args.progress.mode, false, environment)?;
        let fetched =
            remote::fetch(url, &there, mode, &self.machine, connection, environment).await?;
        let mut files = fetched.files;
        if !here.is_empty() {
            files.extend(files::read_some(here, read_stdin, shown)?);
        }
        if files.is_empty() {
            return Err(BakeUsage::NoRemoteFile.into());
        }
        Ok(Sources {
            files,
            place: fetched.place,
        })
    }

    /// The input of `check`, `--graph` and `--explain`.
    pub(super) fn work<'b>(
        &'b self,
        definition: &'b Definition,
        environment: &'b Environment,
    ) -> tools::Work<'b> {
        tools::Work {
            evaluation: &definition.evaluation,
            names: self.asked.targets,
            set: &self.set.texts,
            environment: &self.variables,
            files: &definition.files,
            machine: &self.machine,
            registries: &self.args.registries,
            process: environment,
        }
    }

    /// The requested targets, checked and ready to be built or printed.
    pub(super) fn plan(
        &self,
        definition: &Definition,
        environment: &Environment,
    ) -> Result<Plan, Failure> {
        let names = self.asked.targets;
        let mut plan = chosen(
            &definition.evaluation,
            names,
            &self.set.texts,
            &self.variables,
        )?;
        finish(&mut plan, self.set.policies, environment);
        if let (Some(url), Some(place)) = (self.asked.url, &definition.place) {
            remote::rebase(&mut plan, url, *place)?;
        }
        check(&plan, &self.machine)?;
        if let Some(reference) = &self.args.changed_since {
            self.leave_out(&mut plan, reference, environment)?;
        }
        for target in plan.targets.values_mut() {
            let context = target.context.take().unwrap_or_default();
            target.context = Some(print::shown_context(&context));
        }
        Ok(plan)
    }

    /// Removes the targets that have not changed since a commit.
    fn leave_out(
        &self,
        plan: &mut Plan,
        reference: &str,
        environment: &Environment,
    ) -> Result<(), Failure> {
        if self.asked.url.is_some() {
            return Err(BakeUsage::ChangedElsewhere.into());
        }
        let work = since::Work {
            reference,
            files: &self.args.file,
            settings: &self.settings,
            set: &self.set,
            variables: &self.variables,
            options: self.options,
            machine: &self.machine,
            registries: &self.args.registries,
        };
        since::leave_out(plan, &work, environment)
    }
}

/// The names of the targets and groups in these files, or in the default ones; empty if they
/// contain mistakes.
pub(crate) fn names(files: &[String]) -> Vec<String> {
    let evaluate = || {
        let machine = machine::this(Identity::Solvekit)?;
        let settings = files::Settings::from_process()?;
        let variables = files::environment(&settings, &[], "")?;
        let no_stdin = || Err(io::Error::from(io::ErrorKind::Unsupported));
        let files = files::read(files, &settings, no_stdin, &mut BakeFiles::default())?;
        let options = Options {
            file_relative_paths: settings.file_relative_paths()?,
        };
        let evaluated = bake::evaluate(&files, &variables, &machine, &machine, options);
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

fn chosen(
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
        // The user did not name the default target: list the existing ones instead.
        let known = &evaluation.definition.targets;
        if error.kind == bake::Kind::UnknownTarget && asked.is_empty() && !known.is_empty() {
            let names: Vec<&str> = known
                .iter()
                .map(|target| target.name.as_str())
                .take(8)
                .collect();
            let names = names.join(", ");
            return failure.advised(Some(format!("name what to build, for example: {names}")));
        }
        failure
    })
}

/// Applies the settings of the command line and the environment to all targets.
pub(super) fn finish(plan: &mut Plan, policies: overrides::Policies, environment: &Environment) {
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

/// Rejects targets that could not be built. With several targets, the error names the target.
fn check(plan: &Plan, machine: &LocalMachine) -> Result<(), Failure> {
    for (name, target) in &plan.targets {
        bake::check(target, machine)
            .map_err(|error| Failure::from_error(&error).of_target(name))?;
    }
    Ok(())
}
