//! `solvekit cache-mount export`.

use std::io::{self, IsTerminal as _};

use clap::ValueHint;
use solvekit::cache_mount::{CacheMount, Destination, Error, Exported, export, list};
use solvekit::client::Client;
use solvekit::llb::Sharing;
use tokio_util::sync::CancellationToken;

use super::UseArgs;
use crate::cli::args::cache_mounts::{Direction, Place};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::interrupt;
use crate::cli::report::records::size;
use crate::cli::report::terminal::{print, talk};
use crate::cli::report::usage::{CacheMountUsage, copy_failure};
use crate::cli::report::{Failure, explanation};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    mount: UseArgs,

    /// Copy to a folder, to a tar archive (.tar, .tar.gz; - is stdout), or to
    /// type=registry,ref=NAME; also type=local,dest=DIR and type=tar,dest=FILE
    #[arg(long, value_name = "PLACE", value_hint = ValueHint::AnyPath)]
    to: String,

    /// Replace what is in the folder
    #[arg(long)]
    replace: bool,

    /// Print nothing but the digest in the registry
    #[arg(short, long)]
    quiet: bool,

    #[command(flatten)]
    registries: RegistryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit cache-mount export --id go-build --to go-build.tar.gz
  solvekit cache-mount export --id /root/.cache --to - | tar -t
  solvekit cache-mount export --id npm --to type=registry,ref=registry.example.com/me/npm-cache:main

No image is pulled: a program of 200 bytes runs beside the mount.";

pub(super) async fn run(
    args: &ExportArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
    cancelled: &CancellationToken,
) -> Result<(), Failure> {
    let place = Place::parse(&args.to, Direction::To)?;
    if place == Place::Standard && io::stdout().is_terminal() {
        return Err(CacheMountUsage::ToTerminal.into());
    }
    let mount = args.mount.mount();
    let say = |line: &str| {
        if !args.quiet {
            talk(&format!("{line}\n"));
        }
    };
    let finding = async {
        let daemons = connection.connect_all(environment).await?;
        let clients = daemons.into_iter().map(|(client, _)| client).collect();
        holder(clients, &mount, &say).await.map_err(copy_failure)
    };
    let client = interrupt::unless(cancelled, finding).await?;
    let destination = place.destination(args.replace, &args.registries, environment)?;
    let exported = match export_noting(&client, &mount, destination, &say, cancelled).await {
        // It is not a failure if the reader is gone (`solvekit … | head`).
        Err(Error::Local { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => {
            return Ok(());
        }
        exported => exported.map_err(copy_failure)?,
    };
    say(&format!(
        "exported {} to {}",
        described(&mount, &exported),
        place.named(Direction::To)
    ));
    if let Some(digest) = &exported.digest {
        print(&format!("{place}@{digest}"))?;
    }
    Ok(())
}

/// The first node that has the mount.
pub(super) async fn holder(
    clients: Vec<Client>,
    mount: &CacheMount,
    say: &dyn Fn(&str),
) -> Result<Client, Error> {
    let not_found = || Error::NotFound {
        id: mount.id.clone(),
        known: Vec::new(),
    };
    // For a single node the copy itself reports the problem.
    if clients.len() < 2 {
        return clients.into_iter().next().ok_or_else(not_found);
    }
    let mut holders = Vec::new();
    for client in &clients {
        if list(client).await?.iter().any(|known| mount.matches(known)) {
            holders.push(client);
        }
    }
    if holders.len() > 1 {
        say(&format!(
            "{} nodes have the cache mount {:?}; the first one's is exported",
            holders.len(),
            mount.id
        ));
    }
    let holder = holders.first().copied().or(clients.first());
    holder.cloned().ok_or_else(not_found)
}

/// Exports a mount, and shows notes about it.
pub(super) async fn export_noting(
    client: &Client,
    mount: &CacheMount,
    destination: Destination,
    say: &dyn Fn(&str),
    cancelled: &CancellationToken,
) -> Result<Exported, Error> {
    tell_wait(client, mount, say, cancelled).await;
    let exported = export(client, mount, destination, cancelled).await?;
    let id = &mount.id;
    if exported.copies > 1 {
        let (copies, record) = (exported.copies, exported.record.as_deref());
        let which = record.map_or_else(|| "one of them".to_owned(), |it| format!("that of {it}"));
        say(&format!(
            "WARNING: the daemon has {copies} folders for the cache mount {id:?}; {which} was \
             exported (see solvekit cache-mount ls --format json)"
        ));
    }
    if exported.skipped > 0 {
        let skipped = exported.skipped;
        say(&format!(
            "{skipped} devices and sockets of {id:?} are left out"
        ));
    }
    if exported.changed > 0 {
        say(&format!(
            "WARNING: {} files of {id:?} were changed or removed meanwhile; what they lost is left \
             out, or has zeros in its place",
            exported.changed
        ));
    }
    if exported.owners_lost {
        say("owners are not kept: only root can set them in a folder; an archive keeps them");
    }
    Ok(exported)
}

/// Shows a note if the copy has to wait.
pub(super) async fn tell_wait(
    client: &Client,
    mount: &CacheMount,
    say: &dyn Fn(&str),
    cancelled: &CancellationToken,
) {
    // Ignore errors: this is only a note, and the copy itself reports them.
    let mounts = tokio::select! {
        () = cancelled.cancelled() => return,
        mounts = list(client) => mounts.unwrap_or_default(),
    };
    let mut same = mounts.iter().filter(|known| mount.matches(known));
    if mount.sharing == Sharing::Locked && same.any(|known| known.record.in_use) {
        say(&format!(
            "waiting: a build uses the cache mount {:?}",
            mount.id
        ));
    }
}

pub(super) fn described(mount: &CacheMount, exported: &Exported) -> String {
    counted(mount, exported.entries, exported.bytes)
}

pub(super) fn counted(mount: &CacheMount, entries: u64, bytes: u64) -> String {
    let bytes = size(i64::try_from(bytes).unwrap_or(i64::MAX));
    let entries = explanation::counted(entries, "entry", "entries");
    format!("the cache mount {:?} ({entries}, {bytes})", mount.id)
}
