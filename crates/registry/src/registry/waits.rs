//! Waits before retries and notifies the user once, even if several requests wait for a registry.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;

use super::retry::{Retries, Wait};
use super::{ClientOptions, Notifier, RetryPolicy};

/// The retry policy, and the notifier for waits.
#[derive(Debug)]
pub(super) struct Waits {
    policy: RetryPolicy,
    notifier: Option<Notifier>,
    /// Per host, the end of the wait that was announced last.
    announced: Mutex<HashMap<String, Instant>>,
}

impl Waits {
    pub(super) fn new(options: &ClientOptions) -> Self {
        Self {
            policy: options.retries.clone(),
            notifier: options.notifier.clone(),
            announced: Mutex::default(),
        }
    }

    /// Returns the retries for one operation.
    pub(super) fn retries(&self) -> Retries {
        Retries::new(&self.policy)
    }

    /// Waits. A wait that ends before an announced one of the same host is not announced again.
    pub(super) async fn wait(&self, host: &str, wait: &Wait) {
        if !wait.time.is_zero() {
            if let Some(notifier) = self.notifier.as_ref().filter(|_| self.is_news(host, wait)) {
                notifier.tell(&describe(host, wait));
            }
            tokio::time::sleep(wait.time).await;
        }
    }

    fn is_news(&self, host: &str, wait: &Wait) -> bool {
        let mut announced = self
            .announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let until = now + wait.time.min(Duration::from_secs(3600));
        match announced.get(host) {
            Some(before) if *before > now => false,
            _ => {
                announced.insert(host.to_owned(), until);
                true
            }
        }
    }
}

fn describe(host: &str, wait: &Wait) -> String {
    let seconds = wait.time.as_secs_f32().ceil();
    let (retry, retries) = wait.retry;
    match wait.status {
        Some(StatusCode::TOO_MANY_REQUESTS) => {
            format!("{host} limits how often it is asked: waiting {seconds} s")
        }
        Some(status) => format!(
            "{host} answers {}: trying again in {seconds} s ({retry} of {retries})",
            status.as_u16()
        ),
        None => format!(
            "the connection to {host} broke: trying again in {seconds} s ({retry} of {retries})"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn one_wait_of_many_requests_is_reported_once() {
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&lines);
        let options = ClientOptions {
            notifier: Some(Notifier::new(move |line| {
                seen.lock().unwrap().push(line.to_owned());
            })),
            ..ClientOptions::default()
        };
        let waits = Waits::new(&options);
        let wait = |status: u16| Wait {
            time: Duration::from_millis(50),
            retry: (1, 5),
            status: StatusCode::from_u16(status).ok(),
        };
        let (limited, down, broken) = (wait(429), wait(503), wait(0));
        tokio::join!(
            waits.wait("a", &limited),
            waits.wait("a", &limited),
            waits.wait("b", &down),
            waits.wait("c", &broken),
        );
        assert_eq!(
            *lines.lock().unwrap(),
            [
                "a limits how often it is asked: waiting 1 s",
                "b answers 503: trying again in 1 s (1 of 5)",
                "the connection to c broke: trying again in 1 s (1 of 5)",
            ]
        );
    }
}
