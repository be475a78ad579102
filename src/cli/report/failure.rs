//! The failure of a command: message, hint and exit code, decided here for all commands.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use solvekit::progress::BuildEnd;
use solvekit::registry::FailureKind;
use solvekit::text;
/// The error and its causes, joined. A cause that the text contains already is omitted.
pub(crate) use solvekit_core::causes::in_one_line as with_causes;

use super::buildx_words::is_no_such_file;
use super::last_lines::{self, LastLines, Place};
use super::terminal::{print_text, talk, written};
use crate::cli::identity::Identity;

/// The exit code of a command that compared two things and found a difference, as in diff(1).
pub(crate) const EXIT_DIFFERENT: u8 = 1;
/// The exit code of such a command if it could not compare.
const EXIT_TROUBLE: u8 = 2;

/// A failed command.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    message: String,
    /// The message in buildx's wording, for scripts that look for it.
    buildx: Option<String>,
    /// True if buildx prints no prefix before the message.
    alone_in_buildx: bool,
    /// True if buildx prints no lines above the message.
    bare_in_buildx: bool,
    /// Lines above the message: the log of a step, the lines of a Dockerfile.
    report: String,
    /// The end of those lines.
    ending: Option<Box<Ending>>,
    hint: Option<String>,
    code: u8,
    /// The kind of a registry's failure, which tells scripts if a retry makes sense.
    registry: Option<FailureKind>,
    /// True if no daemon answers, for example during a restart.
    is_daemon_absent: bool,
    /// True if it is reported as by buildctl, in lower case.
    is_of_buildctl: bool,
}

/// The end of a report, and the line that it is about.
#[derive(Debug, Clone, Default)]
struct Ending {
    /// The steps that failed.
    steps: Vec<LastLines>,
    /// The command that opens a shell in the failed step.
    shell: Option<String>,
    /// The line that the message is about.
    place: Option<Place>,
}

/// The exit codes of registries' failures, as in `sysexits.h`.
const EXIT_BROKEN: u8 = 65;
const EXIT_TRY_LATER: u8 = 75;
const EXIT_DENIED: u8 = 77;

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: text::without_error_numbers(&message.into()).into_owned(),
            buildx: None,
            alone_in_buildx: false,
            bare_in_buildx: false,
            report: String::new(),
            ending: None,
            hint: None,
            code: 1,
            registry: None,
            is_daemon_absent: false,
            is_of_buildctl: false,
        }
    }

    /// Only an exit code: all text is on stdout already.
    pub(crate) fn silent(code: u8) -> Self {
        Self::new("").code(code)
    }

    /// The error and its causes, joined.
    pub(crate) fn from_error(error: &dyn Error) -> Self {
        Self::new(with_causes(error))
    }

    /// The message, to be part of another one.
    pub(crate) fn into_message(self) -> String {
        self.message
    }

    /// The message.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The message in buildx's wording.
    pub(crate) fn buildx_words(&self) -> &str {
        self.buildx.as_ref().unwrap_or(&self.message)
    }

    /// The hint, if one is known.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match (self.code, self.registry) {
            (1, Some(FailureKind::Transient | FailureKind::Unreachable)) => EXIT_TRY_LATER,
            (1, Some(FailureKind::Denied)) => EXIT_DENIED,
            (1, Some(FailureKind::Broken)) => EXIT_BROKEN,
            (code, _) => code,
        }
    }

    /// Sets the kind of a registry's failure, which decides the exit code unless another one is
    /// set.
    #[must_use]
    pub(crate) fn of_registry(mut self, kind: Option<FailureKind>) -> Self {
        self.registry = kind.or(self.registry);
        self
    }

    /// The kind of a registry's failure, if a registry failed.
    pub(crate) fn registry(&self) -> Option<FailureKind> {
        self.registry
    }

    /// Sets if the cause is that no daemon answers, for example during a restart.
    #[must_use]
    pub(crate) fn daemon_absent(mut self, is_absent: bool) -> Self {
        self.is_daemon_absent = is_absent;
        self
    }

    /// True if waiting for a daemon may help.
    pub(crate) fn is_daemon_absent(&self) -> bool {
        self.is_daemon_absent
    }

    /// The lines of a Dockerfile above the message, without the logs of failed steps.
    pub(crate) fn excerpt(&self) -> &str {
        let after_logs = self.report.rsplit_once("\n------\n");
        after_logs.map_or(&*self.report, |(_, rest)| rest)
    }

    /// Sets the hint, if one is known. Errors know their own hints: see [`super::Advised`].
    #[must_use]
    pub(crate) fn advised(mut self, advice: Option<String>) -> Self {
        self.hint = advice.or(self.hint);
        self
    }

    /// Adds a prefix to the message.
    #[must_use]
    pub(crate) fn with_prefix(mut self, text: &str) -> Self {
        self.message = format!("{text}: {}", self.message);
        self.buildx = self.buildx.map(|words| format!("{text}: {words}"));
        self
    }

    /// Adds the name of a target to the message. buildx's has none.
    #[must_use]
    pub(crate) fn of_target(mut self, name: &str) -> Self {
        let words = self.buildx.take().unwrap_or_else(|| self.message.clone());
        self.message = format!("target {name}: {}", self.message);
        self.buildx = Some(words);
        self
    }

    /// Sets buildx's message, if it has one.
    #[must_use]
    pub(crate) fn in_buildx(mut self, words: Option<String>) -> Self {
        let words = words.map(|words| text::without_error_numbers(&words).into_owned());
        self.buildx = words.or(self.buildx);
        self
    }

    /// Sets buildx's message for a file that cannot be opened because it does not exist. `before`
    /// is the text in front of it.
    #[must_use]
    pub(crate) fn of_missing_file(
        self,
        before: &str,
        path: impl std::fmt::Display,
        error: &io::Error,
    ) -> Self {
        let is_missing = is_no_such_file(error);
        self.in_buildx(
            is_missing.then(|| format!("{before}open {path}: no such file or directory")),
        )
    }

    /// Sets if the message has no prefix when this program is called as buildx.
    #[must_use]
    pub(crate) fn alone_in_buildx(mut self, is_alone: bool) -> Self {
        self.alone_in_buildx |= is_alone;
        self
    }

    /// Sets if there are no lines above the message when this program is called as buildx.
    #[must_use]
    pub(crate) fn bare_in_buildx(mut self, is_bare: bool) -> Self {
        self.bare_in_buildx |= is_bare;
        self
    }

    /// Adds a prefix to the message that is printed when this program is called as buildx.
    #[must_use]
    pub(crate) fn prefixed_in_buildx(mut self, text: &str) -> Self {
        if !self.message.is_empty() && !self.alone_in_buildx {
            let words = self.buildx.as_ref().unwrap_or(&self.message);
            self.buildx = Some(format!("{text}: {words}"));
        }
        self
    }

    /// Selects the wording of the program that was called.
    #[must_use]
    pub(crate) fn in_words_of(mut self, identity: Identity) -> Self {
        if identity == Identity::Buildx {
            // buildx has the same exit code for all of them, and its report ends with the lines of
            // the Dockerfile.
            self.registry = None;
            self.ending = None;
            if self.bare_in_buildx {
                self.report.clear();
            }
        }
        // buildctl's messages for builds are buildx's.
        self.is_of_buildctl = identity == Identity::Buildctl;
        if matches!(identity, Identity::Buildx | Identity::Buildctl)
            && let Some(words) = self.buildx.take()
        {
            self.message = words;
        }
        self
    }

    /// Adds the folders that the export has left incomplete.
    #[must_use]
    pub(crate) fn incomplete(mut self, folders: &[PathBuf]) -> Self {
        for folder in folders {
            let note = format!("; the folder {} is incomplete", folder.display());
            self.message.push_str(&note);
        }
        self
    }

    #[must_use]
    pub(crate) fn report_before(mut self, report: impl Into<String>) -> Self {
        self.report = report.into();
        self
    }

    /// Adds lines below those that are already above the message.
    #[must_use]
    pub(crate) fn report_after(mut self, more: &str) -> Self {
        if !self.report.is_empty() {
            self.report.push('\n');
        }
        self.report.push_str(more);
        self
    }

    /// Sets the line that the message is about, if it is known.
    #[must_use]
    pub(crate) fn at(mut self, place: Option<Place>) -> Self {
        if place.is_some() {
            self.ending.get_or_insert_default().place = place;
        }
        self
    }

    pub(crate) fn place(&self) -> Option<&Place> {
        self.ending.as_ref()?.place.as_ref()
    }

    /// The steps that failed.
    pub(crate) fn failed_steps(&self) -> &[LastLines] {
        self.ending.as_ref().map_or(&[], |ending| &ending.steps)
    }

    /// Adds the failed steps at the end of the report.
    #[must_use]
    pub(crate) fn ends_with(mut self, steps: impl IntoIterator<Item = LastLines>) -> Self {
        let steps: Vec<LastLines> = steps.into_iter().collect();
        if !steps.is_empty() {
            self.ending.get_or_insert_default().steps.extend(steps);
        }
        self
    }

    /// Sets the command that opens a shell in the failed step.
    #[must_use]
    pub(crate) fn shell(mut self, command: Option<String>) -> Self {
        if command.is_some() {
            self.ending.get_or_insert_default().shell = command;
        }
        self
    }

    /// Takes the failed steps, for the end of another report.
    pub(crate) fn take_last(&mut self) -> Vec<LastLines> {
        let ending = self.ending.as_mut();
        ending.map_or_else(Vec::new, |ending| std::mem::take(&mut ending.steps))
    }

    /// Returns the report, the message and the hint, as part of another report. Call
    /// [`take_last`](Self::take_last) before.
    pub(crate) fn into_report(self) -> String {
        let hint = self.hint.unwrap_or_default();
        let hint = hint.lines().map(|line| format!("  {line}\n"));
        let hint: String = hint.collect();
        format!("{}\n{}\n{hint}\n", self.report.trim_end(), self.message)
    }

    #[must_use]
    pub(crate) fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// For a command that compares: replaces the exit code that would mean a difference.
    #[must_use]
    pub(crate) fn no_difference(self) -> Self {
        let is_found = self.message.is_empty() && self.report.is_empty();
        match self.code {
            EXIT_DIFFERENT if !is_found => self.code(EXIT_TROUBLE),
            _ => self,
        }
    }

    /// The same exit code, without any text.
    pub(crate) fn already_shown(self) -> Self {
        Self::silent(self.code).of_registry(self.registry)
    }

    /// The failure as the last line of machine-readable progress.
    pub(crate) fn to_end(&self) -> BuildEnd {
        let mut end = BuildEnd::default();
        end.exit_code = self.exit_code();
        end.error = Some(self.message.clone());
        end.hint.clone_from(&self.hint);
        end
    }

    /// Prints the failure to stderr and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let mut text = String::new();
        if !self.report.is_empty() {
            text.push_str(self.report.trim_end());
            text.push('\n');
        }
        if let Some(ending) = &self.ending {
            text.push_str(&last_lines::render(&ending.steps));
            if let Some(command) = &ending.shell {
                text.push_str(&format!("For a shell where it failed: {command}\n"));
            }
        }
        if !self.message.is_empty() {
            let label = if self.is_of_buildctl {
                "error"
            } else {
                "ERROR"
            };
            text.push_str(&format!("{label}: {}\n", self.message));
        }
        for line in self.hint.iter().flat_map(|hint| hint.lines()) {
            text.push_str(&format!("  {line}\n"));
        }
        talk(&text);
        ExitCode::from(self.exit_code())
    }
}

/// Prints a mistake in the arguments, or the text of `--help` and `--version`. A command group
/// without a subcommand prints its help. A command that compares exits with 2: its 1 means a
/// difference.
pub(crate) fn usage(error: &clap::Error, compares: bool) -> ExitCode {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return match print_text(&error.to_string()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(),
        };
    }
    let message = error.render().to_string();
    match text::lines(&message) {
        // Without colours: they cannot be distinguished from escape sequences in an argument.
        shown if shown != message => talk(&shown),
        _ => {
            let printed = error.print();
            if let (Err(failure), false) = (written(printed), error.use_stderr()) {
                return failure.report();
            }
        }
    }
    match (error.use_stderr(), compares) {
        (true, true) => EXIT_TROUBLE.into(),
        (true, false) => ExitCode::FAILURE,
        (false, _) => ExitCode::SUCCESS,
    }
}
