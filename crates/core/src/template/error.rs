//! What can be wrong with a template.

use crate::suggest;

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be read.
    #[error("invalid template, column {column}: {reason}")]
    Syntax {
        /// Where, in characters from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// Its blocks or parentheses are nested too deeply.
    #[error(
        "invalid template, column {column}: blocks or parentheses are nested deeper than {most} \
        levels"
    )]
    TooDeep {
        /// Where, in characters from 1.
        column: usize,
        /// How many there may be.
        most: usize,
    },
    /// What it makes is too large, or takes too long to make.
    #[error("the template produces more than {most} {what}")]
    TooMuch {
        /// How many there may be.
        most: usize,
        /// Of what.
        what: &'static str,
    },
    /// It calls a function that does not exist.
    #[error("the template calls {name}, which is not a function{}; those that exist: \
        {}", did_you_mean(name, known), known.join(", "))]
    UnknownFunction {
        /// What it calls.
        name: String,
        /// The functions that there are.
        known: Vec<String>,
    },
    /// It uses a field that does not exist.
    #[error(
        "the template uses .{name}, which {of} does not have{}; it has {}",
        did_you_mean(name, known),
        list(known)
    )]
    UnknownField {
        /// The field.
        name: String,
        /// Of what: `.Manifest`, `what is printed`.
        of: String,
        /// The fields that there are.
        known: Vec<String>,
    },
    /// A function, or `range`, gets what it cannot work with.
    #[error("the template cannot be used: {function}: {reason}")]
    Misuse {
        /// The function's name.
        function: String,
        /// What it cannot work with.
        reason: String,
    },
}

fn did_you_mean(name: &str, known: &[String]) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    suggest::nearest(name, &known)
        .map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

fn list(known: &[String]) -> String {
    match known.is_empty() {
        true => "no fields".to_owned(),
        false => known.join(", "),
    }
}
