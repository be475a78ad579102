//! Ctrl-C and SIGTERM: the first one cancels the build on the daemon, the second ends the process
//! at once.

pub(crate) mod blocking;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use solvekit::session::BrokenFolders;
use solvekit_host::signals::Ends;
use solvekit_host::terminal;
use tokio_util::sync::CancellationToken;

use crate::cli::commands::plugin;
use crate::cli::report::Failure;

/// The exit code of an interrupted command, as shells expect it.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;

/// How soon after the first interrupt another one counts as the same. timeout(1) sends its signal
/// to the process and then to its group; the docker CLI forwards a terminal's signal to plugins,
/// which have already received it.
const SAME: Duration = Duration::from_millis(100);

/// True once a thread waits for signals, which then no longer end the process by themselves.
static WATCHED: AtomicBool = AtomicBool::new(false);
/// Is cancelled by the first interrupt.
static INTERRUPTED: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);
/// The folders that the second interrupt may leave incomplete.
static EXPORTS: Mutex<Vec<BrokenFolders>> = Mutex::new(Vec::new());

/// A token that the first SIGINT or SIGTERM cancels, or the end of the docker CLI that runs this
/// program as a plugin. A thread of its own waits for them: the second one ends the process
/// whatever the other threads do.
pub(crate) fn token() -> Result<CancellationToken, Failure> {
    let failed = |error| Failure::new(format!("cannot watch for signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let ends = {
        let _entered = runtime.enter();
        Ends::watch().map_err(failed)?
    };
    let token = CancellationToken::new();
    let cancelled = token.clone();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || runtime.block_on(watch(ends, &cancelled)))
        .map_err(failed)?;
    WATCHED.store(true, Ordering::Relaxed);
    Ok(token)
}

fn is_watched() -> bool {
    WATCHED.load(Ordering::Relaxed)
}

/// The folders that a build writes to: the second interrupt names those that are incomplete.
pub(crate) fn exports_to(folders: BrokenFolders) {
    let mut exports = EXPORTS.lock().unwrap_or_else(PoisonError::into_inner);
    exports.push(folders);
}

async fn watch(mut ends: Ends, cancelled: &CancellationToken) {
    tokio::select! {
        () = plugin::closed() => {}
        () = ends.next() => {}
    }
    let first = Instant::now();
    INTERRUPTED.cancel();
    cancelled.cancel();
    ends.next().await;
    while first.elapsed() < SAME {
        ends.next().await;
    }
    terminal::restore();
    name_incomplete();
    std::process::exit(EXIT_INTERRUPTED.into());
}

/// Prints the folders that the second interrupt leaves incomplete. The command may wait for several
/// tokens, so this happens once.
fn name_incomplete() {
    let exports = std::mem::take(&mut *EXPORTS.lock().unwrap_or_else(PoisonError::into_inner));
    let folders: Vec<_> = exports.iter().flat_map(BrokenFolders::paths).collect();
    if !folders.is_empty() {
        let failure = Failure::new("the build was interrupted");
        let _ = failure.incomplete(&folders).report();
    }
}

/// Waits for work that holds nothing on a daemon, so that it can be dropped at any time, until the
/// user interrupts.
pub(crate) async fn unless<T>(
    cancelled: &CancellationToken,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        () = cancelled.cancelled() => Err(Failure::new("interrupted").code(EXIT_INTERRUPTED)),
    }
}
