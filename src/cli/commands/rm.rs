//! `solvekit rm` and `solvekit stop`: remove builders, or stop their nodes.

use solvekit::builder::{Builder, Status};
use solvekit::client::TimeLimits;

use crate::cli::args::builder::Builders;
use crate::cli::args::complete;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::terminal::talk;
use crate::cli::report::usage::BuilderUsage;
use crate::cli::report::{Failure, prompt};

#[derive(Debug, clap::Args)]
#[command(after_help = RM_EXAMPLES)]
pub(crate) struct RmArgs {
    /// The names of the builders [default: the current one]
    #[arg(value_name = "NAME", add = complete::builders())]
    names: Vec<String>,

    /// Remove all builders that are not running
    #[arg(long, conflicts_with = "names")]
    all_inactive: bool,

    /// Do not ask for confirmation
    #[arg(short, long)]
    force: bool,

    /// Keep the cache of its daemons
    #[arg(long)]
    keep_state: bool,

    /// Keep its daemons running
    #[arg(long)]
    keep_daemon: bool,
}

const RM_EXAMPLES: &str = "\
Examples:
  solvekit rm far                      remove the builder and its containers
  solvekit rm --keep-state far         keep its cache for a builder of the same name
  solvekit rm --all-inactive --force   clean up without questions";

#[derive(Debug, clap::Args)]
#[command(after_help = STOP_EXAMPLES)]
pub(crate) struct StopArgs {
    /// The name of the builder [default: the current one]
    #[arg(value_name = "NAME", add = complete::builders())]
    name: Option<String>,
}

const STOP_EXAMPLES: &str = "\
Example:
  solvekit stop far   the next build starts it again";

/// Removes builders. A node that cannot be stopped is reported, and its builder is removed anyway.
pub(crate) async fn cmd_rm(
    args: &RmArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let builders = Builders::of(environment)?;
    if args.all_inactive {
        return remove_inactive(args, &builders, connection.limits(), environment).await;
    }
    let mut names: Vec<&str> = args.names.iter().map(String::as_str).collect();
    let current;
    if names.is_empty() {
        current = builders.selected(None, connection, environment)?.name;
        names.push(&current);
    }
    let mut failed = None;
    for name in names {
        match remove(args, &builders, name).await {
            Ok(()) => talk(&format!("{name} removed\n")),
            Err(failure) if environment.identity == Identity::Buildx => {
                let failure = failure.in_words_of(Identity::Buildx);
                talk(&format!("failed to remove {name}: {}\n", failure.message()));
                failed = Some(Failure::new("failed to remove one or more builders"));
            }
            Err(failure) => {
                if let Some(before) = failed.replace(failure) {
                    before.report();
                }
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Stops the nodes of a builder; the next build starts them again.
pub(crate) async fn cmd_stop(
    args: &StopArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let builders = Builders::of(environment)?;
    let builder = builders.selected(args.name.as_deref(), connection, environment)?;
    if builder.of_context {
        // Nothing is stopped there, but a missing engine is an error, as in buildx.
        for report in builders.reports(&builder, connection.limits()).await {
            report?;
        }
    }
    for instance in builders.instances(&builder) {
        instance?.stop().await?;
    }
    Ok(())
}

async fn remove(args: &RmArgs, builders: &Builders, name: &str) -> Result<(), Failure> {
    let builder = builders.find(name)?;
    if builder.of_context {
        return Err(BuilderUsage::RemoveContext(name.to_owned()).into());
    }
    remove_found(args, builders, &builder).await
}

async fn remove_found(
    args: &RmArgs,
    builders: &Builders,
    builder: &Builder,
) -> Result<(), Failure> {
    let mut ended = Ok(());
    if !args.keep_daemon {
        for instance in builders.instances(builder) {
            let removed = match instance {
                Ok(instance) => instance.remove(args.keep_state).await,
                Err(error) => Err(error),
            };
            ended = ended.and(removed);
        }
    }
    builders.store.lock()?.remove(&builder.name)?;
    ended.map_err(|error| {
        let reason = Failure::from_error(&error).into_message();
        Failure::new(format!(
            "the builder {:?} is forgotten, and what it ran may be left: {reason}",
            builder.name
        ))
    })
}

async fn remove_inactive(
    args: &RmArgs,
    builders: &Builders,
    limits: TimeLimits,
    environment: &Environment,
) -> Result<(), Failure> {
    if !args.force && !prompt::confirmed(WARNING, environment.identity)? {
        return Ok(());
    }
    for builder in builders.store.builders()? {
        let builder = match builder {
            Ok(builder) => builder,
            Err(error) => {
                talk(&format!("{}\n", Failure::from(error).into_message()));
                continue;
            }
        };
        let reports = builders.reports(&builder, limits).await;
        let running = |report: &_| matches!(report, Ok(report) if is_running(report));
        if !builder.dynamic && !reports.iter().any(running) {
            remove_found(args, builders, &builder).await?;
            talk(&format!("{} removed\n", builder.name));
        }
    }
    Ok(())
}

fn is_running(report: &solvekit::builder::Report) -> bool {
    report.status == Status::Running
}

/// The question before builders are removed that were not named.
const WARNING: &str = "WARNING! This will remove all builders that are not in running state. Are \
                       you sure you want to continue?";
