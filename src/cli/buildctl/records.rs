//! `buildctl debug monitor` and `buildctl debug ctl`: builds as they happen, and their records.

use futures_util::StreamExt as _;
use solvekit::client::{BuildEvent, BuildEventKind};
use solvekit::oci::Descriptor;

use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::interrupt;
use crate::cli::report::Failure;
use crate::cli::report::terminal::print_text;

#[derive(Debug, clap::Args)]
pub(super) struct MonitorArgs {
    /// Show builds that have ended, too
    #[arg(long)]
    completed: bool,

    /// Show this build only
    #[arg(long = "ref", value_name = "REF", default_value = "")]
    build: String,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("change").required(true))]
pub(super) struct CtlArgs {
    /// The build: its reference
    #[arg(value_name = "REF")]
    build: String,

    /// Keep the record
    #[arg(long, group = "change")]
    pin: bool,

    /// Let the daemon remove the record again
    #[arg(long, group = "change")]
    unpin: bool,

    /// Remove the record
    #[arg(long, group = "change")]
    delete: bool,
}

/// Prints each change of the history, until the daemon or the user ends the stream.
pub(super) async fn cmd_monitor(
    args: &MonitorArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let cancelled = interrupt::token()?;
    let client = connection.connect(environment).await?;
    let mut events = client.build_events(&args.build, !args.completed).await?;
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            () = cancelled.cancelled() => return Ok(()),
        };
        match event {
            Some(event) => print_text(&shown(&event?))?,
            None => return Ok(()),
        }
    }
}

/// Changes the record of a build.
pub(super) async fn cmd_ctl(
    args: &CtlArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let client = connection.connect(environment).await?;
    match args.delete {
        true => client.delete_build_record(&args.build).await?,
        false => client.pin_build_record(&args.build, args.pin).await?,
    }
    Ok(())
}

fn shown(event: &BuildEvent) -> String {
    let kind = match event.kind {
        BuildEventKind::Started => "STARTED",
        BuildEventKind::Complete => "COMPLETE",
        BuildEventKind::Deleted => "DELETED",
    };
    let record = &event.record;
    let mut text = format!("event: {kind} ref:{}\n", record.build_ref);
    if record.total_steps != 0 {
        let (cached, total) = (record.cached_steps, record.total_steps);
        text.push_str(&format!("  cache: {cached}/{total}\n"));
    }
    if record.warnings != 0 {
        text.push_str(&format!("  warnings: {}\n", record.warnings));
    }
    for (name, found) in [("logs", &record.logs), ("trace", &record.trace)] {
        if let Some(found) = found {
            text.push_str(&format!("  {name}: {}\n", descriptor(found)));
        }
    }
    for (name, all) in [
        ("descriptor", &record.results),
        ("attestation", &record.attestations),
    ] {
        for (platform, found) in all {
            let platform = match platform.as_str() {
                "" => String::new(),
                platform => format!("[{platform}] "),
            };
            let lines = found.iter().map(descriptor);
            text.extend(lines.map(|it| format!("  {platform}{name}: {it}\n")));
        }
    }
    text
}

/// A descriptor in protobuf's text format.
fn descriptor(found: &Descriptor) -> String {
    let (kind, digest, size) = (&found.media_type, &found.digest, found.size);
    let mut text = format!("media_type:{kind:?} digest:\"{digest}\" size:{size}");
    for (key, value) in &found.annotations {
        text.push_str(&format!(" annotations:{{key:{key:?} value:{value:?}}}"));
    }
    text
}
