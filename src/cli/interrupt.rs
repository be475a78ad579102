//! Ctrl-C and SIGTERM: the first one cancels the build on the daemon, the second ends the process
//! at once.

use solvekit_host::signals::Ends;
use solvekit_host::terminal;
use tokio_util::sync::CancellationToken;

use crate::cli::commands::plugin;
use crate::cli::report::Failure;

/// The exit code of an interrupted command, as shells expect it.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;

/// A token that the first SIGINT or SIGTERM cancels, or the end of the docker CLI that runs this
/// program as a plugin.
pub(crate) fn token() -> Result<CancellationToken, Failure> {
    let token = CancellationToken::new();
    let mut ends = Ends::watch()
        .map_err(|error| Failure::new(format!("cannot watch for signals: {error}")))?;
    let cancelled = token.clone();
    tokio::spawn(async move {
        let mut received = 0;
        let closed = plugin::closed();
        let mut closed = std::pin::pin!(closed);
        loop {
            tokio::select! {
                () = &mut closed, if received == 0 => {}
                () = ends.next() => {}
            }
            received += 1;
            if received > 1 {
                terminal::restore();
                std::process::exit(EXIT_INTERRUPTED.into());
            }
            cancelled.cancel();
        }
    });
    Ok(token)
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
