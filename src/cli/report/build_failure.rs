//! The report of a failed build: the step with the end of its log, the lines of the Dockerfile, the
//! error, the next step.

use solvekit::client;
use solvekit::dockerfile::Wording;
use solvekit::frontend::{Error as FrontendError, PlatformFailure};
use solvekit::pipeline::Error;
use solvekit::progress::{FailedStep, Mode, Palette, Summary, render_warnings};
use solvekit::registry::FailureKind;

use super::last_lines::{LastLines, Place};
use super::usage::Advised as _;
use super::{Failure, hint, last_lines, platforms_failure};
use crate::cli::identity::Identity;
use crate::cli::interrupt::EXIT_INTERRUPTED;

/// gRPC's Internal and ResourceExhausted have their own exit codes, as in buildx.
const EXIT_INTERNAL: u8 = 100;
const EXIT_RESOURCE_EXHAUSTED: u8 = 102;

/// The complete failure of a build, with its exit code.
pub(crate) fn explain(error: &Error, summary: &Summary, mode: Mode) -> Failure {
    if let Error::Platforms { failed, built } = error {
        return platforms_failure::nothing_exported(failed, built, summary, mode);
    }
    // The text of a failed step contains the daemon's message already.
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
    let last = match error {
        Error::Frontend(error) => last_of(error, summary),
        _ => None,
    };
    let failure = failure.report_before(report).code(exit_code(error));
    let failure = failure.ends_with(last).at(place(error));
    failure.advised(foreign.or_else(|| error.advice()))
}

/// Removes the command from `process "…" did not complete successfully`: the lines above show it.
pub(crate) fn without_command(message: &str) -> String {
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

/// A failure before a daemon was asked.
pub(crate) fn before_daemon(error: &Error) -> Failure {
    explain(error, &Summary::default(), Mode::Plain)
}

/// The lines above the error.
fn report(error: &Error, summary: &Summary, mode: Mode) -> String {
    match error {
        Error::Frontend(error) => report_of(error, summary, mode),
        Error::Export { .. } => summary
            .failed
            .first()
            .map(|step| log_of(step, mode))
            .unwrap_or_default(),
        _ => String::new(),
    }
}

/// The end of a failed step's log, and the lines of the Dockerfile.
pub(crate) fn report_of(error: &FrontendError, summary: &Summary, mode: Mode) -> String {
    match error {
        FrontendError::Syntax(failure) => {
            let expanding = Some(Identity::default().expanding());
            let mut report = render_warnings(&failure.warnings(), expanding, &Palette::none());
            report.push_str(&failure.excerpt);
            report
        }
        FrontendError::Translate(failure) => failure.excerpt.clone(),
        FrontendError::Refused(failure) => failure.excerpt.clone(),
        FrontendError::Solve(failure) => {
            let step = step_of(failure.source.failure(), summary);
            let mut report = step.map(|step| log_of(step, mode)).unwrap_or_default();
            report.push_str(&failure.excerpt);
            report
        }
        _ => String::new(),
    }
}

/// The end of the step's log. buildx does not repeat it after rawjson, which programs read.
fn log_of(step: &FailedStep, mode: Mode) -> String {
    match (step.wording, mode) {
        (Wording::BuildKit, Mode::RawJson) => String::new(),
        _ => step.render(mode.report_lines()),
    }
}

/// The failed step in a few lines, for the end of the report.
pub(crate) fn last_of(error: &FrontendError, summary: &Summary) -> Option<LastLines> {
    match error {
        FrontendError::Solve(failure) => {
            last_lines::of_step(failure, step_of(failure.source.failure(), summary))
        }
        FrontendError::Refused(step) => {
            last_lines::of_instruction(step.lines()?, step.built_for.as_ref())
        }
        FrontendError::Translate(failure) => {
            last_lines::of_instruction(failure.lines(), failure.built_for.as_ref())
        }
        _ => None,
    }
}

/// The line of the Dockerfile that the error is about.
fn place(error: &Error) -> Option<Place> {
    let Error::Frontend(error) = error else {
        return None;
    };
    match error {
        FrontendError::Syntax(failure) if failure.line > 0 => Some(Place {
            file: failure.file.clone(),
            line: failure.line,
        }),
        FrontendError::Translate(failure) => last_lines::place(failure.lines()),
        FrontendError::Refused(step) => last_lines::place(step.lines()?),
        FrontendError::Solve(failure) => last_lines::place(failure.lines.as_ref()?),
        _ => None,
    }
}

/// The step that the daemon names; the first that failed when it names none.
fn step_of<'a>(failure: Option<&client::Failure>, summary: &'a Summary) -> Option<&'a FailedStep> {
    let vertex = failure.and_then(client::Failure::vertex);
    let named = vertex.and_then(|digest| summary.failed.iter().find(|step| step.digest == digest));
    named.or_else(|| summary.failed.first())
}

/// The kind of a registry's failure after all platforms were built: the push failed.
fn registry_failure(error: &Error) -> Option<FailureKind> {
    match error {
        Error::Export { source } | Error::EnginePush { source, .. } => source.registry_failure(),
        // The build can end before the answer to its result arrives.
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

/// The exit code of the process in RUN, if such a process failed.
pub(crate) fn process_exit_code(error: &Error) -> Option<u8> {
    let code = daemon_failure(error)?.exit_code()?;
    u8::try_from(code).ok().filter(|code| *code != 0)
}

/// True if a process of RUN failed, on any platform.
pub(crate) fn has_failed_process(error: &Error) -> bool {
    match error {
        Error::Frontend(error) => is_of_process(error),
        Error::Platforms { failed, .. } => has_platform_with_failed_process(failed),
        _ => process_exit_code(error).is_some(),
    }
}

/// True if a process of RUN failed on one of these platforms.
pub(crate) fn has_platform_with_failed_process(failed: &[PlatformFailure]) -> bool {
    failed.iter().any(|failed| is_of_process(&failed.error))
}

fn is_of_process(error: &FrontendError) -> bool {
    match error {
        FrontendError::Solve(failure) => failure.exit_code.is_some(),
        _ => false,
    }
}

/// The failure as the daemon reported it, if it came from the daemon.
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
