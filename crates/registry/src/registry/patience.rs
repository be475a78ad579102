//! Registries that limit how often they are asked: how long to wait before asking again.

use std::time::Duration;

use http::StatusCode;
use http::header::{HeaderMap, RETRY_AFTER};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// How long one request waits altogether.
const ALL: Duration = Duration::from_secs(180);
/// The first wait where the registry does not say how long; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(1);
/// How often one request is sent again.
const TIMES: u32 = 6;

/// What is left of the patience with one request.
#[derive(Debug, Default)]
pub(super) struct Patience {
    waited: Duration,
    times: u32,
}

impl Patience {
    /// How long to wait before the request is sent again: after 429 as told, or longer each time; after 503 only when told.
    /// `None` when the answer stands, or the wait would be too long.
    pub(super) fn after(&mut self, status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
        let told = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| parse(text, OffsetDateTime::now_utc()));
        let wait = match (status, told) {
            (StatusCode::TOO_MANY_REQUESTS, None) => FIRST * 2_u32.pow(self.times.min(TIMES)),
            (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(told)) => told,
            _ => return None,
        };
        self.times += 1;
        self.waited = self.waited.saturating_add(wait);
        (self.times <= TIMES && self.waited <= ALL).then_some(wait)
    }
}

/// Seconds, or a date.
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

    fn told(text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())])
    }

    #[test]
    fn waits_are_as_told_and_bounded() {
        let limited = StatusCode::TOO_MANY_REQUESTS;
        let mut patience = Patience::default();
        assert_eq!(
            patience.after(limited, &told("30")),
            Some(Duration::from_secs(30))
        );
        assert_eq!(patience.after(limited, &told("3600")), None);

        let mut patience = Patience::default();
        let waits: Vec<_> = std::iter::from_fn(|| patience.after(limited, &HeaderMap::new()))
            .map(|wait| wait.as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32]);
    }

    #[test]
    fn an_outage_is_waited_for_only_when_told() {
        let mut patience = Patience::default();
        let out = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(patience.after(out, &HeaderMap::new()), None);
        assert_eq!(
            patience.after(out, &told("1")),
            Some(Duration::from_secs(1))
        );
        assert_eq!(patience.after(StatusCode::NOT_FOUND, &told("1")), None);
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
