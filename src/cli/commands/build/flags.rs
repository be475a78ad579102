//! The flags of `solvekit build`, named as those of `docker buildx build`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use solvekit::pipeline::{HostAddress, Ulimit};

use super::dry_run::Form;
use super::keep_going::PlatformArgs;
use super::result_files::ResultFileArgs;
use crate::cli::args::attestations::AttestationArgs;
use crate::cli::args::complete;
use crate::cli::args::contexts::ContextArgs;
use crate::cli::args::explain::Explain;
use crate::cli::args::headings::{BUILD, CACHES, OUTPUTS, PLATFORMS, PROGRESS, STEPS};
use crate::cli::args::legacy::LegacyArgs;
use crate::cli::args::permissions::PermissionArgs;
use crate::cli::args::policy::PolicyArgs;
use crate::cli::args::push::PublishArgs;
use crate::cli::args::reconnect::ReconnectArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::args::reports::ReportArgs;
use crate::cli::args::resources::ResourceArgs;
use crate::cli::args::value_files::{ArgumentArgs, TagFileArgs};
use crate::cli::args::values;
use crate::cli::commands::cache_mount::AroundArgs;
use crate::cli::debugger::DebugFlags;
use crate::cli::report::display::ProgressArgs;

#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    pub(super) contexts: ContextArgs,

    /// Build this stage [default: the last one]
    #[arg(help_heading = BUILD, long, value_name = "STAGE", add = complete::stages())]
    pub(super) target: Option<String>,

    #[command(flatten)]
    pub(super) arguments: ArgumentArgs,

    /// Choose who translates the Dockerfile: auto follows its '# syntax=' line, local is solvekit,
    /// dockerfile.v0 is the daemon's own frontend, anything else is the image of a frontend
    #[arg(help_heading = BUILD, long, value_name = "FRONTEND", default_value = "auto")]
    pub(super) frontend: String,

    /// Answer a question instead of building: check, outline, targets or subrequests.describe, then
    /// [,format=json][,ignorestatus=true]
    #[arg(help_heading = BUILD, long,
        value_name = "CALL",
        alias = "print",
        default_value = "build",
        hide_default_value = true
    )]
    pub(super) call: String,

    /// Check the Dockerfile instead of building it: short for --call=check
    #[arg(help_heading = BUILD, long)]
    pub(super) check: bool,

    /// Say which steps are cached and which would run, how large the contexts are and which tags
    /// would move, without running a command
    #[arg(
        help_heading = BUILD,
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text",
        value_name = "FORMAT",
        conflicts_with_all = ["call", "check"]
    )]
    pub(super) dry_run: Option<Form>,

    #[command(flatten)]
    pub(crate) debug: DebugFlags,

    #[command(flatten)]
    pub(super) policy: PolicyArgs,

    /// Use the base images that this lock records (see solvekit lock), without asking registries
    #[arg(help_heading = BUILD, long, value_name = "FILE")]
    pub(super) lock: Option<PathBuf>,

    /// Choose what happens when the lock does not have a base image
    #[arg(
        help_heading = BUILD,
        long,
        value_name = "ACTION",
        default_value = "error",
        value_parser = ["error", "resolve"],
        requires = "lock"
    )]
    pub(super) lock_missing: String,

    /// Provide a secret for RUN --mount=type=secret: id=ID[,src=FILE|,env=NAME]; repeatable
    #[arg(help_heading = STEPS, long, value_name = "SECRET")]
    pub(super) secret: Vec<String>,

    /// Provide an SSH agent or keys for RUN --mount=type=ssh: default, ID[=SOCKET] or ID=KEY[,KEY];
    /// repeatable
    #[arg(help_heading = STEPS, long, value_name = "AGENT")]
    pub(super) ssh: Vec<String>,

    /// Choose the network of RUN
    #[arg(
        help_heading = STEPS,
        long,
        value_name = "MODE",
        default_value = "default",
        value_parser = ["default", "host", "none"]
    )]
    pub(super) network: String,

    /// Add a line to /etc/hosts of RUN; the IP host-gateway is the machine of the Docker Engine
    /// that builds; repeatable
    #[arg(
        help_heading = STEPS,
        long,
        value_name = "HOST:IP",
        value_delimiter = ',',
        value_parser = values::extra_host
    )]
    pub(super) add_host: Vec<(String, HostAddress)>,

    /// Set the size of /dev/shm in RUN, for example 128m
    #[arg(help_heading = STEPS, long, value_name = "BYTES", value_parser = values::bytes)]
    pub(super) shm_size: Option<u64>,

    /// Set a resource limit for the processes of RUN; repeatable
    #[arg(
        help_heading = STEPS,
        long,
        value_name = "NAME=SOFT[:HARD]",
        value_parser = values::ulimit
    )]
    pub(super) ulimit: Vec<Ulimit>,

    #[command(flatten)]
    pub(super) resources: ResourceArgs,

    #[command(flatten)]
    pub(super) permissions: PermissionArgs,

    /// Name the image: [registry/]repository[:tag]; repeatable
    #[arg(help_heading = OUTPUTS, short, long, value_name = "NAME")]
    pub(super) tag: Vec<String>,

    #[command(flatten)]
    pub(super) tag_files: TagFileArgs,

    /// Write the result here: a folder, - for a tar archive on stdout, or
    /// type=TYPE[,dest=PATH][,key=value…] with image, registry, local, tar, oci, docker or
    /// cacheonly as TYPE; repeatable
    #[arg(help_heading = OUTPUTS, short, long, value_name = "OUTPUT")]
    pub(super) output: Vec<String>,

    /// Push the image to the registries of its names: short for --output=type=registry
    #[arg(help_heading = OUTPUTS, long)]
    pub(super) push: bool,

    /// Load the image into the Docker Engine that builds, or into the one of the current docker
    /// context: short for --output=type=docker
    #[arg(help_heading = OUTPUTS, long)]
    pub(super) load: bool,

    /// Add a label to the image; repeatable
    #[arg(help_heading = OUTPUTS, long, value_name = "KEY=VALUE", value_parser = values::key_value)]
    pub(super) label: Vec<(String, Option<String>)>,

    /// Add an annotation to the image: [TYPE[PLATFORM],…:]KEY=VALUE, where TYPE is manifest (the
    /// default), manifest-descriptor, index or index-descriptor; repeatable
    #[arg(help_heading = OUTPUTS, long, value_name = "ANNOTATION")]
    pub(super) annotation: Vec<String>,

    #[command(flatten)]
    pub(super) attestations: AttestationArgs,

    #[command(flatten)]
    pub(super) results: ResultFileArgs,

    #[command(flatten)]
    pub(super) reports: ReportArgs,

    /// Run every step, even if it is cached
    #[arg(help_heading = CACHES, long)]
    pub(super) no_cache: bool,

    /// Run the steps of these stages, even if they are cached
    #[arg(
        help_heading = CACHES,
        long,
        value_name = "STAGE",
        value_delimiter = ',',
        value_parser = NonEmptyStringValueParser::new(),
        add = complete::stages()
    )]
    pub(super) no_cache_filter: Vec<String>,

    /// Look up base images in the registry, even if the daemon has them
    #[arg(help_heading = CACHES, long)]
    pub(super) pull: bool,

    /// Import a cache: type=registry|local|gha|s3|azblob[,key=value…], or an image's name;
    /// repeatable
    #[arg(help_heading = CACHES, long, value_name = "CACHE")]
    pub(super) cache_from: Vec<String>,

    /// Export a cache: type=registry|local|inline|gha|s3|azblob[,mode=max][,key=value…], or an
    /// image's name; repeatable
    #[arg(help_heading = CACHES, long, value_name = "CACHE")]
    pub(super) cache_to: Vec<String>,

    #[command(flatten)]
    pub(super) cache_mounts: AroundArgs,

    /// Build for these platforms, for example linux/amd64,linux/arm64; "local" is this machine's
    /// [default: the daemon's]
    #[arg(
        help_heading = PLATFORMS,
        long,
        value_name = "PLATFORM",
        value_delimiter = ',',
        add = complete::platforms()
    )]
    pub(super) platform: Vec<String>,

    /// Build at most this many platforms at once on a node [default: all]
    #[arg(
        help_heading = PLATFORMS,
        long,
        value_name = "N",
        value_parser = values::number::<u16>(1..=65535, 4)
    )]
    pub(super) max_parallel_platforms: Option<u16>,

    /// Run at most this many steps at once, of all platforms and stages [default: all]
    #[arg(
        help_heading = PLATFORMS,
        long,
        value_name = "N",
        value_parser = values::number::<u16>(1..=65535, 4)
    )]
    pub(super) max_parallel_steps: Option<u16>,

    #[command(flatten)]
    pub(super) several: PlatformArgs,

    #[command(flatten)]
    pub(super) progress: ProgressArgs,

    /// Say after the build why each step that was not cached ran; off keeps no record of the build
    /// for later comparisons
    #[arg(
        help_heading = PROGRESS,
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on",
        value_name = "WHEN"
    )]
    pub(super) explain: Option<Explain>,

    /// Print only the image's digest, on stdout
    #[arg(help_heading = PROGRESS, short, long)]
    pub(super) quiet: bool,

    /// Exit with the exit code of the RUN process that failed
    #[arg(help_heading = PROGRESS, long)]
    pub(super) propagate_exit_code: bool,

    #[command(flatten)]
    pub(crate) registries: RegistryArgs,

    #[command(flatten)]
    pub(super) publishing: PublishArgs,

    #[command(flatten)]
    pub(super) reconnect: ReconnectArgs,

    #[command(flatten)]
    pub(super) legacy: LegacyArgs,
}

impl BuildArgs {
    /// The context as given, for the command's name in a trace.
    pub(crate) fn context(&self) -> &str {
        self.contexts.context()
    }

    /// Applies the editor's launch configuration, which replaces flags.
    pub(crate) fn launched(
        &mut self,
        context: Option<String>,
        dockerfile: Option<String>,
        target: Option<String>,
    ) {
        self.contexts.replace(context, dockerfile);
        self.target = target.or(self.target.take());
    }

    /// The absolute path of the Dockerfile, if it is a local file.
    pub(crate) fn dockerfile_path(&self) -> String {
        let state = self.contexts.state();
        match state.dockerfile_path.as_str() {
            "" => format!("{}/Dockerfile", state.local_path.trim_end_matches('/')),
            path => path.to_owned(),
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  solvekit build -t app .
      build the Dockerfile of this folder; a Docker Engine keeps the image
  solvekit build --platform linux/amd64,linux/arm64 -t registry.example.com/app:1.0 --push .
      build for two platforms at once, and push one index
  solvekit build -o dist --target binaries .
      copy the files of a stage to a folder
  solvekit build -o type=oci,dest=app.tar .
      write an OCI archive
  solvekit build --secret id=token,env=TOKEN --ssh default .
      give a secret and the SSH agent to RUN --mount
  solvekit build --cache-from type=registry,ref=registry.example.com/app:cache \\
                 --cache-to type=registry,ref=registry.example.com/app:cache,mode=max .
      keep the cache in a registry
  solvekit build --check .
      check the Dockerfile without building it
  solvekit build --debug=on-error .
      open a shell in the step that fails";
