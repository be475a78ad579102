//! Errors of templates: parsing and evaluation.

use crate::suggest;

/// The reason a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The template is malformed.
    #[error("invalid template, column {column}: {reason}")]
    Syntax {
        /// The column, in characters from 1.
        column: usize,
        /// The fault.
        reason: SyntaxProblem,
    },
    /// Blocks or parentheses are nested too deeply.
    #[error(
        "invalid template, column {column}: blocks or parentheses are nested deeper than {most} \
        levels"
    )]
    TooDeep {
        /// The column, in characters from 1.
        column: usize,
        /// The most levels allowed.
        most: usize,
    },
    /// The output is too large, or rendering takes too many steps.
    #[error("the template produces more than {most} {what}")]
    TooMuch {
        /// The limit.
        most: usize,
        /// The unit of the limit.
        what: &'static str,
    },
    /// The template calls an unknown function.
    #[error("the template calls {name}, which is not a function{}; those that exist: \
        {}", did_you_mean(name, known), known.join(", "))]
    UnknownFunction {
        /// The unknown name.
        name: String,
        /// The known functions.
        known: Vec<String>,
    },
    /// The template uses an unknown field.
    #[error(
        "the template uses .{name}, which {of} does not have{}; it has {}",
        did_you_mean(name, known),
        list(known)
    )]
    UnknownField {
        /// The unknown field.
        name: String,
        /// The value that lacks the field: `.Manifest`, `what is printed`.
        of: String,
        /// The fields of that value.
        known: Vec<String>,
    },
    /// A function or `range` gets an argument that it does not support.
    #[error("the template cannot be used: {function}: {reason}")]
    Misuse {
        /// The function's name.
        function: String,
        /// The fault of the argument.
        reason: String,
    },
}

/// A fault of a template's form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxProblem {
    /// An action is not closed.
    #[error("{{{{ has no }}}}")]
    Unclosed,
    /// A string is not closed.
    #[error("a string without an end")]
    UnclosedString,
    /// A parenthesis is not closed.
    #[error("a parenthesis is not closed")]
    UnclosedParenthesis,
    /// An action is empty.
    #[error("{{{{}}}} has nothing in it")]
    Empty,
    /// A block has no end.
    #[error("this has no {{{{end}}}}")]
    NoEnd,
    /// An end has no block.
    #[error("nothing is open that this could end")]
    NothingOpen,
    /// Another fault.
    #[error("{0}")]
    Other(String),
}

fn did_you_mean(name: &str, known: &[String]) -> String {
    let known: Vec<&str> = nameable(known).collect();
    suggest::nearest(name, &known)
        .map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

fn list(known: &[String]) -> String {
    match known.is_empty() {
        true => "no fields".to_owned(),
        false => nameable(known).collect::<Vec<_>>().join(", "),
    }
}

/// The names that a template can refer to: none of them begins with a dot.
fn nameable(known: &[String]) -> impl Iterator<Item = &str> {
    let names = known.iter().map(String::as_str);
    names.filter(|name| !name.starts_with('.'))
}
