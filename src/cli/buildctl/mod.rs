//! buildctl's commands and flags, when this program is called by that name: for pods, nerdctl,
//! scripts.

mod cache;
mod debug;
mod metadata;
mod mistakes;
mod records;
mod workers;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory as _, Parser, Subcommand};
use solvekit_host::sockets::BUILDKITD;

use super::args::connection::ConnectionArgs;
use super::args::normalize;
use super::commands::plugin::Invocation;
use super::commands::{dial_stdio, solve};
use super::environment::Environment;
use super::identity::{BUILDCTL_VERSION, Identity};
use super::report::terminal::{print_text, talk};
use super::report::{Failure, failure};
use super::{log, run_async, trace};

/// The interval of the attempts with --wait.
const WAIT: Duration = Duration::from_millis(200);

/// Build with BuildKit: buildctl's commands, by solvekit
#[derive(Debug, Parser)]
#[command(name = "buildctl", version = BUILDCTL_VERSION, args_override_self = true)]
struct Buildctl {
    #[command(flatten)]
    connection: ConnectionArgs,

    /// Tell more about the daemon and about warnings
    #[arg(long, global = true, action = ArgAction::SetTrue)]
    debug: bool,

    /// Accepted and without effect: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    log_format: String,

    /// Wait until the daemon answers, as long as --timeout says
    #[arg(long)]
    wait: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Show what the build cache holds
    Du(cache::DuArgs),
    /// Clean up the build cache
    Prune(cache::PruneArgs),
    /// Clean up the build history
    PruneHistories(debug::HistoriesArgs),
    /// Build a graph from stdin, or with a frontend
    #[command(visible_alias = "b")]
    Build(Box<solve::SolveArgs>),
    /// Look into the daemon
    Debug(debug::DebugArgs),
    /// Connect stdin and stdout to the daemon
    #[command(hide = true)]
    DialStdio(dial_stdio::DialStdioArgs),
}

/// The exit code for an unknown command, as in buildctl.
const EXIT_UNKNOWN: u8 = 3;

/// Runs the command that the process was started with.
pub(super) fn main(invocation: &Invocation) -> ExitCode {
    let cli: Buildctl = match normalize::parse(invocation.arguments.clone()) {
        Ok(cli) => cli,
        Err(error) if error.kind() == ErrorKind::InvalidSubcommand => {
            talk(&mistakes::unknown_command(&error));
            return EXIT_UNKNOWN.into();
        }
        Err(error) => {
            return match mistakes::failure(&error) {
                Some(failure) => failure.in_words_of(Identity::Buildctl).report(),
                None => failure::usage(&error, false),
            };
        }
    };
    let code = match run(cli, invocation) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.in_words_of(Identity::Buildctl).report(),
    };
    trace::finish();
    code
}

fn run(mut cli: Buildctl, invocation: &Invocation) -> Result<(), Failure> {
    let mut environment = Environment::from_process(invocation);
    environment.debug |= cli.debug;
    let Some(command) = cli.command.take() else {
        return print_text(&Buildctl::command().render_help().to_string());
    };
    log::start(false, trace::start(title(&command), environment.identity));
    let host = environment.buildkit_host.clone();
    cli.connection
        .default_to(host.as_deref().unwrap_or(BUILDKITD));
    run_async(|| async move {
        if cli.wait {
            wait(&cli.connection, &environment).await?;
        }
        dispatch(command, &cli.connection, &environment).await
    })
}

/// The name of a command in a trace, as in buildctl.
fn title(command: &Command) -> Option<String> {
    let name = match command {
        Command::Du(_) => "du",
        Command::Prune(_) => "prune",
        Command::PruneHistories(_) => "prune-histories",
        Command::Build(_) => "build",
        Command::Debug(_) => "debug",
        Command::DialStdio(_) => return None,
    };
    Some(name.to_owned())
}

async fn dispatch(
    command: Command,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    match command {
        Command::Du(args) => cache::cmd_du(&args, connection, environment).await,
        Command::Prune(args) => cache::cmd_prune(&args, connection, environment).await,
        Command::PruneHistories(args) => {
            debug::cmd_prune_histories(&args, connection, environment).await
        }
        Command::Build(args) => Box::pin(solve::cmd_solve(*args, connection, environment)).await,
        Command::Debug(args) => debug::cmd_debug(&args, connection, environment).await,
        Command::DialStdio(args) => {
            dial_stdio::cmd_dial_stdio(&args, connection, environment).await
        }
    }
}

/// Tries until the daemon answers or the time of --timeout is over.
async fn wait(connection: &ConnectionArgs, environment: &Environment) -> Result<(), Failure> {
    let end = Instant::now() + connection.timeout();
    loop {
        let failure = match connection.connect(environment).await {
            Ok(client) => match client.info().await {
                Ok(_) => return Ok(()),
                Err(error) => Failure::from(error),
            },
            Err(failure) => failure,
        };
        if Instant::now() + WAIT >= end {
            return Err(failure);
        }
        tokio::time::sleep(WAIT).await;
    }
}
