//! The command line: `args` turns flags into the library's request types, `commands` has a file for
//! each command, `report` prints errors, hints and tables.

mod args;
mod buildctl;
mod commands;
mod dap;
mod debugger;
mod environment;
mod identity;
mod interrupt;
mod log;
#[cfg(test)]
mod reference;
mod report;
mod trace;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::pin::Pin;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use args::connection::{self, ConnectionArgs};
use args::effects::Ignored;
use args::headings::DAEMON;
use args::normalize;
use commands::{
    bake, build, cache_mount, completion, context, create, debug, dial_stdio, doctor, du, explain,
    frontend, history, image, imagetools, inspect, llb, lock, login, logout, ls, man, manifest,
    platforms, plugin, policy, proxy, prune, push, rm, solve, use_builder, verify, version,
    workers,
};
use environment::Environment;
use identity::Identity;
use report::{Failure, annotations, buildx_usage, failure, terminal};

/// Build images for many platforms at once with BuildKit.
#[derive(Debug, Parser)]
#[command(
    name = "solvekit",
    version,
    about,
    long_about = ABOUT,
    after_help = EXAMPLES,
    args_override_self = true,
    propagate_version = false
)]
struct Cli {
    #[command(flatten)]
    connection: connection::ConnectionArgs,

    /// Show warnings in full, and which daemon is used [env: DEBUG]
    #[arg(short = 'D', long, global = true, help_heading = DAEMON)]
    debug: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

const ABOUT: &str = "\
solvekit translates a Dockerfile into BuildKit's build graph for every platform that you ask for,
solves them all at once on a BuildKit daemon, and pushes one image index.";

const EXAMPLES: &str = "\
Examples:
  solvekit build -t app .
      build the Dockerfile of this folder
  solvekit build --platform linux/amd64,linux/arm64 -t registry.example.com/app:1.0 --push .
      build for two platforms, and push one index
  solvekit workers
      show what the daemon can build
  solvekit help build
      explain a command";

// The flags of a command are defined when it is called. So structs of flags have no doc comments,
// which would replace the descriptions here.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Build an image from a Dockerfile
    #[command(visible_alias = "b")]
    Build(Box<build::BuildArgs>),
    /// Build twice, and say where the two images differ
    Verify(Box<verify::VerifyArgs>),
    /// Build the targets of bake files (HCL, JSON or compose)
    #[command(visible_alias = "f")]
    Bake(Box<bake::BakeArgs>),
    /// Solve a graph or run a frontend of the daemon, like buildctl build
    Solve(Box<solve::SolveArgs>),
    /// Show the build graph of a Dockerfile, without a daemon
    Llb(Box<llb::LlbArgs>),
    /// Record the digests of base images, so that builds use exactly these images
    Lock(Box<lock::LockArgs>),
    /// Show what is in the build context
    Context(Box<context::ContextCommandArgs>),
    /// Inspect images in registries, and combine images into one index
    Imagetools(imagetools::ImagetoolsArgs),
    /// Create manifest lists and push them
    Manifest(manifest::ManifestArgs),
    /// Create a builder or change its nodes
    Create(Box<create::CreateArgs>),
    /// Choose the default builder
    Use(use_builder::UseArgs),
    /// List builders and their nodes
    Ls(ls::LsArgs),
    /// Show a builder and its nodes
    Inspect(inspect::InspectArgs),
    /// Remove builders
    Rm(rm::RmArgs),
    /// Stop the containers of a builder
    Stop(rm::StopArgs),
    /// Connect stdin and stdout to a builder's gRPC API
    DialStdio(dial_stdio::DialStdioArgs),
    /// Serve a builder at a plain BuildKit address
    Proxy(proxy::ProxyArgs),
    /// List the daemon's workers and their platforms
    Workers(workers::WorkersArgs),
    /// Show which platforms the builder runs natively, emulates, or cannot run
    Platforms(platforms::PlatformsArgs),
    /// List the records of the daemon's build cache
    Du(du::DuArgs),
    /// Remove records of the daemon's build cache
    Prune(prune::PruneArgs),
    /// Copy cache mounts (RUN --mount=type=cache) out of the daemon and into one
    CacheMount(Box<cache_mount::CacheMountArgs>),
    /// Push an image from an OCI layout or an archive
    Push(push::PushArgs),
    /// Copy images between registries, OCI layouts, archives and the Docker Engine
    Image(image::ImageArgs),
    /// Log in to a registry
    Login(login::LoginArgs),
    /// Log out of a registry
    Logout(logout::LogoutArgs),
    /// Show builds that the daemon remembers
    History(history::HistoryArgs),
    /// Explain why steps of a build ran again
    Explain(explain::ExplainArgs),
    /// Try out policies about the sources of builds
    Policy(policy::PolicyCommandArgs),
    /// Debug a build; show a daemon's version and workers
    Debug(debug::DebugArgs),
    /// Debug a build from an editor (Debug Adapter Protocol)
    Dap(dap::DapArgs),
    /// Serve as a frontend inside BuildKit (BuildKit starts this, not a person)
    Frontend(frontend::FrontendArgs),
    /// Check what works on this machine, and say how to fix what does not
    Doctor(doctor::DoctorArgs),
    /// Install solvekit as a plugin of the docker CLI
    InstallPlugin(plugin::InstallPluginArgs),
    /// Make docker builder an alias of docker buildx
    #[command(hide = true)]
    Install(plugin::AliasArgs),
    /// Remove the alias docker builder
    #[command(hide = true)]
    Uninstall(plugin::AliasArgs),
    /// Print the metadata that the docker CLI asks of its plugins
    #[command(name = "docker-cli-plugin-metadata", hide = true)]
    PluginMetadata,
    /// Answer the docker CLI when the user presses tab
    #[command(name = "__complete", hide = true)]
    Complete {
        /// The words so far
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Print the version
    Version(version::VersionArgs),
    /// Print a completion script for a shell
    Completion(completion::CompletionArgs),
    /// Print the manual pages (roff), or write one file per command to a folder
    Man(man::ManArgs),
}

/// Runs the command that the process was started with.
pub(crate) fn main() -> ExitCode {
    report::panic::call_panics_bugs();
    let invocation = plugin::Invocation::of(std::env::args_os().collect());
    if invocation.identity == Identity::Buildctl {
        return buildctl::main(&invocation);
    }
    if let Some(shell) = completion::asking_shell() {
        let answered = completion::answer_script(&shell, invocation.arguments, Cli::command());
        return answered.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS);
    }
    let (cli, ignored) = match normalize::parse_noting::<Cli>(invocation.arguments.clone()) {
        Ok(parsed) => parsed,
        Err(error) => return misused(&error, &invocation),
    };
    let code = match run(cli, &ignored, &invocation) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.in_words_of(invocation.identity).report(),
    };
    trace::finish();
    code
}

/// Reports arguments that cannot be parsed, in the words of the program that was called.
fn misused(error: &clap::Error, invocation: &plugin::Invocation) -> ExitCode {
    let in_buildx = match invocation.identity {
        Identity::Buildx => buildx_usage::failure(error),
        Identity::Solvekit | Identity::Buildctl => None,
    };
    let Some(failure) = in_buildx else {
        return failure::usage(error, compares(&invocation.arguments));
    };
    if let Some(group) = buildx_usage::group(error) {
        // The error is reported even if stdout is closed.
        let _ = help(invocation, &group);
    }
    failure.report()
}

/// True for a command whose exit code 1 means a difference.
fn compares(arguments: &[OsString]) -> bool {
    let known = Cli::command().ignore_errors(true);
    let Ok(matches) = known.try_get_matches_from(arguments) else {
        return false;
    };
    match matches.subcommand() {
        Some(("verify", _)) => true,
        Some(("image", image)) => image.subcommand_name() == Some("diff"),
        _ => false,
    }
}

fn run(cli: Cli, ignored: &Ignored, invocation: &plugin::Invocation) -> Result<(), Failure> {
    let mut environment = Environment::from_process(invocation);
    environment.debug |= cli.debug;
    let Some(command) = cli.command else {
        log::start(cli.debug, None);
        return help(invocation, &[]);
    };
    let recorder = trace::start(title(&command), environment.identity);
    log::start(cli.debug, recorder);
    ignored.warn(&environment);
    let is_build = matches!(command, Command::Build(_) | Command::Bake(_));
    let ended = dispatch(command, &cli.connection, &environment);
    if let (true, Err(failure)) = (is_build, &ended) {
        annotations::write_failure(failure, &environment);
    }
    ended
}

fn dispatch(
    command: Command,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    match command {
        Command::Build(args) => run_async(|| build::cmd_build(*args, connection, environment)),
        Command::Verify(args) => run_async(|| verify::cmd_verify(*args, connection, environment)),
        Command::Solve(args) => run_async(|| solve::cmd_solve(*args, connection, environment)),
        Command::Manifest(args) => run_async(|| manifest::cmd_manifest(&args, environment)),
        Command::Imagetools(args) => {
            run_async(|| imagetools::cmd_imagetools(&args, connection, environment))
        }
        Command::Create(args) => run_async(|| create::cmd_create(&args, connection, environment)),
        Command::Use(args) => use_builder::cmd_use(&args, connection, environment),
        Command::Ls(args) => run_async(|| ls::cmd_ls(&args, connection, environment)),
        Command::Inspect(args) => {
            run_async(|| inspect::cmd_inspect(&args, connection, environment))
        }
        Command::Rm(args) => run_async(|| rm::cmd_rm(&args, connection, environment)),
        Command::Stop(args) => run_async(|| rm::cmd_stop(&args, connection, environment)),
        Command::DialStdio(args) => {
            run_async(|| dial_stdio::cmd_dial_stdio(&args, connection, environment))
        }
        Command::Proxy(args) => run_async(|| proxy::cmd_proxy(&args, connection, environment)),
        Command::Workers(args) => {
            run_async(|| workers::cmd_workers(&args, connection, environment))
        }
        Command::Platforms(args) => {
            run_async(|| platforms::cmd_platforms(&args, connection, environment))
        }
        Command::Du(args) => run_async(|| du::cmd_du(&args, connection, environment)),
        Command::Prune(args) => run_async(|| prune::cmd_prune(&args, connection, environment)),
        Command::CacheMount(args) => {
            run_async(|| cache_mount::cmd_cache_mount(*args, connection, environment))
        }
        Command::Push(args) => run_async(|| push::cmd_push(args, environment)),
        Command::Image(args) => run_async(|| image::cmd_image(args, connection, environment)),
        Command::Login(args) => run_async(|| login::cmd_login(args, environment)),
        Command::Logout(args) => run_async(|| logout::cmd_logout(&args, environment)),
        Command::History(args) => {
            run_async(|| history::cmd_history(&args, connection, environment))
        }
        Command::Doctor(args) => run_async(|| doctor::cmd_doctor(&args, connection, environment)),
        Command::Debug(args) => run_async(|| debug::cmd_debug(args, connection, environment)),
        Command::Dap(args) => run_async(|| dap::cmd_dap(args, connection, environment)),
        Command::Policy(args) => run_async(|| policy::cmd_policy(&args, connection, environment)),
        Command::Frontend(args) => run_async(|| frontend::cmd_frontend(args)),
        Command::Bake(args) => run_async(|| bake::cmd_bake(&args, connection, environment)),
        Command::Explain(args) => explain::cmd_explain(&args, environment),
        Command::Context(args) => context::cmd_context(&args),
        Command::Llb(args) => llb::cmd_llb(&args, environment),
        Command::Lock(args) => lock::cmd_lock(&args, environment),
        Command::InstallPlugin(args) => plugin::cmd_install_plugin(&args, environment),
        Command::Install(_) => run_async(|| plugin::cmd_install(environment)),
        Command::Uninstall(_) => run_async(|| plugin::cmd_uninstall(environment)),
        Command::PluginMetadata => plugin::cmd_metadata(environment.identity),
        Command::Complete { words } => completion::answer_docker(&words, Cli::command()),
        Command::Version(args) => version::cmd_version(&args, environment),
        Command::Completion(args) => completion::cmd_completion(&args),
        Command::Man(args) => man::cmd_man(&args, Cli::command()),
    }
}

/// The name of a command in a trace. `None` for commands without a daemon or registry, for those
/// that only forward connections, and for the frontend: the daemon already has a span for it.
fn title(command: &Command) -> Option<String> {
    Some(match command {
        Command::Build(args) => format!("build {}", args.context()),
        Command::Bake(args) => format!("bake {}", args.names().join(" ")),
        Command::Solve(_) => "solve".to_owned(),
        Command::Imagetools(_) => "imagetools".to_owned(),
        Command::Manifest(_) => "manifest".to_owned(),
        Command::Create(_) => "create".to_owned(),
        Command::Inspect(_) => "inspect".to_owned(),
        Command::Workers(_) => "workers".to_owned(),
        Command::Platforms(_) => "platforms".to_owned(),
        Command::Du(_) => "du".to_owned(),
        Command::Prune(_) => "prune".to_owned(),
        Command::Push(_) => "push".to_owned(),
        Command::Image(_) => "image".to_owned(),
        Command::History(_) => "history".to_owned(),
        Command::Policy(_) => "policy".to_owned(),
        Command::Debug(_) => "debug".to_owned(),
        Command::Dap(_) => "dap".to_owned(),
        _ => return None,
    })
}

/// Prints the help of the command, or of a group of its commands, to stdout. That is also the
/// answer when no command is given: programs detect this one that way.
fn help(invocation: &plugin::Invocation, group: &[String]) -> Result<(), Failure> {
    let name = invocation.arguments.first().map(Path::new);
    let name = name.and_then(Path::file_name).and_then(OsStr::to_str);
    let mut command = Cli::command().bin_name(name.unwrap_or("solvekit").to_owned());
    command.build();
    for word in group {
        if let Some(found) = command.find_subcommand(word).cloned() {
            command = found;
        }
    }
    terminal::print_text(&command.render_help().to_string())
}

/// Runs a command on one thread: a build mostly waits, and handing its small messages from thread
/// to thread costs more than handling them. What can block has a thread of its own: files, prompts,
/// the display and signals. The closure and the box keep the commands' large futures off the stack,
/// where `dispatch` would have room for all of them.
fn run_async<F>(command: impl FnOnce() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start the runtime: {error}")))?;
    // Behind a pointer: otherwise the runtime is compiled once for each command.
    let command: Pin<Box<dyn Future<Output = _>>> = boxed(command);
    let result = runtime.block_on(trace::around(command));
    runtime.shutdown_background();
    result
}

#[inline(never)]
fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}
