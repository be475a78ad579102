//! `solvekit history`: the records of builds in the daemon.

mod attachment;
mod details;
mod export;
mod fields;
mod filter;
mod import;
mod inspect;
pub(crate) mod logs;
mod ls;
mod open;
mod record;
mod report;
mod rm;
mod trace;

use std::cmp::Reverse;

use futures_util::future::try_join_all;
use solvekit::client::{BuildRecord, Client};

use crate::cli::args::builder::Used;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::usage::HistoryUsage;

/// The most records in a listing, as in buildx.
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
    /// Open a build in Docker Desktop
    Open(open::OpenArgs),
    /// Remove builds from the daemon's history
    Rm(rm::RmArgs),
    /// Export builds as a bundle that Docker Desktop can open
    Export(export::ExportArgs),
    /// Check a bundle, and import it into Docker Desktop if that is installed
    Import(import::ImportArgs),
    /// Write a report of a build: its timeline, its critical path, why it failed
    Report(report::ReportArgs),
    /// Show a trace of what the daemon did during a build
    Trace(trace::TraceArgs),
}

/// Runs a subcommand.
pub(crate) async fn cmd_history(
    args: &HistoryArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    if let HistoryCommand::Import(args) = &args.command {
        // This command needs no daemon.
        return import::cmd_import(args, environment).await;
    }
    if let HistoryCommand::Inspect(args) = &args.command {
        args.check()?;
    }
    let history = History::of(connection, environment).await?;
    match &args.command {
        HistoryCommand::Ls(args) => ls::cmd_ls(args, &history).await,
        HistoryCommand::Inspect(args) => inspect::cmd_inspect(args, &history).await,
        HistoryCommand::Logs(args) => logs::cmd_logs(args, &history).await,
        HistoryCommand::Open(args) => open::cmd_open(args, &history).await,
        HistoryCommand::Rm(args) => rm::cmd_rm(args, &history).await,
        HistoryCommand::Export(args) => export::cmd_export(args, &history).await,
        HistoryCommand::Import(_) => Ok(()),
        HistoryCommand::Report(args) => report::cmd_report(args, &history).await,
        HistoryCommand::Trace(args) => trace::cmd_trace(args, &history).await,
    }
}

/// `buildctl debug logs`, which does the same.
pub(crate) async fn logs_of(
    args: &logs::LogsArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    logs::cmd_logs(args, &History::of(connection, environment).await?).await
}

/// The build records of a builder's nodes.
struct History<'a> {
    daemons: Vec<Daemon<'a>>,
}

/// The build records of one node.
struct Daemon<'a> {
    client: Client,
    used: Used,
    environment: &'a Environment,
}

/// A build, and the node that has its record.
struct Found<'a> {
    daemon: &'a Daemon<'a>,
    record: BuildRecord,
}

impl<'a> History<'a> {
    /// Connects to all nodes of the builder.
    async fn of(
        connection: &ConnectionArgs,
        environment: &'a Environment,
    ) -> Result<Self, Failure> {
        let daemons = connection.connect_all(environment).await?.into_iter();
        let daemons = daemons.map(|(client, used)| Daemon {
            client,
            used,
            environment,
        });
        Ok(Self {
            daemons: daemons.collect(),
        })
    }

    /// All builds, newest first.
    async fn builds(&self) -> Result<Vec<Found<'_>>, Failure> {
        let asked = self.daemons.iter();
        let asked = try_join_all(asked.map(|daemon| daemon.client.build_records())).await?;
        let mut all = Vec::new();
        for (daemon, records) in self.daemons.iter().zip(asked) {
            all.extend(records.into_iter().map(|record| Found { daemon, record }));
        }
        all.sort_by_key(|found| Reverse(found.record.created_at));
        Ok(all)
    }

    /// The finished builds, newest first.
    async fn ended_builds(&self) -> Result<Vec<Found<'_>>, Failure> {
        let mut all = self.builds().await?;
        all.retain(|found| found.record.completed_at.is_some());
        Ok(all)
    }

    /// As [`build`](Self::build), but only among finished builds.
    async fn ended(&self, named: Option<&str>) -> Result<Found<'_>, Failure> {
        if let Some(offset) = position(named) {
            return nth(self.ended_builds().await?, offset);
        }
        let found = self.build(named).await?;
        match found.record.completed_at {
            Some(_) => Ok(found),
            None => Err(Failure::new(format!(
                "the build {} has not ended yet",
                found.record.build_ref
            ))),
        }
    }

    /// The build for an argument: a reference, `BUILDER/NODE/REF`, or `^N` for the Nth before the
    /// newest. Without an argument, the newest.
    async fn build(&self, named: Option<&str>) -> Result<Found<'_>, Failure> {
        if let Some(offset) = position(named) {
            return nth(self.builds().await?, offset);
        }
        let build_ref = bare(named.unwrap_or_default());
        for daemon in &self.daemons {
            if let Some(record) = daemon.record(build_ref).await? {
                return Ok(Found { daemon, record });
            }
        }
        Err(HistoryUsage::UnknownBuild(build_ref.to_owned()).into())
    }
}

impl Daemon<'_> {
    /// The build with this reference, if this node has its record.
    async fn record(&self, build_ref: &str) -> Result<Option<BuildRecord>, Failure> {
        match self.client.build_record(build_ref).await {
            // The daemon's error for a record that was removed a moment ago.
            Err(error)
                if Failure::from_error(&error)
                    .into_message()
                    .contains("does not exist") =>
            {
                Ok(None)
            }
            found => Ok(found?),
        }
    }
}

/// N, if the argument is `^N`; 0 without an argument.
fn position(named: Option<&str>) -> Option<&str> {
    named.unwrap_or("^0").strip_prefix('^')
}

/// The build for `^N`.
fn nth<'a>(builds: Vec<Found<'a>>, offset: &str) -> Result<Found<'a>, Failure> {
    let position: usize = offset
        .parse()
        .map_err(|_| HistoryUsage::Position(offset.to_owned()))?;
    let count = builds.len();
    let found = builds.into_iter().nth(position);
    Ok(found.ok_or(HistoryUsage::NoSuchPosition {
        count,
        offset: position,
    })?)
}

/// The daemon's reference in `BUILDER/NODE/REF`.
fn bare(named: &str) -> &str {
    named.rsplit('/').next().unwrap_or(named)
}
