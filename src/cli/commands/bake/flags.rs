//! The flags of `solvekit bake`, named as those of `docker buildx bake`.

use std::path::PathBuf;

use super::tools::ToolArgs;
use crate::cli::args::complete;
use crate::cli::args::explain::Explain;
use crate::cli::args::headings::{BUILD, CACHES, OUTPUTS, PLATFORMS, PROGRESS};
use crate::cli::args::push::PublishArgs;
use crate::cli::args::reconnect::ReconnectArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::args::reports::ReportArgs;
use crate::cli::args::values;
use crate::cli::commands::build::dry_run::Form;
use crate::cli::commands::cache_mount::AroundArgs;
use crate::cli::debugger::DebugFlags;
use crate::cli::report::display::ProgressArgs;
use clap::ValueHint;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BakeArgs {
    /// The groups and targets to build; patterns such as app-* match several [default: default]
    #[arg(value_name = "TARGET", add = complete::bake_targets())]
    pub(super) targets: Vec<String>,

    /// Read this file: HCL, JSON or compose; - is stdin; repeatable
    #[arg(help_heading = BUILD, short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) file: Vec<String>,

    /// Change an attribute of targets: TARGET.KEY=VALUE; += adds to it; TARGET can be a pattern;
    /// repeatable
    #[arg(help_heading = BUILD, long, value_name = "OVERRIDE")]
    pub(super) set: Vec<String>,

    /// Set a variable; repeatable
    #[arg(help_heading = BUILD, long, value_name = "NAME=VALUE")]
    pub(super) var: Vec<String>,

    /// Leave out targets whose graphs read no file that changed since this commit, branch or tag,
    /// and say of each target why it is built
    #[arg(help_heading = BUILD, long, value_name = "REF",
        conflicts_with_all = ["list", "graph", "explain"])]
    pub(super) changed_since: Option<String>,

    /// Say which steps are cached and which would run, how large the contexts are and which tags
    /// would move, without running a command
    #[arg(
        help_heading = BUILD,
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text",
        value_name = "FORMAT",
        conflicts_with_all = ["print", "list", "call", "check"]
    )]
    pub(super) dry_run: Option<Form>,

    /// Print the targets as JSON instead of building them
    #[arg(help_heading = BUILD, long)]
    pub(super) print: bool,

    /// List what the files define: targets or variables; for programs: type=targets,format=json
    #[arg(help_heading = BUILD, long, value_name = "KIND")]
    pub(super) list: Option<String>,

    /// The older form of --list=targets
    #[arg(help_heading = BUILD, long, hide = true)]
    pub(super) list_targets: bool,

    /// The older form of --list=variables
    #[arg(help_heading = BUILD, long, hide = true)]
    pub(super) list_variables: bool,

    /// Answer a question instead of building: check, outline or targets, then
    /// [,format=json][,ignorestatus=true]
    #[arg(help_heading = BUILD, long,
        value_name = "CALL",
        default_value = "build",
        hide_default_value = true
    )]
    pub(super) call: String,

    /// Check the Dockerfiles instead of building them: short for --call=check
    #[arg(help_heading = BUILD, long)]
    pub(super) check: bool,

    /// Set the policy of all targets: disabled=true, or strict=BOOL and log-level=LEVEL; repeatable
    #[arg(help_heading = BUILD, long, value_name = "POLICY")]
    pub(super) policy: Vec<String>,

    /// Grant what the files ask for: network.host, security.insecure, device[=NAME], ssh,
    /// fs[.read|.write]=PATH, image[.push|.load]=NAME or buildx.local.delete; repeatable
    #[arg(help_heading = BUILD, long, value_name = "ENTITLEMENT")]
    pub(super) allow: Vec<String>,

    #[command(flatten)]
    pub(super) debug: DebugFlags,

    #[command(flatten)]
    pub(super) tools: ToolArgs,

    /// Push all images: short for --set=*.output=type=registry for targets that make images
    #[arg(help_heading = OUTPUTS, long)]
    pub(super) push: bool,

    /// Load all images into the Docker Engine: short for --set=*.output=type=docker for targets
    /// that make images
    #[arg(help_heading = OUTPUTS, long)]
    pub(super) load: bool,

    /// Export each target as soon as it is built, instead of all at the end
    #[arg(help_heading = OUTPUTS, long)]
    pub(super) push_as_ready: bool,

    /// Attest how all images were built: short for --set=*.attest=type=provenance,…
    #[arg(help_heading = OUTPUTS, long, value_name = "PROVENANCE")]
    pub(super) provenance: Option<String>,

    /// Attest which packages all images contain: short for --set=*.attest=type=sbom,…
    #[arg(help_heading = OUTPUTS, long, value_name = "SBOM")]
    pub(super) sbom: Option<String>,

    /// Write metadata of the results to this file, as JSON
    #[arg(help_heading = OUTPUTS, long, value_name = "FILE")]
    pub(super) metadata_file: Option<PathBuf>,

    /// Run every step, even if it is cached
    #[arg(
        help_heading = CACHES,
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "BOOL",
        value_parser = values::boolean
    )]
    pub(super) no_cache: Option<bool>,

    /// Look up base images in the registry, even if the daemon has them
    #[arg(
        help_heading = CACHES,
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_name = "BOOL",
        value_parser = values::boolean
    )]
    pub(super) pull: Option<bool>,

    /// Build at most this many platforms of all targets at once [default: all]
    #[arg(
        help_heading = PLATFORMS,
        long,
        value_name = "N",
        value_parser = values::number::<u16>(1..=65535, 4)
    )]
    pub(super) max_parallel: Option<u16>,

    /// Run at most this many steps at once, of all targets, platforms and stages [default: all]
    #[arg(
        help_heading = PLATFORMS,
        long,
        value_name = "N",
        value_parser = values::number::<u16>(1..=65535, 4)
    )]
    pub(super) max_parallel_steps: Option<u16>,

    /// When a target or a platform fails, let the others finish and report the result of each;
    /// nothing is exported
    #[arg(help_heading = PLATFORMS, long)]
    pub(super) keep_going: bool,

    /// With --keep-going, export the targets and platforms that were built
    #[arg(help_heading = PLATFORMS, long, requires = "keep_going")]
    pub(super) push_partial: bool,

    #[command(flatten)]
    pub(super) reports: ReportArgs,

    #[command(flatten)]
    pub(super) progress: ProgressArgs,

    /// Say after the build why each step that was not cached ran; off keeps no record of the builds
    /// for later comparisons
    #[arg(
        help_heading = PROGRESS,
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on",
        value_name = "WHEN"
    )]
    pub(super) explain_steps: Option<Explain>,

    #[command(flatten)]
    pub(super) cache_mounts: AroundArgs,

    #[command(flatten)]
    pub(super) registries: RegistryArgs,

    #[command(flatten)]
    pub(super) publishing: PublishArgs,

    #[command(flatten)]
    pub(super) reconnect: ReconnectArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit bake                                  build the group or target \"default\"
  solvekit bake app db --print                   show what would be built, as JSON
  solvekit bake -f compose.yaml -f extra.hcl     read several files, merged in order
  solvekit bake --set '*.platform=linux/arm64'   change every target
  solvekit bake --list=variables                 list what the environment or --var can set
  solvekit bake --changed-since origin/main      build what changed, and say why
  solvekit bake --graph                          draw groups, targets and links as Mermaid
  solvekit bake --explain app.args.VERSION       show where the value of an attribute comes from
  solvekit bake check                            find what is unused, unknown or overwritten
  solvekit bake fmt --check                      list HCL files that are not in canonical form

Without -f, bake reads the files in BUILDX_BAKE_FILE, or else those of these that exist, in this
order:
  compose.yaml, compose.yml, docker-compose.yml, docker-compose.yaml,
  docker-bake.json, docker-bake.hcl, docker-bake.override.json, docker-bake.override.hcl";
