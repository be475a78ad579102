//! `solvekit history logs`.

use solvekit::progress;

use super::{Found, History};
use crate::cli::identity::Identity;
use crate::cli::report::Failure;
use crate::cli::report::display::{self, ProgressArgs};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LogsArgs {
    /// The build: its reference, or ^1 for the one before the newest [default: the newest build]
    #[arg(value_name = "REF")]
    build: Option<String>,

    #[command(flatten)]
    progress: ProgressArgs,
}

impl LogsArgs {
    /// True if a build is given.
    pub(crate) fn names_a_build(&self) -> bool {
        self.build.is_some()
    }
}

const EXAMPLES: &str = "\
Examples:
  solvekit history logs                       the newest build
  solvekit history logs ^1 --progress plain   the build before it";

/// Shows the steps and their output again on stderr, as during the build. For a running build,
/// until it ends.
pub(super) async fn cmd_logs(args: &LogsArgs, history: &History<'_>) -> Result<(), Failure> {
    let mode = match args.progress.mode.as_str() {
        // Plain, as in buildx: a log is for reading.
        "auto" => progress::Mode::Plain,
        text => {
            let environment = history.daemons.first().map(|daemon| daemon.environment);
            environment.map_or(Ok(progress::Mode::Plain), |environment| {
                display::mode(text, false, environment)
            })?
        }
    };
    let sink = args.progress.open(mode)?;
    let Found { daemon, record } = history.build(args.build.as_deref()).await?;
    let updates = daemon.client.status(&record.build_ref).await?;
    let (writer, received) = progress::channel();
    let shown = match daemon.environment.identity {
        // No headline: nothing is built, and buildx shows none.
        Identity::Buildx => display::start_alone(mode, sink, "", daemon.environment, received),
        Identity::Solvekit | Identity::Buildctl => {
            display::start(mode, sink, None, &daemon.used, daemon.environment, received)
        }
    };
    let forwarded = writer.source().forward(updates).await;
    drop(writer);
    shown.end().await;
    forwarded.map_err(Failure::from)
}
