//! `--debug` and `SOLVEKIT_LOG`: print the library's operations and their durations to stderr. Off
//! by default.

use solvekit::trace::Recorder;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt, registry};

/// The variable for the level: `info`, `debug`, `trace`.
const VARIABLE: &str = "SOLVEKIT_LOG";

/// Prints the library's spans when they end, and records them for a trace. Both only on request.
pub(crate) fn start(debug: bool, recorder: Option<Recorder>) {
    let level = std::env::var(VARIABLE).ok();
    let level = level_of(debug, level.as_deref());
    if level.is_none() && recorder.is_none() {
        return;
    }
    let ours = |level| Targets::new().with_target("solvekit", level);
    let lines = level.map(|level| {
        fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(false)
            .with_target(false)
            .with_span_events(FmtSpan::CLOSE)
            .with_filter(ours(level))
    });
    let recorder = recorder.map(|recorder| recorder.with_filter(ours(LevelFilter::INFO)));
    // A second call has no effect.
    let _ = registry().with(lines).with(recorder).try_init();
}

/// An unknown word counts as `info`, because some logging was requested.
fn level_of(debug: bool, variable: Option<&str>) -> Option<LevelFilter> {
    match variable.filter(|text| !text.is_empty()) {
        Some(text) => match text.parse().unwrap_or(LevelFilter::INFO) {
            LevelFilter::OFF => None,
            level => Some(level),
        },
        None => debug.then_some(LevelFilter::INFO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shown_unless_asked_for() {
        assert_eq!(level_of(false, None), None);
        assert_eq!(level_of(false, Some("")), None);
        assert_eq!(level_of(true, Some("off")), None);
        assert_eq!(level_of(true, None), Some(LevelFilter::INFO));
        assert_eq!(level_of(false, Some("debug")), Some(LevelFilter::DEBUG));
        assert_eq!(level_of(false, Some("yes")), Some(LevelFilter::INFO));
    }
}
