//! `solvekit build --call` and `--check`: questions about a Dockerfile, answered on stdout.

use std::sync::Arc;

use solvekit::dockerfile::go_bool;
use solvekit::frontend::{Answer, Call};
use solvekit::pipeline::{self, BuildRequest, Inquiry};
use solvekit::progress::{self, Mode, Summary};
use tokio_util::sync::CancellationToken;

use super::result_files::ResultFileArgs;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::interrupt;
use crate::cli::report::display::Sink;
use crate::cli::report::terminal::{print_json, print_text, warn};
use crate::cli::report::usage::{BuildUsage, CallProblem};
use crate::cli::report::{Failure, build_failure, display};

/// The question, and the format of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallArgs {
    call: Call,
    json: bool,
    ignore_status: bool,
}

impl CallArgs {
    /// True if the answer is JSON.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// The name of the question in flags.
    pub(crate) fn name(self) -> &'static str {
        match self.call {
            Call::Check => "check",
            call => call
                .request_id()
                .strip_prefix("frontend.")
                .unwrap_or_default(),
        }
    }

    /// The same question with the format of another one; by default the format is text.
    pub(crate) fn in_form_of(self, other: Option<Self>) -> Self {
        Self {
            call: self.call,
            json: other.is_some_and(|other| other.json),
            ignore_status: other.is_some_and(|other| other.ignore_status),
        }
    }

    /// The answer's fields in a metadata file.
    pub(crate) fn metadata(self, answer: &Answer) -> serde_json::Value {
        let fields = answer.to_metadata(self.call).into_iter();
        let fields = fields.map(|(name, bytes)| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let json = match name.ends_with(".json") {
                true => serde_json::from_str(&text).ok(),
                false => None,
            };
            (name, json.unwrap_or(serde_json::Value::String(text)))
        });
        fields.collect::<serde_json::Map<_, _>>().into()
    }

    /// The exit code of a command that shows the answer.
    pub(crate) fn status(self, answer: &Answer) -> u8 {
        match (&answer.failure, self.ignore_status) {
            (Some(_), _) => 1,
            (None, true) => 0,
            (None, false) => answer.status,
        }
    }

    /// The answer as text.
    pub(crate) fn text(self, answer: &Answer) -> String {
        shown(self.call, answer)
    }
}

/// Parses `--call=NAME[,format=json][,ignorestatus=BOOL]` and `--check`; `None` means a build.
pub(crate) fn parse(text: &str, check: bool) -> Result<Option<CallArgs>, Failure> {
    let invalid = |problem: CallProblem| {
        Failure::from(BuildUsage::Call {
            text: text.to_owned(),
            problem,
        })
    };
    let mut name = None;
    let (mut json, mut ignore_status) = (false, false);
    for field in text.split(',') {
        match field.split_once('=') {
            Some(("format", "json")) => json = true,
            Some(("format", "" | "text")) => json = false,
            Some(("format", other)) => {
                // As in buildx, which prints text for all but JSON.
                warn(&format!(
                    "--call has no format {other:?}; the answer is text"
                ));
                json = false;
            }
            Some(("ignorestatus", value)) => {
                let given = go_bool(value);
                let problem = || invalid(CallProblem::IgnoreStatus(value.to_owned()));
                ignore_status = given.ok_or_else(problem)?;
            }
            Some((key, _)) => return Err(invalid(CallProblem::Field(key.to_owned()))),
            None if name.is_some() => return Err(invalid(CallProblem::TwoCalls)),
            None => name = Some(field),
        }
    }
    let call = match (name, check) {
        (None | Some("build"), false) => return Ok(None),
        (None | Some("build"), true) => Call::Check,
        (Some(name), false) => name
            .parse()
            .map_err(|error| invalid(CallProblem::Name(error)))?,
        (Some(name), true) => match name.parse() {
            Ok(Call::Check) => Call::Check,
            _ => return Err(invalid(CallProblem::NotACheck)),
        },
    };
    Ok(Some(CallArgs {
        call,
        json,
        ignore_status,
    }))
}

/// The connection to a daemon, if one is needed, and the display of the progress.
#[derive(Clone)]
pub(crate) struct Surroundings<'a> {
    pub(crate) mode: Mode,
    pub(crate) sink: Sink,
    pub(crate) connection: &'a ConnectionArgs,
    pub(crate) registries: &'a RegistryArgs,
    pub(crate) environment: &'a Environment,
}

/// Prints the answer to stdout, and writes it to the metadata file.
pub(crate) async fn cmd_call(
    request: BuildRequest,
    args: CallArgs,
    results: &ResultFileArgs,
    surroundings: Surroundings<'_>,
) -> Result<(), Failure> {
    results.check_metadata()?;
    let answer = answer(request, args, surroundings).await?;
    results.write_metadata(args.metadata(&answer))?;
    show(args, &answer)
}

/// Answers the question. The daemon is asked only if base images have to be inspected.
pub(crate) async fn answer(
    request: BuildRequest,
    args: CallArgs,
    surroundings: Surroundings<'_>,
) -> Result<Answer, Failure> {
    let explain =
        |error: &pipeline::Error| build_failure::explain(error, &Summary::default(), Mode::Plain);
    let cancelled = interrupt::token()?;
    let inquiry = tokio::select! {
        inquiry = pipeline::inquire(request, args.call) => {
            inquiry.map_err(|error| explain(&error))?
        }
        () = cancelled.cancelled() => return Err(explain(&pipeline::Error::Interrupted)),
    };
    match inquiry.answer_offline().map_err(|error| explain(&error))? {
        Some(answer) => Ok(answer),
        None => ask_daemon(&inquiry, cancelled, surroundings).await,
    }
}

async fn ask_daemon(
    inquiry: &Inquiry,
    cancelled: CancellationToken,
    surroundings: Surroundings<'_>,
) -> Result<Answer, Failure> {
    let Surroundings {
        mode,
        sink,
        connection,
        registries,
        environment,
    } = surroundings;
    let say = |line: &str| display::boot(mode, line);
    let (client, used) = tokio::select! {
        connected = connection.connect_for(environment, &[], &say) => connected?,
        () = cancelled.cancelled() => {
            let interrupted = pipeline::Error::Interrupted;
            return Err(build_failure::explain(&interrupted, &Summary::default(), mode));
        }
    };
    let (writer, updates) = progress::channel();
    let display = display::start(mode, sink, None, &used, environment, updates);
    let mut run = pipeline::Environment::default();
    run.credentials = Arc::new(environment.credentials()?);
    run.registries = registries.options(environment);
    run.progress = Some(writer);
    run.cancelled = cancelled;
    let answer = inquiry.answer(&client, run).await;
    let summary = display.await.unwrap_or_default();
    answer.map_err(|error| build_failure::explain(&error, &summary, mode))
}

/// Prints the answer to stdout; a check with findings exits with status 1, as in buildx.
fn show(args: CallArgs, answer: &Answer) -> Result<(), Failure> {
    let text = match args.json {
        true => answer.json.clone(),
        false => shown(args.call, answer),
    };
    let line = format!("{}\n", text.trim_end_matches('\n'));
    match (text.is_empty(), args.json) {
        (true, _) => {}
        (false, true) => print_json(&line)?,
        (false, false) => print_text(&line)?,
    }
    match &answer.failure {
        Some(failure) => {
            let is_known = failure.reference.is_some();
            let shown = Failure::new(failure.message.clone()).in_buildx(failure.reference.clone());
            let shown = shown.alone_in_buildx(is_known);
            Err(shown.report_before(failure.excerpt.clone()))
        }
        None if answer.status != 0 && !args.ignore_status => Err(Failure::silent(answer.status)),
        None => Ok(()),
    }
}

fn shown(call: Call, answer: &Answer) -> String {
    if call != Call::Check {
        return answer.text.clone();
    }
    match (answer.findings, &answer.failure) {
        (0, None) => "Check complete, no warnings found.".to_owned(),
        (0, Some(_)) => String::new(),
        (1, _) => format!("Check complete, 1 warning has been found!\n{}", answer.text),
        (count, _) => format!(
            "Check complete, {count} warnings have been found!\n{}",
            answer.text
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, check: bool) -> Option<CallArgs> {
        parse(text, check).unwrap()
    }

    #[test]
    fn calls_have_the_reference_s_names_and_fields() {
        assert_eq!(parsed("build", false), None);
        assert_eq!(parsed("build", true).unwrap().call, Call::Check);
        assert_eq!(parsed("lint", false), parsed("check", true));
        let json = parsed("targets,format=json", false).unwrap();
        assert!(json.json && json.call == Call::Targets);
        let text = parsed("check,format=xml", false).unwrap();
        assert!(!text.json && text.call == Call::Check);
        let ignored = parsed("check,ignorestatus=true", false).unwrap();
        assert!(ignored.ignore_status);
    }

    #[test]
    fn wrong_calls_are_refused() {
        for text in ["x", "check,outline", "check,a=b", "check,ignorestatus=x"] {
            assert!(parse(text, false).is_err(), "{text}");
        }
        assert!(parse("outline", true).is_err());
    }
}
