//! `solvekit history open`.

use std::process::{Command, Stdio};

use super::{Found, History};
use crate::cli::report::Failure;
use crate::cli::report::display::desktop_url;
use crate::cli::report::terminal::print;
use crate::cli::report::usage::HistoryUsage;

/// The programs that open a URL; the first installed one is used.
const OPENERS: [&str; 3] = ["xdg-open", "x-www-browser", "www-browser"];

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct OpenArgs {
    /// The build: its reference, or ^1 for the one before the newest [default: the newest build]
    #[arg(value_name = "REF")]
    build: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  solvekit history open      the newest build
  solvekit history open ^1   the build before it";

/// Prints the URL of a build, and opens it with a program of this machine.
pub(super) async fn cmd_open(args: &OpenArgs, history: &History<'_>) -> Result<(), Failure> {
    let Found { daemon, record } = history.build(args.build.as_deref()).await?;
    let url = desktop_url(&daemon.full_ref(&record));
    print(&url)?;
    for program in OPENERS {
        let mut command = Command::new(program);
        command.arg(&url).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_ok_and(|status| status.success()) {
            return Ok(());
        }
    }
    Err(HistoryUsage::NoOpener.into())
}
