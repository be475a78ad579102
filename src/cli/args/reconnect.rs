//! `--reconnect`: the time to wait for a daemon that restarts.

use std::time::Duration;

use solvekit::pipeline::Reconnect;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::connection;
use super::headings::DAEMON;
use crate::cli::report::Failure;

/// The time between two attempts to connect.
const INTERVAL: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ReconnectArgs {
    /// Wait this long for a daemon that restarts, before the build and during it, and resume the
    /// build from its cache: seconds, or a duration such as 1m30s; 0 fails at once [default: 10s
    /// during the build, 0 before it]
    #[arg(
        help_heading = DAEMON,
        long,
        value_name = "TIME",
        value_parser = connection::waiting
    )]
    reconnect: Option<Duration>,
}

impl ReconnectArgs {
    /// The time to wait for a daemon that is lost during the build.
    pub(crate) fn during_build(&self) -> Reconnect {
        let within = self.reconnect;
        within.map_or_else(Reconnect::default, |within| Reconnect { within })
    }

    /// Connects, and tries again while no daemon answers, for the time of `--reconnect`. Without
    /// that option, or after another error, it fails at once.
    pub(crate) async fn connecting<T>(
        &self,
        say: &(dyn Fn(&str) + Sync),
        connect: impl AsyncFn() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let within = self.reconnect.unwrap_or_default();
        let began = Instant::now();
        let deadline = began + within;
        let mut failure = match connect().await {
            Err(failure) if failure.is_daemon_absent() => failure,
            connected => return connected,
        };
        if Instant::now() >= deadline {
            return Err(failure);
        }
        let (seconds, message) = (within.as_secs_f64(), failure.message());
        say(&format!(
            "waiting for the daemon, up to {seconds} seconds: {message}"
        ));
        loop {
            sleep_until(deadline.min(Instant::now() + INTERVAL)).await;
            failure = match timeout_at(deadline, connect()).await {
                Ok(Ok(connected)) => {
                    let waited = began.elapsed().as_secs_f64();
                    say(&format!("the daemon answers after {waited:.1} seconds"));
                    return Ok(connected);
                }
                Ok(Err(later)) if later.is_daemon_absent() => later,
                Ok(Err(other)) => return Err(other),
                Err(_) => return Err(failure),
            };
            if Instant::now() >= deadline {
                return Err(failure);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn absent() -> Failure {
        Failure::new("nothing listens").daemon_absent(true)
    }

    fn args(milliseconds: Option<u64>) -> ReconnectArgs {
        ReconnectArgs {
            reconnect: milliseconds.map(Duration::from_millis),
        }
    }

    /// Connects to a daemon that answers the call with that number. Also returns the number of
    /// calls.
    async fn waited(args: ReconnectArgs, answers_at: usize) -> (Result<usize, Failure>, usize) {
        let calls = AtomicUsize::new(0);
        let connected = args.connecting(&|_| {}, async || {
            match calls.fetch_add(1, Ordering::Relaxed) + 1 {
                call if call >= answers_at => Ok(call),
                _ => Err(absent()),
            }
        });
        (connected.await, calls.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn a_daemon_is_waited_for_only_if_the_user_asks_for_it() {
        assert_eq!(waited(args(None), 2).await.1, 1);
        assert_eq!(waited(args(Some(0)), 2).await.1, 1);
        let (connected, calls) = waited(args(Some(10_000)), 3).await;
        assert_eq!((connected.unwrap(), calls), (3, 3));
        let (connected, calls) = waited(args(Some(600)), usize::MAX).await;
        assert_eq!(connected.unwrap_err().message(), "nothing listens");
        assert_eq!(calls, 3, "at first, after half a second, and at the end");
    }

    #[tokio::test]
    async fn another_failure_is_not_waited_for() {
        let calls = AtomicUsize::new(0);
        let args = args(Some(60_000));
        let connected = args.connecting(&|_| {}, async || {
            calls.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(Failure::new("no permission to open the socket"))
        });
        let failure = connected.await.unwrap_err();
        assert_eq!(failure.message(), "no permission to open the socket");
        assert_eq!(calls.into_inner(), 1);
    }

    #[tokio::test]
    async fn a_call_that_hangs_ends_with_the_wait() {
        let (began, calls) = (Instant::now(), AtomicUsize::new(0));
        let args = args(Some(700));
        let connected = args.connecting(&|_| {}, async || {
            match calls.fetch_add(1, Ordering::Relaxed) {
                0 => Err(absent()),
                _ => std::future::pending::<Result<(), Failure>>().await,
            }
        });
        assert_eq!(connected.await.unwrap_err().message(), "nothing listens");
        assert!(began.elapsed() >= Duration::from_millis(700));
    }
}
