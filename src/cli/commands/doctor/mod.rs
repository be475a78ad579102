//! `solvekit doctor`: shows what works on this machine and what does not, with the next steps.
//!
//! Each check has a file. Nothing is started, changed or installed, and only the named registries
//! are contacted.

mod daemon;
mod finding;
mod here;
mod registries;

use clap::ValueEnum;

use self::finding::{Finding, State};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_json, print_text};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// Check these registries too: whether they answer, and take your login
    #[arg(value_name = "REGISTRY")]
    registries: Vec<String>,

    #[command(flatten)]
    reach: RegistryArgs,

    /// Print in this format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people
    Text,
    /// JSON for programs, one object per line
    Json,
}

const EXAMPLES: &str = "\
Examples:
  solvekit doctor                                   this machine and the daemon
  solvekit doctor docker.io registry.example.com    these two registries too
  solvekit doctor --builder remote --format json    a builder, for a program

Exit codes: 0 nothing is broken, 1 something is.";

/// Runs all checks at once, and prints their results in a fixed order.
pub(crate) async fn cmd_doctor(
    args: &DoctorArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    // A registry is asked twice: for its service and for a token.
    let limit = connection.timeout() * 2;
    let (daemon, registries, logins) = tokio::join!(
        daemon::check(connection, environment),
        registries::check(&args.registries, &args.reach, environment, limit),
        registries::logins(environment, limit),
    );
    let mut findings = daemon;
    findings.extend(here::docker_host(environment));
    findings.extend(logins);
    findings.extend(registries);
    findings.extend(here::proxies(environment));
    findings.extend(here::store(environment));
    findings.extend(here::state(environment));
    findings.extend(here::plugins(environment));
    match args.format {
        Format::Text => print_text(&finding::text(&findings))?,
        Format::Json => print_json(&findings.iter().map(Finding::json).collect::<String>())?,
    }
    match findings
        .iter()
        .any(|finding| finding.state == State::Broken)
    {
        true => Err(Failure::silent(1)),
        false => Ok(()),
    }
}
