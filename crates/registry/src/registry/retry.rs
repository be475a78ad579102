//! The retry policy for requests: transient failures, waits, and limits.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use http::StatusCode;
use http::header::{HeaderMap, RETRY_AFTER};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::Error;

/// The limits for retrying a request. Transient failures are broken connections and the statuses
/// 408, 429, 500, 502, 503 and 504.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// The maximum number of retries; 0 disables them.
    pub times: u32,
    /// The first wait. Each further one is twice as long, plus a random part of up to its length.
    pub first: Duration,
    /// The longest wait, unless the registry requests more (`Retry-After`).
    pub longest: Duration,
    /// The longest total wait of one request.
    pub total: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            times: 5,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(8),
            total: Duration::from_secs(180),
        }
    }
}

impl RetryPolicy {
    /// Disables retries.
    pub fn never() -> Self {
        Self {
            times: 0,
            ..Self::default()
        }
    }

    /// Returns the policy for an operation that retries its own requests, such as the push of a
    /// daemon: two retries.
    pub fn of_operation() -> Self {
        Self {
            times: 2,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(30),
            ..Self::default()
        }
    }

    /// Returns the waits before the retries, with jitter. They end when the policy allows no more.
    pub fn waits(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let mut retries = Retries::new(self);
        std::iter::from_fn(move || retries.after_cut().map(|wait| wait.time))
    }
}

/// The remaining retries of one operation.
#[derive(Debug)]
pub(super) struct Retries {
    policy: RetryPolicy,
    backoff: ExponentialBackoff,
    waited: Duration,
    times: u32,
}

/// A wait before a retry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) time: Duration,
    /// The number of the next retry, and the maximum.
    pub(super) retry: (u32, u32),
    /// The status of the answer; `None` for a broken connection.
    pub(super) status: Option<StatusCode>,
}

impl Retries {
    pub(super) fn new(policy: &RetryPolicy) -> Self {
        Self {
            backoff: backoff(policy),
            policy: policy.clone(),
            waited: Duration::ZERO,
            times: 0,
        }
    }

    /// Returns the wait after an answer; `None` if the answer is final or no retries are left.
    pub(super) fn after_answer(&mut self, status: StatusCode, headers: &HeaderMap) -> Option<Wait> {
        self.after_status(status, requested_wait(headers))
    }

    /// Returns the wait after an error; `None` if a retry is useless or no retries are left.
    pub(super) fn after_error(&mut self, error: &Error) -> Option<Wait> {
        match error {
            Error::Refused(refusal) => self.after_status(refusal.status, refusal.requested_wait),
            // A timeout is retried only once.
            Error::Silent { .. } if self.times == 0 => self.next(None, None),
            Error::Unreachable { source, .. } | Error::TokenServer { source, .. } => {
                match failure(source)? {
                    // A pooled connection that was closed says nothing about the registry.
                    Failure::NoAnswer if self.times == 0 => self.next(Some(Duration::ZERO), None),
                    Failure::NoAnswer | Failure::Broken => self.next(None, None),
                }
            }
            _ => None,
        }
    }

    /// Returns the wait after a body that ended early.
    pub(super) fn after_cut(&mut self) -> Option<Wait> {
        self.next(None, None)
    }

    fn after_status(&mut self, status: StatusCode, retry_after: Option<Duration>) -> Option<Wait> {
        is_passing(status).then(|| self.next(retry_after, Some(status)))?
    }

    fn next(&mut self, retry_after: Option<Duration>, status: Option<StatusCode>) -> Option<Wait> {
        let backoff = self.backoff.next()?;
        let time = retry_after.unwrap_or(backoff);
        self.times += 1;
        self.waited = self.waited.saturating_add(time);
        (self.waited <= self.policy.total).then_some(Wait {
            time,
            retry: (self.times, self.policy.times),
            status,
        })
    }

    /// Resets the count, because the operation made progress.
    pub(super) fn reset(&mut self) {
        *self = Self::new(&self.policy);
    }
}

fn backoff(policy: &RetryPolicy) -> ExponentialBackoff {
    let mut seed = [0; 8];
    // Without random numbers all clients wait equally long, which is harmless.
    let _ = getrandom::fill(&mut seed);
    ExponentialBuilder::new()
        .with_min_delay(policy.first)
        .with_max_delay(policy.longest)
        .with_max_times(policy.times as usize)
        .with_jitter()
        .with_jitter_seed(u64::from_le_bytes(seed))
        .build()
}

/// True if a retry can get another answer soon.
pub(super) fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

enum Failure {
    /// The connection was closed before an answer began.
    NoAnswer,
    /// The connection broke in another way.
    Broken,
}

/// Classifies a connection failure; `None` for permanent errors: unknown host, no listener, bad
/// certificate.
fn failure(error: &reqwest::Error) -> Option<Failure> {
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && (error.is_incomplete_message() || error.is_canceled() || error.is_closed())
        {
            return Some(Failure::NoAnswer);
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>()
            && matches!(
                error.kind(),
                ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::BrokenPipe
                    | ErrorKind::UnexpectedEof
            )
        {
            return Some(Failure::Broken);
        }
        cause = error.source();
    }
    // The body broke off; hyper gives no more detail.
    (error.is_body() || error.is_decode()).then_some(Failure::Broken)
}

/// True if the connection broke and a new one may succeed.
pub(super) fn is_broken_connection(error: &reqwest::Error) -> bool {
    error.is_timeout() || failure(error).is_some()
}

/// True if no host answers at the address. An answer that is not understood or not trusted is
/// another kind of failure.
pub(super) fn is_no_connection(error: &reqwest::Error) -> bool {
    error.is_connect() && !error.source().is_some_and(is_tls)
}

/// True if rustls is among the causes. I/O errors hide the error that they contain from `source`.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    let held = io.and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>()
        || held.is_some_and(|held| is_tls(held))
        || error.source().is_some_and(is_tls)
}

/// Parses `Retry-After`: seconds or a date.
pub(super) fn requested_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    parse(text, OffsetDateTime::now_utc())
}

fn parse(text: &str, now: OffsetDateTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = OffsetDateTime::parse(text.trim(), &Rfc2822).ok()?;
    Some(Duration::try_from(then - now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry_after(text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())])
    }

    fn retries() -> Retries {
        Retries::new(&RetryPolicy::default())
    }

    #[test]
    fn waits_follow_the_policy_and_are_bounded() {
        let limited = StatusCode::TOO_MANY_REQUESTS;
        let mut all = retries();
        let wait = all.after_answer(limited, &retry_after("30")).unwrap();
        assert_eq!((wait.time, wait.retry), (Duration::from_secs(30), (1, 5)));
        assert_eq!(all.after_answer(limited, &retry_after("3600")), None);
    }

    #[test]
    fn waits_grow_with_jitter_and_end() {
        for status in [408, 429, 500, 502, 503, 504] {
            let status = StatusCode::from_u16(status).unwrap();
            let mut all = retries();
            let waits: Vec<_> =
                std::iter::from_fn(|| all.after_answer(status, &HeaderMap::new())).collect();
            assert_eq!(waits.len(), 5);
            for (wait, least) in waits.iter().zip([500, 1000, 2000, 4000, 8000]) {
                let least = Duration::from_millis(least);
                assert!((least..=2 * least).contains(&wait.time), "{wait:?}");
            }
        }
    }

    #[test]
    fn an_operation_is_retried_as_often_as_the_policy_says() {
        let waits: Vec<_> = RetryPolicy::of_operation().waits().collect();
        assert_eq!(waits.len(), 2);
        assert!(waits.iter().all(|wait| *wait >= Duration::from_secs(1)));
        assert_eq!(RetryPolicy::never().waits().count(), 0);
        let short = RetryPolicy {
            total: Duration::from_secs(2),
            times: 9,
            ..RetryPolicy::default()
        };
        assert!(short.waits().sum::<Duration>() <= short.total);
    }

    #[test]
    fn other_answers_are_final() {
        for status in [200, 301, 400, 401, 403, 404, 405, 409, 412, 501, 505] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(
                retries().after_answer(status, &retry_after("1")),
                None,
                "{status}"
            );
        }
        let mut none = Retries::new(&RetryPolicy::never());
        assert_eq!(
            none.after_answer(StatusCode::BAD_GATEWAY, &retry_after("1")),
            None
        );
    }

    #[test]
    fn a_date_is_read_too() {
        let now = OffsetDateTime::parse("Wed, 21 Oct 2015 07:28:00 GMT", &Rfc2822).unwrap();
        assert_eq!(
            parse("Wed, 21 Oct 2015 07:28:10 GMT", now),
            Some(Duration::from_secs(10))
        );
        assert_eq!(
            parse("Wed, 21 Oct 2015 07:27:00 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(parse("soon", now), None);
    }
}
