//! Many builds, and killed daemons: usage must not grow, and no result may be incomplete.
//!
//! `tests/soak/run` runs it for a long time on a buildkitd; `cargo test` runs a short version.

#![expect(clippy::print_stdout, reason = "the tables are read with --nocapture")]

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod daemon;
mod kills;
mod library;
mod usage;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Makes tests run one after another, because they count the open descriptors of this process.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns a number from the environment, as set by `tests/soak/run`.
fn count(name: &str, usual: usize) -> usize {
    let value = std::env::var(name).ok();
    value.map_or(usual, |text| text.parse().expect("a number"))
}

/// Counts the files below a folder.
fn files_below(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let count = |path: &Path| match path.is_dir() {
        true => files_below(path),
        false => 1,
    };
    entries.flatten().map(|entry| count(&entry.path())).sum()
}

/// Prints a row of a table, so that `--nocapture` shows the course of a long test.
fn row(cells: &[String]) {
    println!("| {} |", cells.join(" | "));
}
