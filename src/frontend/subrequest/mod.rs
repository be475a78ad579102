//! Answers to questions about a Dockerfile, in the formats of BuildKit's subrequests: JSON for
//! tools, text for people.

mod check;
mod convert;
mod describe;
mod list;

use std::collections::BTreeMap;

pub(super) use check::{check, check_syntax};
pub(super) use convert::convert;
pub(super) use describe::describe;
pub(super) use list::{outline, targets};

use super::Call;

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The reference's JSON, indented by two spaces.
    pub json: String,
    /// The text for people, with a line end.
    pub text: String,
    /// The exit code of a command that shows it: 1 for a check with findings or an error.
    pub status: u8,
    /// The version of the JSON's schema.
    pub version: String,
    /// The number of findings of a check.
    pub findings: usize,
    /// Why a check is incomplete, or what fails a build.
    pub failure: Option<CheckFailure>,
}

/// An error in a Dockerfile besides findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFailure {
    /// `file:line: ` and the message.
    pub message: String,
    /// The message of BuildKit's own frontend, which scripts search for.
    pub reference: Option<String>,
    /// The source lines with marks, ready to print.
    pub excerpt: String,
}

impl Answer {
    /// Converts the answer to the metadata of a frontend's result.
    pub fn to_metadata(&self, call: Call) -> BTreeMap<String, Vec<u8>> {
        let mut metadata = vec![
            ("result.json", self.json.clone()),
            ("version", self.version.clone()),
        ];
        if call != Call::ConvertLlb {
            metadata.push(("result.txt", self.text.clone()));
        }
        if call == Call::Check {
            metadata.push(("result.statuscode", self.status.to_string()));
        }
        metadata
            .into_iter()
            .map(|(name, text)| (name.to_owned(), text.into_bytes()))
            .collect()
    }

    /// Reads an answer from the metadata of another frontend's result.
    pub(super) fn from_metadata(call: Call, metadata: &BTreeMap<String, Vec<u8>>) -> Self {
        let get = |name: &str| {
            let bytes = metadata.get(name).map(Vec::as_slice).unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        let mut answer = Self {
            json: get("result.json"),
            text: get("result.txt"),
            status: get("result.statuscode").parse().unwrap_or(0),
            version: get("version"),
            ..Self::default()
        };
        if call == Call::Check {
            (answer.findings, answer.failure) = check::summary(&answer.json);
        }
        answer
    }
}

/// Serializes with an indent of two spaces. These values are plain data, so this cannot fail.
fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
