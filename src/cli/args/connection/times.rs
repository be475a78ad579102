//! The times that users give: `--timeout`, `--daemon-timeout`, `--reconnect`.

use std::time::Duration;

use crate::cli::report::records;

/// The value of `--daemon-timeout`; clap gives an `Option` another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SilenceLimit(pub(super) Option<Duration>);

/// Parses a time limit, which must not be 0.
pub(super) fn patience(text: &str) -> Result<Duration, String> {
    match waiting(text) {
        Ok(time) if time.is_zero() => Err("it is a time above 0".to_owned()),
        time => time,
    }
}

/// Parses the limit for a silent daemon; 0 is none. A shorter one than a second would also break
/// connections to daemons that are only busy.
pub(super) fn silence_limit(text: &str) -> Result<SilenceLimit, String> {
    match waiting(text) {
        Ok(time) if time.is_zero() => Ok(SilenceLimit(None)),
        Ok(time) if time >= Duration::from_secs(1) => Ok(SilenceLimit(Some(time))),
        _ => {
            Err("it must be a time from 1s to 1h, such as 90 or 10m, or 0 for no limit".to_owned())
        }
    }
}

/// Parses whole seconds or a duration in Go's syntax; up to an hour.
pub(crate) fn waiting(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().map(Duration::from_secs);
    let time = seconds.or_else(|| records::duration(text));
    time.filter(|time| *time <= Duration::from_secs(3600))
        .ok_or_else(|| "it is a number of seconds, or a time as 20s or 1m30s, up to 1h".to_owned())
}

#[cfg(test)]
mod tests {
    use solvekit::client::SILENCE_LIMIT;

    use super::*;

    #[test]
    fn the_limit_for_a_silent_daemon_is_a_time_or_none() {
        let limit = |text| silence_limit(text).map(|limit| limit.0);
        let seconds = |seconds| Ok(Some(Duration::from_secs(seconds)));
        assert_eq!(limit("60"), Ok(Some(SILENCE_LIMIT)), "the default");
        assert_eq!(limit("90"), seconds(90));
        assert_eq!(limit("10m"), seconds(600));
        assert_eq!(limit("1h"), seconds(3600));
        assert_eq!(limit("1s"), seconds(1));
        assert_eq!(limit("0"), Ok(None));
        assert_eq!(limit("0s"), Ok(None));
        let help = "it must be a time from 1s to 1h, such as 90 or 10m, or 0 for no limit";
        for text in ["", "-1", "soon", "500ms", "61m", "2h"] {
            assert_eq!(limit(text), Err(help.to_owned()), "{text}");
        }
    }
}
