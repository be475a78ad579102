//! Repeats a build when its daemon is back after a lost connection: all finished steps are cached.
//! Repeats it too if a push failed for a transient reason.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::build;
use super::environment::Environment;
use super::outcome::BuildOutcome;
use super::prepared::Prepared;
use super::push_retry::Repeats;
use crate::client::{Client, Code};
use crate::pipeline::{Destination, Error, Output};

/// Interval of the checks if a lost daemon is back.
const INTERVAL: Duration = Duration::from_millis(500);
/// Time limit of one such check.
const PATIENCE: Duration = Duration::from_secs(2);
/// Interval of the checks for a successor of the daemon.
const SUCCESSION: Duration = Duration::from_secs(2);
/// The most repeats of a build, however often its daemon goes away and comes back.
const REPEATS: usize = 3;

/// A build that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// The connection to the daemon was lost, and it did not come back in time.
    pub(crate) daemon_is_gone: bool,
}

pub(super) async fn run(
    prepared: &Prepared,
    client: &Client,
    environment: Environment,
    handed_over: &AtomicBool,
) -> Result<BuildOutcome, Failed> {
    let within = environment.reconnect.within;
    let mut client = client.clone();
    let mut earlier: Option<Loss> = None;
    let mut repeats = 0;
    let mut pushes = Repeats::new(&environment.push_retries);
    loop {
        // On the heap: a build's future is large, and threads have small stacks.
        let attempt = Box::pin(attempt(prepared, &client, &environment, handed_over));
        let error = match attempt.await {
            Attempted::Built(outcome) => return Ok(*outcome),
            Attempted::Moves(next) => {
                environment.note(format!(
                    "building again from its cache at {}",
                    next.address()
                ));
                client = *next;
                continue;
            }
            Attempted::Failed(error) => error,
        };
        let may_push_again = handed_over.load(Ordering::Relaxed)
            && can_be_repeated(&prepared.request.outputs)
            && prepared.is_repeatable();
        if may_push_again && let Some(repeat) = pushes.after(&error, &prepared.request) {
            environment.note(repeat.note);
            tokio::select! {
                () = tokio::time::sleep(repeat.wait) => continue,
                () = environment.cancelled.cancelled() => {
                    return Err(Failed::with_daemon(Error::Interrupted));
                }
            }
        }
        let is_certain = error.is_of_lost_daemon();
        if !is_certain && !error.may_be_of_ending_daemon() {
            return Err(Failed::with_daemon(error));
        }
        let loss = match earlier {
            None => Loss::new(error, within),
            Some(loss) => loss.and_then(error),
        };
        let can_export_again =
            !handed_over.load(Ordering::Relaxed) || can_be_repeated(&prepared.request.outputs);
        let may_repeat = can_export_again && prepared.is_repeatable() && repeats < REPEATS;
        if !may_repeat || Instant::now() >= loss.deadline {
            return Err(Failed {
                daemon_is_gone: is_certain || !answers(&client).await,
                error: loss.error.in_pod_of(client.address()),
            });
        }
        if repeats == 0 {
            environment.note(format!(
                "the connection to BuildKit was lost: waiting for the daemon, up to {} seconds",
                within.as_secs_f64()
            ));
        }
        let found = tokio::select! {
            () = environment.cancelled.cancelled() => {
                return Err(Failed::with_daemon(Error::Interrupted));
            }
            found = tokio::time::timeout_at(loss.deadline, is_there_again(&client)) => found,
        };
        let Ok(found) = found else {
            return Err(Failed {
                error: loss.error.in_pod_of(client.address()),
                daemon_is_gone: true,
            });
        };
        client = found;
        let waited = loss.since.elapsed().as_secs_f64();
        environment.note(format!(
            "the daemon answers after {waited:.1} seconds: building again from its cache"
        ));
        earlier = Some(loss);
        repeats += 1;
    }
}

/// The end of one attempt at a build.
enum Attempted {
    Built(Box<BuildOutcome>),
    Failed(Error),
    /// The attempt was stopped because its daemon is shutting down; this client's daemon takes
    /// over.
    Moves(Box<Client>),
}

/// Builds once. If the daemon is shutting down and a successor is found before the build is done,
/// the build is stopped.
async fn attempt(
    prepared: &Prepared,
    client: &Client,
    environment: &Environment,
    handed_over: &AtomicBool,
) -> Attempted {
    let mut own = environment.clone();
    own.cancelled = environment.cancelled.child_token();
    let stop = own.cancelled.clone();
    let mut building = Box::pin(build::attempt(prepared, client, own, handed_over));
    let built = tokio::select! {
        built = &mut building => built,
        next = successor(client, environment, handed_over), if prepared.is_repeatable() => {
            stop.cancel();
            match building.await {
                Err(Error::Interrupted) if !environment.cancelled.is_cancelled() => {
                    return Attempted::Moves(Box::new(next));
                }
                built => built,
            }
        }
    };
    match built {
        Ok(outcome) => Attempted::Built(Box::new(outcome)),
        Err(error) => Attempted::Failed(error),
    }
}

/// Waits until the daemon is shutting down, and then for its successor. A build that is already
/// exporting is not moved.
async fn successor(client: &Client, environment: &Environment, handed_over: &AtomicBool) -> Client {
    let Some(succession) = client.succession() else {
        return std::future::pending().await;
    };
    let reason = succession.ending().await;
    environment.note(format!(
        "{reason}: the build moves on when another one is ready"
    ));
    loop {
        if let Some(next) = succession.next().await
            && !handed_over.load(Ordering::Relaxed)
        {
            return next;
        }
        tokio::time::sleep(SUCCESSION).await;
    }
}

impl Failed {
    /// A failure that is not caused by a lost daemon.
    fn with_daemon(error: Error) -> Self {
        Self {
            error,
            daemon_is_gone: false,
        }
    }
}

/// The loss of a daemon, and how long to wait for it.
struct Loss {
    /// The first sign of the loss.
    since: Instant,
    /// When to stop waiting, counted from the first sign of the loss.
    deadline: Instant,
    /// The error to report: the first that is certainly a loss, or else the first one.
    error: Error,
}

impl Loss {
    fn new(error: Error, within: Duration) -> Self {
        let since = Instant::now();
        Self {
            since,
            deadline: since + within,
            error,
        }
    }

    fn and_then(mut self, later: Error) -> Self {
        if !self.error.is_of_lost_daemon() && later.is_of_lost_daemon() {
            self.error = later;
        }
        self
    }
}

/// True if a started export can be repeated: it writes the same names and files again. Not if it
/// goes to the standard output.
fn can_be_repeated(outputs: &[Output]) -> bool {
    let to_stdout = |output: &Output| output.destination == Some(Destination::StandardOutput);
    !outputs.iter().any(to_stdout)
}

/// Waits for the daemon or its successor, and returns a connection to it. A daemon that is shutting
/// down may still answer for a moment, so there is a pause before each question.
async fn is_there_again(client: &Client) -> Client {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if answers(client).await {
            return client.clone();
        }
        if let Some(succession) = client.succession()
            && let Some(next) = succession.next().await
        {
            return next;
        }
    }
}

/// True if the daemon answers. BuildKit before 0.11 answers that it does not know the call.
async fn answers(client: &Client) -> bool {
    match tokio::time::timeout(PATIENCE, client.info()).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => error
            .failure()
            .is_some_and(|failure| failure.code == Code::Unimplemented),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_went_to_the_standard_output_cannot_be_exported_again() {
        let outputs = |texts: &[&str]| -> Vec<Output> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        assert!(can_be_repeated(&outputs(&[])));
        assert!(can_be_repeated(&outputs(&[
            "type=registry",
            "type=oci,dest=x"
        ])));
        assert!(!can_be_repeated(&outputs(&["type=registry", "-"])));
    }

    #[test]
    fn a_daemon_that_does_not_begin_a_build_may_be_gone() {
        let error = Error::Gateway(crate::gateway::Error::NotBegun { seconds: 15 });
        assert!(error.may_be_of_ending_daemon());
        assert!(!error.is_of_lost_daemon());
    }
}
