//! A build whose daemon went away is run again when the daemon is there again: all steps that were
//! done are cached. So is a build whose push failed for a transient reason.

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

/// How often a daemon that went away is asked if it is there again.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long a daemon may take to answer that question.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the daemon that takes over is looked for.
const SUCCESSION: Duration = Duration::from_secs(2);
/// How often a build is run again at most, however long a daemon that comes and goes is waited for.
const REPEATS: usize = 3;

/// A build that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// The daemon went away, and did not come back in the time that it is waited for.
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
        // On the heap: a build is a large future, and the stacks of threads are small.
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
        environment.note("the connection to BuildKit was lost: building again from its cache");
        earlier = Some(loss);
        repeats += 1;
    }
}

/// The end of one attempt at a build.
enum Attempted {
    Built(Box<BuildOutcome>),
    Failed(Error),
    /// It was stopped, because its daemon ends and this one takes over.
    Moves(Box<Client>),
}

/// Builds once. If the daemon is told to end and another one is there before the build is done,
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

/// Waits until the daemon is told to end, and then for the one that takes over. A build that
/// exports already stays where it is.
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
    /// A failure that the daemon's end has nothing to do with.
    fn with_daemon(error: Error) -> Self {
        Self {
            error,
            daemon_is_gone: false,
        }
    }
}

/// How it showed that the daemon went away.
struct Loss {
    /// Until when it is waited for, counted from the first sign.
    deadline: Instant,
    /// The error to tell: the first that is certainly a loss, or the first of all.
    error: Error,
}

impl Loss {
    fn new(error: Error, within: Duration) -> Self {
        Self {
            deadline: Instant::now() + within,
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

/// An export that has begun can be made once more, unless it goes to the standard output: the same
/// image gets the same names, the same files are written again.
fn can_be_repeated(outputs: &[Output]) -> bool {
    let to_stdout = |output: &Output| output.destination == Some(Destination::StandardOutput);
    !outputs.iter().any(to_stdout)
}

/// Waits for the daemon, or the one that takes over, and returns a connection to it. A daemon that
/// is shutting down may answer for a moment: it is asked after a pause.
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

/// BuildKit before 0.11 answers that it does not know the question.
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
}
