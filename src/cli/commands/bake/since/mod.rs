//! `bake --changed-since REF`: skips targets without changes.

mod earlier;

mod git;

use std::collections::{BTreeMap, BTreeSet};

use solvekit::bake::{self, Earlier, LocalMachine, Options, Plan, Verdict, verdicts};

use super::files::Settings;
use super::overrides::Overrides;
use crate::cli::args::images::{Registries, on_own_thread};
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::talk;
use git::Commit;

/// The commit to compare with, and how the targets were planned.
pub(super) struct Work<'a> {
    /// A revision in git's syntax.
    pub(super) reference: &'a str,
    /// The files of `-f`.
    pub(super) files: &'a [String],
    pub(super) settings: &'a Settings,
    pub(super) set: &'a Overrides,
    pub(super) variables: &'a bake::Environment,
    pub(super) options: Options,
    pub(super) machine: &'a LocalMachine,
    pub(super) registries: &'a RegistryArgs,
}

/// Removes targets whose graphs read nothing that has changed, and prints a line for each.
pub(super) fn leave_out(
    plan: &mut Plan,
    work: &Work<'_>,
    environment: &Environment,
) -> Result<(), Failure> {
    let folder = std::env::current_dir()
        .map_err(|error| Failure::new(format!("cannot find the working directory: {error}")))?;
    let commit = Commit::find(&folder, work.reference)?;
    let names: Vec<&String> = plan.targets.keys().collect();
    let targets = earlier::targets(&commit, &names, work, environment)?;
    let mut earlier = Earlier::new(commit.root(), commit.time(), targets);
    earlier.changes = commit.changes()?;
    let verdicts = on_own_thread(|| {
        let images = Registries::new(work.registries, environment)?;
        Ok(verdicts(plan, &earlier, work.machine, &images))
    })?;
    tell(plan, &verdicts, work.reference);
    let unchanged = |(name, verdict): (&String, &Verdict)| {
        matches!(verdict, Verdict::Unchanged { .. }).then(|| name.clone())
    };
    let unchanged: BTreeSet<String> = verdicts.iter().filter_map(unchanged).collect();
    plan.leave_out(&unchanged);
    Ok(())
}

/// Prints one line for each requested target.
fn tell(plan: &Plan, verdicts: &BTreeMap<String, Verdict>, reference: &str) {
    let asked = plan.targets.values().filter(|target| !target.linked);
    for target in asked {
        if let Some(verdict) = verdicts.get(&target.name) {
            talk(&format!("{}: {}\n", target.name, words(verdict, reference)));
        }
    }
}

fn words(verdict: &Verdict, reference: &str) -> String {
    match verdict {
        Verdict::Unchanged { images } if images.is_empty() => {
            format!("left out, nothing that it reads changed since {reference}")
        }
        Verdict::Unchanged { images } => {
            let images: Vec<String> = images.iter().map(|image| image.familiar()).collect();
            format!(
                "left out, nothing that it reads changed since {reference}; {} was made before",
                images.join(", ")
            )
        }
        Verdict::Changed(change) => format!("built, {change}"),
        Verdict::Unknown(unknown) => {
            let reason = Failure::from_error(unknown).into_message();
            format!("built, {reason}")
        }
        _ => String::new(),
    }
}
