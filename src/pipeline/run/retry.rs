//! A build whose connection was lost is run once more when the daemon is there again: all steps that were done are cached.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Environment, Prepared};
use crate::client::{self, Client, Code};
use crate::pipeline::{BuildOutcome, Destination, Error, Output};
use crate::{frontend, gateway};

/// How often a daemon that went away is asked whether it is there again.
const INTERVAL: Duration = Duration::from_millis(500);

impl Prepared {
    /// Builds on a daemon. A connection that is lost is made anew once, when the daemon is there again
    /// ([`Environment::reconnect`]), and the build goes on from the daemon's cache; a context from a stream that has begun cannot be
    /// read again.
    ///
    /// # Errors
    /// [`Error`] names the platform and the place in the Dockerfile. When one platform fails the others are cancelled and
    /// nothing is exported, so no tag has moved.
    pub async fn run(
        &self,
        client: &Client,
        environment: Environment,
    ) -> Result<BuildOutcome, Error> {
        run(self, client, environment, &AtomicBool::new(false)).await
    }
}

pub(in crate::pipeline) async fn run(
    prepared: &Prepared,
    client: &Client,
    environment: Environment,
    handed_over: &AtomicBool,
) -> Result<BuildOutcome, Error> {
    let first = prepared
        .attempt(client, environment.clone(), handed_over)
        .await;
    let lost = match first {
        Err(error) if is_lost(&error) || error.may_be_of_ending_daemon() => error,
        ended => return ended,
    };
    let within = environment.reconnect.within;
    let can_export_again =
        !handed_over.load(Ordering::Relaxed) || can_be_repeated(&prepared.request.outputs);
    if !can_export_again || within.is_zero() || !prepared.is_repeatable() {
        return Err(lost);
    }
    tell(
        &environment,
        format!(
            "the connection to BuildKit was lost: waiting for the daemon, up to {} seconds",
            within.as_secs_f64()
        ),
    );
    let is_there = tokio::select! {
        () = environment.cancelled.cancelled() => return Err(Error::Interrupted),
        waited = tokio::time::timeout(within, is_there_again(client)) => waited.is_ok(),
    };
    // A daemon that is gone: the first error is the one to tell.
    if !is_there {
        return Err(lost);
    }
    tell(
        &environment,
        "the connection to BuildKit was lost: building again from its cache".to_owned(),
    );
    prepared.attempt(client, environment, handed_over).await
}

/// An export that has begun can be made once more, unless it goes to the standard output: the same image gets the same names, the
/// same files are written again.
fn can_be_repeated(outputs: &[Output]) -> bool {
    let to_stdout = |output: &Output| output.destination == Some(Destination::StandardOutput);
    !outputs.iter().any(to_stdout)
}

/// A daemon that is shutting down may answer for a moment: it is asked after a pause.
async fn is_there_again(client: &Client) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if client.info().await.is_ok() {
            return;
        }
    }
}

fn tell(environment: &Environment, line: String) {
    if let Some(progress) = &environment.progress {
        progress.note(line);
    }
}

impl Error {
    /// Whether the daemon went away: nothing that was asked of it is to blame.
    pub(crate) fn is_of_lost_daemon(&self) -> bool {
        match self {
            Self::Export { source } => is_connection(source),
            error => is_lost(error),
        }
    }

    /// Whether it is what a daemon says that is being ended, among other things that it may mean.
    pub(crate) fn may_be_of_ending_daemon(&self) -> bool {
        let failure = match self {
            Self::Interrupted => return false,
            Self::Client(error) => error.failure().cloned(),
            Self::Export { source } => source.failure().cloned(),
            error => Some(error.to_failure()),
        };
        failure.is_some_and(|failure| {
            matches!(failure.code, Code::Canceled | Code::Unavailable)
                || failure.message.contains("context canceled")
                || failure.message.contains("transport is closing")
        })
    }
}

fn is_lost(error: &Error) -> bool {
    let gateway = match error {
        Error::Client(error) => return is_connection(error),
        Error::Gateway(error) | Error::Frontend(frontend::Error::Gateway(error)) => error,
        Error::Frontend(frontend::Error::Dockerfile { source, .. }) => source,
        _ => return false,
    };
    matches!(gateway, gateway::Error::Client(error) if is_connection(error))
}

fn is_connection(error: &client::Error) -> bool {
    matches!(error, client::Error::ConnectionLost { .. })
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
