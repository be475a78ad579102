//! Tools for bake files that buildx does not have: `--graph`, `--explain`, `check`.

use crate::cli::args::headings::BUILD;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::usage::BakeUsage;
use clap::ValueEnum;
use solvekit::bake::graph::graph;
use solvekit::bake::{self, Evaluation, InputFile, LocalMachine, Plan};

use super::{explain, failed, findings};
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_text, talk};

// The flags of the tools.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = BUILD)]
pub(super) struct ToolArgs {
    /// Draw groups, targets, links, inheritance and shared Dockerfiles
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "mermaid",
        value_name = "FORM",
        conflicts_with_all = ["print", "list"]
    )]
    graph: Option<GraphForm>,

    /// Show where the value of an attribute comes from: TARGET.ATTRIBUTE or TARGET.args.NAME;
    /// repeatable
    #[arg(long, value_name = "ATTRIBUTE", conflicts_with_all = ["print", "list", "graph"])]
    explain: Vec<String>,

    /// Print the findings of bake check in this format
    #[arg(
        long,
        value_name = "FORM",
        default_value = "text",
        hide_default_value = true
    )]
    format: FindingsForm,

    /// Ask no registry about base images in bake check
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FindingsForm {
    /// Text for people
    Text,
    /// JSON for programs
    Json,
}

/// The word that runs the check, unless a target or group has this name.
const CHECK: &str = "check";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GraphForm {
    /// Mermaid, which GitHub and GitLab show in Markdown
    Mermaid,
    /// The language of Graphviz
    Dot,
}

/// The input of the tools.
pub(super) struct Work<'a> {
    pub(super) evaluation: &'a Evaluation,
    /// The named targets; may be empty.
    pub(super) names: &'a [String],
    /// The overrides of `--set` and of its shorthand flags.
    pub(super) set: &'a [String],
    pub(super) environment: &'a bake::Environment,
    pub(super) files: &'a [InputFile],
    pub(super) machine: &'a LocalMachine,
    pub(super) registries: &'a RegistryArgs,
    /// The environment of the process.
    pub(super) process: &'a Environment,
}

impl ToolArgs {
    /// Runs the requested tool; false if none was requested.
    pub(super) fn run(&self, work: &Work<'_>) -> Result<bool, Failure> {
        for text in &self.explain {
            explain::explain(text, work)?;
        }
        if work.names.first().is_some_and(|name| name == CHECK) {
            if !declares(work.evaluation, CHECK) {
                let names = work.names.get(1..).unwrap_or_default();
                let as_json = self.format == FindingsForm::Json;
                return findings::check(&Work { names, ..*work }, as_json, self.offline)
                    .map(|()| true);
            }
            talk("check is a target of these files; to check the files, rename it\n");
        }
        if self.format == FindingsForm::Json {
            return Err(BakeUsage::FormatAlone.into());
        }
        if self.offline {
            return Err(BakeUsage::OfflineAlone.into());
        }
        let Some(form) = self.graph else {
            return Ok(!self.explain.is_empty());
        };
        let graph = graph(&work.evaluation.definition, &work.plan()?);
        let text = match form {
            GraphForm::Mermaid => graph.mermaid(),
            GraphForm::Dot => graph.dot(),
        };
        print_text(&text).map(|()| true)
    }
}

impl Work<'_> {
    /// The plan of the named targets, or else of all targets in the files.
    pub(super) fn plan(&self) -> Result<Plan, Failure> {
        let definition = &self.evaluation.definition;
        let groups = definition.groups.iter().map(|group| &group.name);
        let targets = definition.targets.iter().map(|target| &target.name);
        let all: Vec<String> = groups.chain(targets).cloned().collect();
        self.plan_of(if self.names.is_empty() {
            &all
        } else {
            self.names
        })
    }

    /// The plan of these groups and targets.
    pub(super) fn plan_of(&self, names: &[String]) -> Result<Plan, Failure> {
        self.evaluation
            .plan(names, self.set, self.environment)
            .map_err(|error| failed(&error))
    }
}

/// True if a target or group has this name.
pub(super) fn declares(evaluation: &Evaluation, name: &str) -> bool {
    let definition = &evaluation.definition;
    let mut targets = definition.targets.iter();
    targets.any(|target| target.name == name)
        || definition.groups.iter().any(|group| group.name == name)
}
