//! `solvekit bake`: the flags of `docker buildx bake`, its file look-up, `--print` and `--list`.

mod allow;
mod baking;
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

use std::io::{self, Read as _};

use solvekit::bake::{Diagnostic, Plan, print};
use solvekit::progress::Mode;

use baking::Baking;
pub(crate) use definition::names;
use definition::{Bake, Definition};
pub(crate) use flags::BakeArgs;

use super::build::write_file;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::places;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::Failure;
use crate::cli::report::bake_files::BakeFiles;
use crate::cli::report::display;
use crate::cli::report::last_lines::Place;
use crate::cli::report::terminal::{print_json, talk};

/// Reads the files, and builds, prints, lists, checks or formats their definitions.
pub(crate) async fn cmd_bake(
    args: &BakeArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let bake = Bake::of(args, environment.identity)?;
    let mut local = BakeFiles::default();
    let read = bake.read(&mut local, connection, environment).await;
    let definition = read.and_then(|sources| bake.definition(sources));
    if let Some((names, mode)) = args.formatted() {
        // A file with mistakes can still be formatted.
        let declares = |it: &Definition| tools::declares(&it.evaluation, "fmt");
        if !definition.as_ref().is_ok_and(declares) {
            return fmt::fmt(&names, mode);
        }
        talk("fmt is a target of these files; to format the files, rename it\n");
    }
    let reading = args.reading(local, environment)?;
    let definition = reading.above(definition).await?;
    if args.tools.run(&bake.work(&definition, environment))? {
        return Ok(());
    }
    if let Some(listing) = args.listing() {
        reading.show().await;
        return list::Listing::parse(&listing)?.print(&definition.evaluation);
    }
    let plan = reading.above(bake.plan(&definition, environment)).await?;
    if args.print {
        reading.show().await;
        return print_json(&print::plan_json(&plan.groups, &plan.targets));
    }
    args.build(&bake, &plan, &reading, connection).await
}

/// The files of this machine that buildx's progress shows.
struct Reading<'a> {
    local: Option<BakeFiles>,
    mode: Mode,
    environment: &'a Environment,
}

impl Reading<'_> {
    /// Shows the files, for a command that does not build.
    async fn show(&self) {
        if let Some(local) = &self.local {
            local.show_alone(self.mode, self.environment).await;
        }
    }

    /// Shows the files above a failure.
    async fn above<T>(&self, result: Result<T, Failure>) -> Result<T, Failure> {
        if result.is_err() {
            self.show().await;
        }
        result
    }
}

impl BakeArgs {
    /// The targets as given, for the command's name in a trace.
    pub(crate) fn names(&self) -> &[String] {
        &self.targets
    }

    /// The progress of reading the files. Only buildx's progress shows it.
    fn reading<'a>(
        &self,
        local: BakeFiles,
        environment: &'a Environment,
    ) -> Result<Reading<'a>, Failure> {
        let is_shown = environment.identity == Identity::Buildx && !local.is_empty();
        let local = is_shown.then_some(local);
        let mode = match &local {
            Some(_) => display::mode(&self.progress.mode, false, environment)?,
            None => Mode::None,
        };
        Ok(Reading {
            local,
            mode,
            environment,
        })
    }

    /// Asks for entitlements that the flags do not grant, then builds.
    async fn build(
        &self,
        bake: &Bake<'_>,
        plan: &Plan,
        reading: &Reading<'_>,
        connection: &ConnectionArgs,
    ) -> Result<(), Failure> {
        let environment = reading.environment;
        if plan.targets.is_empty() {
            return self.nothing_to_build();
        }
        let granted = allow::grants(&self.allow, &self.set);
        let mode = display::mode(&self.progress.mode, false, environment)?;
        let is_remote = bake.asked.url.is_some();
        allow::ask(&granted, plan, is_remote, mode, &bake.machine, reading).await?;
        if let Some(path) = &self.metadata_file {
            places::ready("--metadata-file", path)?;
        }
        let baking = Baking {
            args: self,
            plan,
            local: reading.local.as_ref(),
            machine: &bake.machine,
            mode,
            connection,
            environment,
        };
        match self.dry_run {
            Some(form) => {
                self.debug.refuse_dry_run()?;
                baking.dry_run(form).await
            }
            None => baking.run().await,
        }
    }

    /// For the case that every target is left out.
    fn nothing_to_build(&self) -> Result<(), Failure> {
        talk("nothing to build\n");
        match &self.metadata_file {
            Some(path) => write_file(path, b"{}"),
            None => Ok(()),
        }
    }
}

impl BakeArgs {
    /// The files to format, including those of `-f`, if the first word is `fmt`.
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

/// The error of a bake file, below the lines that it is about.
fn failed(error: &Diagnostic) -> Failure {
    let failure = Failure::new(error.to_string()).in_buildx(error.to_reference());
    let failure = match error.excerpt() {
        Some(excerpt) => failure.report_before(excerpt),
        None => failure,
    };
    let failure = failure.bare_in_buildx(error.is_reference_alone());
    let place = error.span.as_ref().map(|span| Place {
        file: span.file.to_string(),
        line: span.start.line,
    });
    let failure = failure.at(place);
    failure.advised((!error.hints.is_empty()).then(|| error.hints.join("\n")))
}
