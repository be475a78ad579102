//! What a failed build looks like: the step with the end of its log, the lines of the Dockerfile, the error, the next step.

use solvekit::build::Error;
use solvekit::client;
use solvekit::frontend::Error as FrontendError;
use solvekit::progress::{FailedStep, Mode, Summary};

use super::Failure;
use super::hint;
use super::interrupt::EXIT_INTERRUPTED;

/// gRPC's Internal and ResourceExhausted have exit codes of their own, as in buildx.
const EXIT_INTERNAL: u8 = 100;
const EXIT_RESOURCE_EXHAUSTED: u8 = 102;

/// The failure of a build in full, with its exit code.
pub(super) fn explain(error: &Error, summary: &Summary, mode: Mode) -> Failure {
    // The text of a failed step has the daemon's words already.
    let failure = match error {
        Error::Frontend(FrontendError::Solve(_)) => Failure::new(error.to_string()),
        _ => Failure::from_error(error),
    };
    let failure = failure
        .report_before(report(error, summary, mode.report_lines()))
        .code(exit_code(error));
    match hint::for_build(error) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// A failure before anything was asked of a daemon.
pub(super) fn before_daemon(error: &Error) -> Failure {
    explain(error, &Summary::default(), Mode::Plain)
}

/// What stands above the error's line.
fn report(error: &Error, summary: &Summary, lines: usize) -> String {
    match error {
        Error::Frontend(FrontendError::Syntax(failure)) => failure.excerpt.clone(),
        Error::Frontend(FrontendError::Translate(failure)) => failure.excerpt.clone(),
        Error::Frontend(FrontendError::Entitlement(failure)) => failure.excerpt.clone(),
        Error::Frontend(FrontendError::Solve(failure)) => {
            let mut report = step_of(error, summary)
                .map(|step| step.render(lines))
                .unwrap_or_default();
            report.push_str(&failure.excerpt);
            report
        }
        Error::Export { .. } => summary
            .failed
            .first()
            .map(|step| step.render(lines))
            .unwrap_or_default(),
        _ => String::new(),
    }
}

/// The step that the daemon names; the first that failed when it names none.
fn step_of<'a>(error: &Error, summary: &'a Summary) -> Option<&'a FailedStep> {
    let vertex = daemon_failure(error).and_then(client::Failure::vertex);
    let named = vertex.and_then(|digest| summary.failed.iter().find(|step| step.digest == digest));
    named.or_else(|| summary.failed.first())
}

fn exit_code(error: &Error) -> u8 {
    if matches!(error, Error::Interrupted) {
        return EXIT_INTERRUPTED;
    }
    match daemon_failure(error).map(|failure| failure.code) {
        Some(client::Code::Internal) => EXIT_INTERNAL,
        Some(client::Code::ResourceExhausted) => EXIT_RESOURCE_EXHAUSTED,
        _ => 1,
    }
}

/// The exit code of the process in RUN that failed, if that is what failed.
pub(super) fn process_exit_code(error: &Error) -> Option<u8> {
    let code = daemon_failure(error)?.exit_code()?;
    u8::try_from(code).ok().filter(|code| *code != 0)
}

/// What the daemon reported, if the failure is its word.
fn daemon_failure(error: &Error) -> Option<&client::Failure> {
    match error {
        Error::Frontend(FrontendError::Solve(failure)) => failure.source.failure(),
        Error::Frontend(FrontendError::Gateway(source)) | Error::Gateway(source) => {
            source.failure()
        }
        Error::Export { source } => source.failure(),
        Error::Client(source) => source.failure(),
        _ => None,
    }
}
