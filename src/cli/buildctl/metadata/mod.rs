//! `buildctl debug dump-metadata`: prints the databases of a stopped daemon.

mod bolt;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use solvekit_host::files::try_lock_shared;

use crate::cli::report::Failure;
use crate::cli::report::terminal::print_text;
use bolt::{Database, Item};

/// The database in the folder of each worker.
const FILE: &str = "metadata_v2.db";
/// How long to wait for a daemon that is shutting down.
const PATIENCE: Duration = Duration::from_secs(3);
/// The interval of the attempts to lock the database.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
pub(super) struct DumpMetadataArgs {
    /// The folder of the daemon's state
    #[arg(long, value_name = "DIR", default_value = "/var/lib/buildkit")]
    root: PathBuf,
}

/// Prints all buckets, keys and values of the workers' databases.
pub(super) fn cmd_dump_metadata(args: &DumpMetadataArgs) -> Result<(), Failure> {
    for path in databases(&args.root)? {
        print_text(&format!("===== {} =====\n", path.display()))?;
        dump(&path)?;
    }
    Ok(())
}

fn databases(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed =
        |error: io::Error| Failure::new(format!("cannot read {}: {error}", root.display()));
    let mut found = Vec::new();
    for entry in fs::read_dir(root).map_err(failed)? {
        let path = entry.map_err(failed)?.path().join(FILE);
        if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn dump(path: &Path) -> Result<(), Failure> {
    let file = fs::File::open(path);
    let file = file.map_err(|error| unreadable(path, &error))?;
    lock(&file, path)?;
    let mut database = Database::open(file).map_err(|error| unreadable(path, &error))?;
    database
        .walk(&mut |depth, item| {
            let indent = "  ".repeat(depth);
            let line = match item {
                Item::Bucket(name) => format!("{indent}bucket {:?}:\n", text(name)),
                Item::Pair(key, value) => format!("{indent}{:?}: {}\n", text(key), text(value)),
            };
            print_text(&line).map_err(|failure| io::Error::other(failure.into_message()))
        })
        .map_err(|error| unreadable(path, &error))
}

/// Locks the database. A running daemon holds the lock.
fn lock(file: &fs::File, path: &Path) -> Result<(), Failure> {
    let end = Instant::now() + PATIENCE;
    while !try_lock_shared(file).map_err(|error| unreadable(path, &error))? {
        if Instant::now() >= end {
            return Err(Failure::new(format!(
                "the daemon that uses {} is running",
                path.display()
            ))
            .advised(Some("stop it first".to_owned())));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot read {}: {error}", path.display()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
