//! Flags without effect: the one table that says which flags a command ignores, and beside which
//! other flag. A warning names them. Contradictions are errors of `report::usage` instead.

mod rules;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use solvekit::progress::Mode;

use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::display;
use crate::cli::report::terminal::warn;
use rules::{Rest, Rule, When};

/// The flags of a command line that have no effect.
#[derive(Debug, Default)]
pub(crate) struct Ignored {
    warnings: Vec<Warning>,
    /// The value of `--progress`, which decides if warnings are shown.
    progress: Option<String>,
}

#[derive(Debug)]
struct Warning {
    text: String,
    /// True if it is also shown when this program is called as buildx.
    is_for_buildx: bool,
}

/// A flag of a command line.
struct Given<'a> {
    name: &'a str,
    is_hidden: bool,
}

impl Ignored {
    /// Looks the flags up in the table. The command must be the one that parsed them.
    pub(crate) fn of(command: &Command, matches: &ArgMatches) -> Self {
        let (mut command, mut matches) = (command, matches);
        let mut path: Vec<&str> = Vec::new();
        while let Some((name, inner)) = matches.subcommand()
            && let Some(found) = command.find_subcommand(name)
        {
            path.push(name);
            (command, matches) = (found, inner);
        }
        let path = path.join(" ");
        let given: Vec<Given<'_>> = command
            .get_arguments()
            .filter(|flag| !flag.is_global_set() && is_given(flag, matches))
            .filter_map(|flag| {
                Some(Given {
                    name: flag.get_long()?,
                    is_hidden: flag.is_hide_set(),
                })
            })
            .collect();
        let rules = rules::ALL.iter().filter(|it| it.commands.contains(&&*path));
        Self {
            warnings: rules.filter_map(|rule| rule.warning(&given)).collect(),
            progress: progress(command, matches),
        }
    }

    /// Prints the warnings, unless a program reads stderr. buildx says nothing about its own flags.
    pub(crate) fn warn(&self, environment: &Environment) {
        let progress = self.progress.as_deref().unwrap_or("auto");
        // An unknown mode is reported by the command.
        let mode = display::mode(progress, false, environment);
        if matches!(
            mode,
            Err(_) | Ok(Mode::RawJson | Mode::JsonLines | Mode::None)
        ) {
            return;
        }
        let in_buildx = environment.identity == Identity::Buildx;
        let shown = self.warnings.iter();
        let shown = shown.filter(|warning| warning.is_for_buildx || !in_buildx);
        for warning in shown {
            warn(&warning.text);
        }
    }
}

/// True if the command line gives the flag, with another value than its default.
fn is_given(flag: &Arg, matches: &ArgMatches) -> bool {
    let id = flag.get_id().as_str();
    if matches.value_source(id) != Some(ValueSource::CommandLine) {
        return false;
    }
    let values = matches.get_raw(id).unwrap_or_default();
    let defaults = flag.get_default_values().iter();
    !values.eq(defaults.map(|value| value.as_os_str()))
}

fn progress(command: &Command, matches: &ArgMatches) -> Option<String> {
    let flag = command
        .get_arguments()
        .find(|flag| flag.get_long() == Some("progress"))?;
    let mut values = matches.get_raw(flag.get_id().as_str())?;
    values.next_back()?.to_str().map(str::to_owned)
}

impl Rule {
    fn warning(&self, given: &[Given<'_>]) -> Option<Warning> {
        let has = |name: &str| given.iter().any(|flag| flag.name == name);
        let applies = match self.when {
            When::Beside(flag) => has(flag),
            When::Without(flags) => !flags.iter().any(|flag| has(flag)),
            When::Always => true,
        };
        let ignored = given.iter().filter(|flag| match self.rest {
            Rest::AllBut(lists) => {
                !flag.is_hidden && !lists.iter().any(|list| list.contains(&flag.name))
            }
            Rest::These(list) => list.contains(&flag.name),
        });
        let ignored = ignored.map(|flag| flag.name);
        let ignored: Vec<&str> = ignored.filter(|name| !self.when.is_beside(name)).collect();
        if !applies || ignored.is_empty() {
            return None;
        }
        let verb = if ignored.len() == 1 { "has" } else { "have" };
        let subject = listed(&ignored, "and");
        let because = self.because;
        let why = match self.when {
            When::Beside(flag) => format!("beside --{flag}, which {because}"),
            When::Without(flags) => format!("without {}", listed(flags, "or")),
            When::Always => format!("here: {because}"),
        };
        Some(Warning {
            text: format!("{subject} {verb} no effect {why}"),
            is_for_buildx: self.is_ours,
        })
    }
}

/// `--a, --b and --c`
fn listed(names: &[&str], word: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("--{name}")).collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests;
