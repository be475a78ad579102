//! Many builds, and daemons that are killed: nothing may grow, and nothing may be half done.
//!
//! `tests/soak/run` does it at length, on a buildkitd; `cargo test` does a little of it.

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod daemon;
mod kills;
mod library;
mod usage;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The tests count what this process has open, so they run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number of the environment, which `tests/soak/run` sets.
fn count(name: &str, usual: usize) -> usize {
    let value = std::env::var(name).ok();
    value.map_or(usual, |text| text.parse().expect("a number"))
}

/// The files below a folder.
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
