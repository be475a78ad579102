//! `solvekit history`: the builds that the daemon remembers.

mod attachment;
mod export;
mod filter;
mod import;
mod inspect;
pub(crate) mod logs;
mod ls;
mod record;
mod rm;
mod trace;

use solvekit::client::{BuildRecord, Client};

use crate::cli::args::builder::Used;
use crate::cli::args::connection::{ConnectionArgs, say};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::usage::HistoryUsage;

/// How many records are listed, as in buildx.
const LIMIT: usize = 50;

#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    #[command(subcommand)]
    command: HistoryCommand,
}

#[derive(Debug, clap::Subcommand)]
enum HistoryCommand {
    /// List builds, newest first
    Ls(ls::LsArgs),
    /// Show the details of a build
    Inspect(inspect::InspectArgs),
    /// Replay the progress and the logs of a build
    Logs(logs::LogsArgs),
    /// Remove builds from the daemon's history
    Rm(rm::RmArgs),
    /// Export builds as a bundle that Docker Desktop can open
    Export(export::ExportArgs),
    /// Check a bundle, and import it into Docker Desktop if that is installed
    Import(import::ImportArgs),
    /// Show a trace of what the daemon did during a build
    Trace(trace::TraceArgs),
}

/// Runs one of them.
pub(crate) async fn cmd_history(
    args: &HistoryArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    if let HistoryCommand::Import(args) = &args.command {
        // No daemon has a part in it.
        return import::cmd_import(args, environment).await;
    }
    let (client, used) = connection.connect_for(environment, &[], &say).await?;
    let daemon = Daemon {
        client,
        used,
        environment,
    };
    match &args.command {
        HistoryCommand::Ls(args) => ls::cmd_ls(args, &daemon).await,
        HistoryCommand::Inspect(args) => inspect::cmd_inspect(args, &daemon).await,
        HistoryCommand::Logs(args) => logs::cmd_logs(args, &daemon).await,
        HistoryCommand::Rm(args) => rm::cmd_rm(args, &daemon).await,
        HistoryCommand::Export(args) => export::cmd_export(args, &daemon).await,
        HistoryCommand::Import(_) => Ok(()),
        HistoryCommand::Trace(args) => trace::cmd_trace(args, &daemon).await,
    }
}

/// `buildctl debug logs`, which is the same.
pub(crate) async fn logs_of(
    args: &logs::LogsArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let (client, used) = connection.connect_for(environment, &[], &say).await?;
    let daemon = Daemon {
        client,
        used,
        environment,
    };
    logs::cmd_logs(args, &daemon).await
}

/// Whose history it is.
struct Daemon<'a> {
    client: Client,
    used: Used,
    environment: &'a Environment,
}

impl Daemon<'_> {
    /// The same of those that have ended.
    async fn ended(&self, named: Option<&str>) -> Result<BuildRecord, Failure> {
        let named = named.unwrap_or("^0");
        if let Some(offset) = named.strip_prefix('^') {
            let mut records = self.client.build_records().await?;
            records.retain(|record| record.completed_at.is_some());
            return nth(records, offset);
        }
        let record = self.record(Some(named)).await?;
        match record.completed_at {
            Some(_) => Ok(record),
            None => Err(Failure::new(format!(
                "the build {} has not ended yet",
                record.build_ref
            ))),
        }
    }

    /// The build that an argument names: a reference, `BUILDER/NODE/REF`, `^N` for the Nth before
    /// the newest, nothing for that.
    async fn record(&self, named: Option<&str>) -> Result<BuildRecord, Failure> {
        let named = named.unwrap_or("^0");
        if let Some(offset) = named.strip_prefix('^') {
            return nth(self.client.build_records().await?, offset);
        }
        let build_ref = bare(named);
        let found = match self.client.build_record(build_ref).await {
            // Of one that was removed a moment ago the daemon says that it is deleted.
            Err(error)
                if Failure::from_error(&error)
                    .into_message()
                    .contains("does not exist") =>
            {
                None
            }
            found => found?,
        };
        Ok(found.ok_or_else(|| HistoryUsage::UnknownBuild(build_ref.to_owned()))?)
    }
}

/// The record of `^N`.
fn nth(records: Vec<BuildRecord>, offset: &str) -> Result<BuildRecord, Failure> {
    let position: usize = offset
        .parse()
        .map_err(|_| HistoryUsage::Position(offset.to_owned()))?;
    let count = records.len();
    let mut records = records.into_iter();
    records.nth(position).ok_or_else(|| {
        Failure::new(format!(
            "the daemon remembers {count} builds: there is no ^{offset}"
        ))
    })
}

/// The daemon's name of a build in `BUILDER/NODE/REF`.
fn bare(named: &str) -> &str {
    named.rsplit('/').next().unwrap_or(named)
}
