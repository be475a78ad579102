//! What is wrong with a policy, and where.

use std::fmt;

use crate::source::SourceError;

/// A line of a policy file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line; 1 is the first.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A policy that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A module that is not Rego.
    #[error("cannot parse the policy: {place}: {reason}")]
    Parse {
        /// The line.
        place: Place,
        /// What the parser says.
        reason: String,
    },
    /// A module that is too large.
    #[error("the policy {file} has {bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// The file.
        file: String,
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        limit: usize,
    },
    /// A function that nobody defines.
    #[error("{place}: undefined function {name}")]
    UndefinedFunction {
        /// The line.
        place: Place,
        /// The function.
        name: String,
    },
    /// A rule or function that needs itself.
    #[error("{place}: rule {name} is recursive")]
    Recursion {
        /// The line.
        place: Place,
        /// The rule.
        name: String,
    },
    /// An imported module that does not exist.
    #[error("import data.{package} not found for module {module}: there is no {file}")]
    ImportNotFound {
        /// The module that imports it.
        module: String,
        /// What it imports, without `data.`.
        package: String,
        /// The file that would have it.
        file: String,
    },
    /// More modules than anybody writes.
    #[error("the policy imports more than {limit} modules")]
    TooManyModules {
        /// How many there may be.
        limit: usize,
    },
    /// The evaluation failed.
    #[error("cannot evaluate the policy: {}{reason}", at(place.as_ref()))]
    Evaluation {
        /// The line, if it is known.
        place: Option<Place>,
        /// What the interpreter says.
        reason: String,
    },
    /// No rule gave a decision.
    #[error("the policy gave no decision: data.docker.decision is undefined")]
    NoDecision,
    /// The decision has another form.
    #[error("the policy's decision has an invalid {field}: expected {expected}, found {found}")]
    Decision {
        /// The field; `decision` is the whole.
        field: String,
        /// What it has to be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A capability that nobody knows.
    #[error("unknown policy cap {name:?}")]
    UnknownCapability {
        /// Its name.
        name: String,
    },
    /// A policy that reads fields of materials, which are not asked for.
    #[error("the policy needs {}, which cannot be found out for a material", fields.join(", "))]
    Material {
        /// The fields.
        fields: Vec<String>,
    },
    /// Several digests for one image.
    #[error("the policy pins {source_name} to several digests: {}", digests.join(", "))]
    SeveralPins {
        /// The image.
        source_name: String,
        /// The digests.
        digests: Vec<String>,
    },
    /// The input of a test is not one.
    #[error("{place}: cannot read the input of the test: {reason}")]
    TestInput {
        /// The line.
        place: Place,
        /// What is wrong.
        reason: String,
    },
    /// The source cannot be described.
    #[error("cannot build the policy's input")]
    Source(#[from] SourceError),
}

fn at(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| format!("{place}: "))
}

/// Place and reason out of a message of regorus:
/// `\n--> file:line:column\n  |\n5 | text\n  | ^\nerror: reason`.
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
