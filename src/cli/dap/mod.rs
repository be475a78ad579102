//! `solvekit dap`: the Debug Adapter Protocol on stdin and stdout in the dialect of `buildx dap`,
//! so that editors can debug builds.

mod adapter;
mod attach;
mod breakpoints;
mod client;
mod inspect;
mod terminal;
mod thread;
mod wire;

use std::sync::Arc;

use solvekit::frontend::Hook;
use solvekit::progress::{Hold, Mode};

use super::args::connection::ConnectionArgs;
use super::commands::build::{self, BuildArgs};
use super::debugger::Debugged;
use super::environment::Environment;
use super::interrupt;
use super::report::Failure;
use super::report::display::Sink;
use adapter::Adapter;

#[derive(Debug, clap::Args)]
pub(crate) struct DapArgs {
    #[command(subcommand)]
    command: DapCommand,
}

#[derive(Debug, clap::Subcommand)]
enum DapCommand {
    /// Build, and speak the Debug Adapter Protocol on stdin and stdout
    Build(Box<DapBuildArgs>),
    /// Connect a terminal with a container (the editor starts this)
    #[command(hide = true)]
    Attach {
        /// The socket
        path: std::path::PathBuf,
    },
}

#[derive(Debug, clap::Args)]
#[command(mut_arg("context", |arg| arg.required(false).default_value(".")))]
struct DapBuildArgs {
    #[command(flatten)]
    build: BuildArgs,
}

pub(crate) async fn cmd_dap(
    args: DapArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    match args.command {
        DapCommand::Attach { path } => attach::cmd_attach(&path).await,
        DapCommand::Build(args) => debug(args.build, connection, environment).await,
    }
}

/// Serves the editor while the build runs.
async fn debug(
    mut args: BuildArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let cancelled = interrupt::token()?;
    let (client, writing) = client::Client::start(cancelled.clone());
    let adapter = Arc::new(Adapter::new(client.clone(), cancelled.clone()));
    let serving = tokio::spawn(Arc::clone(&adapter).serve());
    let built = match adapter.configured().await {
        None => Err(Failure::silent(1)),
        Some(launch) => {
            args.launched(launch.context_path, launch.dockerfile, launch.target);
            adapter.set_dockerfile(&args.dockerfile_path());
            let debugged = Debugged {
                hook: Arc::clone(&adapter) as Arc<dyn Hook>,
                cancelled,
                hold: Hold::default(),
            };
            let sink = Sink::to(Mode::Plain, client::Output(client.clone()));
            let building = build::debugged(&args, sink, connection, environment, &debugged);
            building.await.map(drop)
        }
    };
    if let Err(failure) = &built
        && !failure.message().is_empty()
    {
        // Editors do not show stderr.
        client.tell_error(failure.message());
    }
    adapter.end(built.is_ok());
    serving.abort();
    let _ = serving.await;
    drop(adapter);
    drop(client);
    let _ = writing.await;
    built
}
