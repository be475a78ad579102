//! What a failed build looks like: the step with the end of its log, the lines of the Dockerfile,
//! the error, the next step.

use solvekit::client;
use solvekit::frontend::Error as FrontendError;
use solvekit::pipeline::Error;
use solvekit::progress::{FailedStep, Mode, Palette, Summary, render_warnings};
use solvekit::registry::FailureKind;

use super::usage::Advised as _;
use super::{Failure, hint, last_lines, platforms_failure};
use crate::cli::interrupt::EXIT_INTERRUPTED;

/// gRPC's Internal and ResourceExhausted have exit codes of their own, as in buildx.
const EXIT_INTERNAL: u8 = 100;
const EXIT_RESOURCE_EXHAUSTED: u8 = 102;

/// The failure of a build in full, with its exit code.
pub(crate) fn explain(error: &Error, summary: &Summary, mode: Mode) -> Failure {
    if let Error::Platforms { failed, built } = error {
        return platforms_failure::nothing_exported(failed, built, summary, mode);
    }
    // The text of a failed step has the daemon's words already.
    let failure = match error {
        Error::Frontend(FrontendError::Solve(_)) => {
            Failure::new(without_command(&error.to_string()))
        }
        _ => Failure::from_error(error),
    };
    let report = report(error, summary, mode);
    let foreign = match error {
        Error::Frontend(error) => hint::for_foreign_program(error, &report),
        _ => None,
    };
    let failure = failure
        .in_buildx(error.in_buildx())
        .of_registry(registry_failure(error));
    let failure = failure.report_before(report).code(exit_code(error));
    failure.advised(foreign.or_else(|| error.advice()))
}

/// `process "…" did not complete successfully` without the command, which the lines above show.
fn without_command(message: &str) -> String {
    const BEGIN: &str = "process \"";
    const END: &str = "\" did not complete successfully";
    match (message.find(BEGIN), message.rfind(END)) {
        (Some(begin), Some(end)) if begin < end => format!(
            "{}the command did not complete successfully{}",
            &message[..begin],
            &message[end + END.len()..]
        ),
        _ => message.to_owned(),
    }
}

/// A failure before anything was asked of a daemon.
pub(crate) fn before_daemon(error: &Error) -> Failure {
    explain(error, &Summary::default(), Mode::Plain)
}

/// What stands above the error's line.
fn report(error: &Error, summary: &Summary, mode: Mode) -> String {
    let lines = mode.report_lines();
    match error {
        Error::Frontend(error) => report_of(error, summary, mode),
        Error::Export { .. } => summary
            .failed
            .first()
            .map(|step| step.render(lines))
            .unwrap_or_default(),
        _ => String::new(),
    }
}

/// The end of a failed step's log, and the lines of the Dockerfile.
pub(crate) fn report_of(error: &FrontendError, summary: &Summary, mode: Mode) -> String {
    match error {
        FrontendError::Syntax(failure) => {
            let mut report = render_warnings(&failure.warnings(), false, &Palette::none());
            report.push_str(&failure.excerpt);
            report
        }
        FrontendError::Translate(failure) => failure.excerpt.clone(),
        FrontendError::Refused(failure) => failure.excerpt.clone(),
        FrontendError::Solve(failure) => {
            let step = step_of(failure.source.failure(), summary);
            let mut report = step
                .map(|step| step.render(mode.report_lines()))
                .unwrap_or_default();
            report.push_str(&failure.excerpt);
            report.push_str(&last_lines::of_step(failure, step));
            report
        }
        _ => String::new(),
    }
}

/// The step that the daemon names; the first that failed when it names none.
fn step_of<'a>(failure: Option<&client::Failure>, summary: &'a Summary) -> Option<&'a FailedStep> {
    let vertex = failure.and_then(client::Failure::vertex);
    let named = vertex.and_then(|digest| summary.failed.iter().find(|step| step.digest == digest));
    named.or_else(|| summary.failed.first())
}

/// What failed at a registry after all was built: the push.
fn registry_failure(error: &Error) -> Option<FailureKind> {
    match error {
        Error::Export { source } => source.registry_failure(),
        // The build can end before the answer to its result is here.
        Error::Client(source) => source.registry_failure(),
        _ => None,
    }
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
pub(crate) fn process_exit_code(error: &Error) -> Option<u8> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_not_repeated() {
        let message = "Dockerfile:3: process \"/bin/sh -c echo \\\"a\\\"\" did not complete \
                       successfully: exit code: 7";
        assert_eq!(
            without_command(message),
            "Dockerfile:3: the command did not complete successfully: exit code: 7"
        );
        assert_eq!(without_command("not found"), "not found");
    }
}
