//! Errors of policies, with their lines.

use std::fmt;

use crate::source::SourceError;

/// A line of a policy file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The reason a policy cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The module is not valid Rego.
    #[error("cannot parse the policy: {place}: {reason}")]
    Parse {
        /// The line.
        place: Place,
        /// The parser's message.
        reason: String,
    },
    /// The module is too large.
    #[error("the policy {file} has {bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// The file.
        file: String,
        /// The size in bytes.
        bytes: usize,
        /// The largest size in bytes.
        limit: usize,
    },
    /// Brackets are nested so deeply that parsing them would take too long.
    #[error("cannot parse the policy: {place}: brackets are nested too deeply")]
    TooDeep {
        /// The line.
        place: Place,
    },
    /// A called function is not defined.
    #[error("{place}: undefined function {name}")]
    UndefinedFunction {
        /// The line.
        place: Place,
        /// The function.
        name: String,
    },
    /// A rule or function depends on itself.
    #[error("{place}: rule {name} is recursive")]
    Recursion {
        /// The line.
        place: Place,
        /// The rule.
        name: String,
    },
    /// An imported module does not exist.
    #[error("import data.{package} not found for module {module}: there is no {file}")]
    ImportNotFound {
        /// The module that imports it.
        module: String,
        /// The imported package, without `data.`.
        package: String,
        /// The expected file.
        file: String,
    },
    /// There are too many modules.
    #[error("the policy imports more than {limit} modules")]
    TooManyModules {
        /// The most modules.
        limit: usize,
    },
    /// The evaluation failed.
    #[error("cannot evaluate the policy: {}{reason}", at(place.as_ref()))]
    Evaluation {
        /// The line, if it is known.
        place: Option<Place>,
        /// The interpreter's message.
        reason: String,
    },
    /// No rule makes a decision.
    #[error("the policy gave no decision: data.docker.decision is undefined")]
    NoDecision,
    /// The decision has the wrong form.
    #[error("the policy's decision has an invalid {field}: expected {expected}, found {found}")]
    Decision {
        /// The field; `decision` for the whole decision.
        field: String,
        /// The expected value.
        expected: &'static str,
        /// The actual value.
        found: String,
    },
    /// The capability is unknown.
    #[error("unknown policy cap {name:?}")]
    UnknownCapability {
        /// Its name.
        name: String,
    },
    /// The policy reads fields of materials, which are not resolved.
    #[error("the policy needs {}, which cannot be found out for a material", fields.join(", "))]
    Material {
        /// The fields.
        fields: Vec<String>,
    },
    /// One image has several digests.
    #[error("the policy pins {source_name} to several digests: {}", digests.join(", "))]
    SeveralPins {
        /// The image.
        source_name: String,
        /// The digests.
        digests: Vec<String>,
    },
    /// The input of a test is invalid.
    #[error("{place}: cannot read the input of the test: {reason}")]
    TestInput {
        /// The line.
        place: Place,
        /// The fault.
        reason: String,
    },
    /// The source cannot be described.
    #[error("cannot build the policy's input")]
    Source(#[from] SourceError),
}

fn at(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| format!("{place}: "))
}

/// Splits a message of regorus, `\n--> file:line:column\n  |\n5 | text\n  | ^\nerror: reason`, into
/// place and reason.
pub(crate) fn located(message: &str) -> (Option<Place>, String) {
    let reason = message
        .rsplit_once("error: ")
        .map_or(message, |(_, reason)| reason);
    let place = message.split_once("--> ").and_then(|(_, rest)| {
        let mut parts = rest.lines().next()?.rsplitn(3, ':');
        let _column = parts.next()?;
        let line = parts.next()?.parse().ok()?;
        let file = parts.next()?.to_owned();
        Some(Place { file, line })
    });
    (place, reason.trim().to_owned())
}
