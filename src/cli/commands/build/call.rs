//! `solvekit build --call` and `--check`: questions about a Dockerfile, answered on stdout.

use solvekit::dockerfile::go_bool;
use solvekit::frontend::{Answer, Call};
use solvekit::pipeline::BuildRequest;

use super::asking::{self, Asked, Surroundings};
use super::result_files::ResultFileArgs;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_json, print_text, warn};
use crate::cli::report::usage::{BuildUsage, CallProblem};

/// The question, and the format of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallArgs {
    call: Call,
    json: bool,
    ignore_status: bool,
}

impl CallArgs {
    /// The question about this request.
    pub(crate) fn about(self, target: &str, request: BuildRequest) -> Asked {
        Asked {
            target: Some(target.to_owned()),
            request,
            call: self.call,
        }
    }

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

/// Prints the answer to stdout, and writes it to the metadata file.
pub(crate) async fn cmd_call(
    request: BuildRequest,
    args: CallArgs,
    results: &ResultFileArgs,
    surroundings: Surroundings<'_>,
) -> Result<(), Failure> {
    results.check_metadata()?;
    let asked = Asked {
        target: None,
        request,
        call: args.call,
    };
    for answer in asking::answers(vec![asked], surroundings).await? {
        results.write_metadata(args.metadata(&answer))?;
        show(args, &answer)?;
    }
    Ok(())
}

/// Prints the answer to stdout; a check with findings exits with status 1, as in buildx.
fn show(args: CallArgs, answer: &Answer) -> Result<(), Failure> {
    let text = match args.json {
        true => ended(&answer.json),
        false => shown(args.call, answer),
    };
    match (text.is_empty(), args.json) {
        (true, _) => {}
        (false, true) => print_json(&text)?,
        (false, false) => print_text(&text)?,
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

/// The answer as text, with its last line ended. An outline ends with an empty line, as in buildx.
fn shown(call: Call, answer: &Answer) -> String {
    let text = match call {
        Call::Check => ended(&answer.text),
        _ if answer.text.ends_with('\n') => answer.text.clone(),
        _ => ended(&answer.text),
    };
    match (call, answer.findings, &answer.failure) {
        (Call::Check, 0, None) => "Check complete, no warnings found.\n".to_owned(),
        (Call::Check, 0, Some(_)) => String::new(),
        (Call::Check, 1, _) => format!("Check complete, 1 warning has been found!\n{text}"),
        (Call::Check, count, _) => {
            format!("Check complete, {count} warnings have been found!\n{text}")
        }
        _ => text,
    }
}

/// The text with one line break at its end, unless it is empty.
fn ended(text: &str) -> String {
    match text.trim_end_matches('\n') {
        "" => String::new(),
        text => format!("{text}\n"),
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
