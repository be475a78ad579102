//! The OpenTelemetry trace of this process, if the environment requests one: a span around the
//! command, and the export of all spans to the daemons and the collector.

use std::sync::OnceLock;

use solvekit::trace::{Recorder, Settings};
use tracing::Instrument as _;
use tracing::field::Empty;

use super::identity::Identity;
use super::report::Failure;
use super::report::terminal::warn;

/// The trace of the process. Global, because the subscriber of `tracing` is global too.
static TRACE: OnceLock<Trace> = OnceLock::new();

#[derive(Debug)]
struct Trace {
    /// The name of the span around the command.
    title: String,
    recorder: Recorder,
}

/// Starts the trace of a command if the environment requests one. Invalid variables cause a
/// warning, not a failure.
pub(super) fn start(title: Option<String>, identity: Identity) -> Option<Recorder> {
    let title = title?;
    let service = match identity {
        Identity::Solvekit => "solvekit",
        Identity::Buildx => "buildx",
        Identity::Buildctl => "buildctl",
    };
    let variable = |name: &str| std::env::var(name).ok();
    let recorder = match Settings::from_variables(variable, service) {
        Ok(settings) => Recorder::new(settings?).map_err(|problem| problem.to_string()),
        Err(problem) => Err(problem.to_string()),
    };
    match recorder {
        Ok(recorder) => {
            let title = title.trim_end().to_owned();
            let trace = TRACE.get_or_init(|| Trace { title, recorder });
            Some(trace.recorder.clone())
        }
        Err(problem) => {
            warn(&format!("there are no traces: {problem}"));
            None
        }
    }
}

/// Runs a command in its span, then sends the daemons their part of the trace.
pub(super) async fn around(
    command: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let Some(Trace { title, recorder }) = TRACE.get() else {
        return command.await;
    };
    let span = tracing::info_span!("command", otel.name = title, error = Empty);
    let result = command.instrument(span.clone()).await;
    if let Err(failure) = &result {
        span.record("error", failure.message());
    }
    drop(span);
    recorder.send_to_daemons().await;
    result
}

/// Sends the spans to the collector after the command has printed everything. A failing collector
/// does not fail the command.
pub(super) fn finish() {
    let Some(Trace { recorder, .. }) = TRACE.get() else {
        return;
    };
    let Some(destination) = recorder.destination() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let sent = match runtime {
        Ok(runtime) => {
            let sent = runtime.block_on(recorder.send());
            // Do not wait for a DNS lookup that hangs.
            runtime.shutdown_background();
            sent.map_err(|problem| Failure::from_error(&problem).into_message())
        }
        Err(error) => Err(error.to_string()),
    };
    if let Err(reason) = sent {
        warn(&format!("cannot send traces to {destination}: {reason}"));
    }
}
