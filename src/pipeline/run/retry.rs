//! Repeats a build when its daemon is back after a lost connection: all finished steps are cached.
//! Repeats it too if a push failed for a transient reason, or if the daemon's cache has lost files.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::build;
use super::environment::Environment;
use super::loss::{Loss, end_of, pod_of, pushed_names};
use super::lost_files::LostFiles;
use super::outcome::BuildOutcome;
use super::prepared::Prepared;
use super::push_retry::Repeats;
use crate::client::{Client, Code, PodEnd};
use crate::frontend::Job;
use crate::pipeline::{Destination, Error, Output};

/// Interval of the checks if a lost daemon is back.
const INTERVAL: Duration = Duration::from_millis(500);
/// Time limit of one such check.
const PATIENCE: Duration = Duration::from_secs(2);
/// Interval of the checks for a successor of the daemon.
const SUCCESSION: Duration = Duration::from_secs(2);
/// Until then a cluster knows what became of a pod.
const SETTLED: Duration = Duration::from_secs(4);
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
    let mut attempts = Attempts {
        prepared,
        environment: &environment,
        handed_over,
        client: client.clone(),
        loss: None,
        repeats: 0,
        lost_files: LostFiles::default(),
        pushes: Repeats::new(&environment.push_retries),
    };
    loop {
        // On the heap: a build's future is large, and threads have small stacks.
        let own = attempts.environment_of_next();
        let attempt = attempt(prepared, &attempts.client, own, &environment, handed_over);
        match Box::pin(attempt).await {
            Attempted::Built(outcome) => return Ok(*outcome),
            Attempted::Moves(next) => attempts.move_to(*next),
            Attempted::Failed(error) => attempts.prepare_next(error).await?,
        }
    }
}

/// The attempts at one build so far, and what decides about the next one.
struct Attempts<'a> {
    prepared: &'a Prepared,
    environment: &'a Environment,
    /// The exporter has started.
    handed_over: &'a AtomicBool,
    /// The daemon of the next attempt.
    client: Client,
    /// The first loss of the daemon.
    loss: Option<Loss>,
    /// Attempts after the loss.
    repeats: usize,
    lost_files: LostFiles,
    pushes: Repeats,
}

impl Attempts<'_> {
    fn move_to(&mut self, next: Client) {
        let daemon = next.address().in_words();
        let note = format!("building again from its cache at {daemon}");
        self.environment.note(note);
        self.client = next;
    }

    /// The environment of the next attempt, which can be stopped alone.
    fn environment_of_next(&self) -> Environment {
        Environment {
            cancelled: self.environment.cancelled.child_token(),
            lost_files: self.lost_files.clone(),
            ..self.environment.clone()
        }
    }

    /// Returns when the build can be tried again, or else the failure to report.
    async fn prepare_next(&mut self, error: Error) -> Result<(), Failed> {
        if self.may_ignore_cache()
            && let Some(note) = self.lost_files.add(&error)
        {
            self.environment.note(note);
            return Ok(());
        }
        if let Some(wait) = self.before_next_push(&error) {
            let waited = self.environment.unless_cancelled(tokio::time::sleep(wait));
            return waited.await.map_err(Failed::with_daemon);
        }
        let is_certain = error.is_of_lost_daemon();
        if !is_certain && !error.may_be_of_ending_daemon() {
            return Err(Failed::with_daemon(error));
        }
        let loss = match self.loss.take() {
            None => Loss::new(error, self.environment.reconnect.within),
            Some(loss) => loss.and_then(error),
        };
        if !self.may_repeat() || Instant::now() >= loss.deadline {
            let is_gone = is_certain || !answers(&self.client).await;
            return Err(self.given_up(loss, is_gone).await);
        }
        let loss = self.wait_for_daemon(loss).await?;
        self.loss = Some(loss);
        self.repeats += 1;
        Ok(())
    }

    /// The time to wait if the failure was a transient one of the push, and is retried.
    fn before_next_push(&mut self, error: &Error) -> Option<Duration> {
        let may_push_again = self.handed_over.load(Ordering::Relaxed)
            && can_be_repeated(&self.prepared.request.outputs)
            && self.prepared.is_repeatable();
        if !may_push_again {
            return None;
        }
        let repeat = self.pushes.after(error, &self.prepared.request)?;
        self.environment.note(repeat.note);
        Some(repeat.wait)
    }

    /// True if a repeat can make single steps again. A frontend in the daemon decides about its own
    /// steps.
    fn may_ignore_cache(&self) -> bool {
        let forwarded = self.prepared.job().and_then(Job::elsewhere).is_some();
        !forwarded && self.may_repeat()
    }

    fn may_repeat(&self) -> bool {
        let can_export_again = !self.handed_over.load(Ordering::Relaxed)
            || can_be_repeated(&self.prepared.request.outputs);
        can_export_again && self.prepared.is_repeatable() && self.repeats < REPEATS
    }

    /// Waits until the daemon or its successor answers, which then is the next attempt's daemon.
    async fn wait_for_daemon(&mut self, loss: Loss) -> Result<Loss, Failed> {
        if self.repeats == 0 {
            self.environment.note(format!(
                "the connection to BuildKit was lost: waiting for the daemon, up to {} seconds",
                self.environment.reconnect.within.as_secs_f64()
            ));
        }
        let found = tokio::time::timeout_at(loss.deadline, is_there_again(&self.client));
        let found = self.environment.unless_cancelled(found).await;
        let Ok(found) = found.map_err(Failed::with_daemon)? else {
            return Err(self.given_up(loss, true).await);
        };
        let lost = std::mem::replace(&mut self.client, found);
        if let Some(pod) = pod_of(&lost)
            && let end = end_of(&lost, Duration::ZERO).await
            && end != PodEnd::Unknown
        {
            self.environment.note(pod.loss(&end));
        }
        let waited = loss.since.elapsed().as_secs_f64();
        self.environment.note(format!(
            "the daemon answers after {waited:.1} seconds: building again from its cache"
        ));
        Ok(loss)
    }

    /// The failure to report. If the daemon is gone, nobody knows if its push was complete.
    async fn given_up(&mut self, loss: Loss, daemon_is_gone: bool) -> Failed {
        let names = pushed_names(&self.prepared.request);
        if daemon_is_gone && self.handed_over.load(Ordering::Relaxed) && !names.is_empty() {
            let note = format!(
                "the daemon was lost after its push began: the registry may have {} now",
                names.join(", ")
            );
            self.environment.note(note);
        }
        let error = match pod_of(&self.client).filter(|_| loss.error.is_of_lost_daemon()) {
            Some(pod) => {
                let end = tokio::select! {
                    end = end_of(&self.client, SETTLED) => end,
                    () = self.environment.cancelled.cancelled() => PodEnd::Unknown,
                };
                loss.error.in_pod(pod, end)
            }
            None => loss.error,
        };
        Failed {
            error,
            daemon_is_gone,
        }
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
    own: Environment,
    environment: &Environment,
    handed_over: &AtomicBool,
) -> Attempted {
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
