//! Explains the value of an attribute: its files, inheritance, overrides and variables.
//!
//! The steps are those of a plan, but only positions are collected.

mod query;

mod layers;

mod uses;

mod render;

#[cfg(test)]
mod tests;

pub use query::{Query, QueryError};

use crate::diagnostic::Span;
use crate::evaluate::Evaluation;
use crate::files::{Environment, InputFile};
use layers::layers;
use uses::Tracer;

/// The explanation of an attribute's value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The query.
    pub query: Query,
    /// All values of the attribute, the last one first: it wins if there can be only one.
    pub steps: Vec<Step>,
}

/// One value of the attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The target with this value: the queried one, or one that it inherits.
    pub target: String,
    /// The origin of the value.
    pub origin: Origin,
    /// The effect on the result.
    pub effect: Effect,
    /// The names that its expression uses, each followed by the names that those use.
    pub uses: Vec<Use>,
}

/// The origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// In a bake file or a compose file.
    File {
        /// The position of the attribute.
        span: Span,
        /// The text of the line, trimmed.
        line: String,
    },
    /// An override: the given text.
    Override(String),
}

/// The effect of a value on the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is the value, or a part of it.
    Counts,
    /// A later step replaced it.
    Replaced,
}

/// A variable, function or attribute that an expression uses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Use {
    /// The nesting depth: 0 for a name that the attribute itself uses.
    pub depth: usize,
    /// The name, such as `VERSION` or `target.app.tags`.
    pub name: String,
    /// The value as text, if it is known.
    pub value: Option<String>,
    /// The origin of the value.
    pub source: UseSource,
}

/// The origin of a variable's value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UseSource {
    /// It was given on the command line.
    Given,
    /// The environment variable with this name.
    Environment(String),
    /// A variable that bake itself defines.
    BuiltIn,
    /// The default of the variable.
    Default(Span),
    /// A variable without a default and without a value from outside.
    NoDefault(Span),
    /// An attribute at the top level of a file.
    TopLevel(Span),
    /// A function of the file.
    Function(Span),
    /// A name of the target's matrix.
    Matrix(Span),
    /// An attribute of another block; `None` if it has no position.
    Block(Option<Span>),
    /// A compose file's variable without a value.
    Unset,
}

/// Explains the value that `query` names.
///
/// `set` are the overrides of the plan, `files` the evaluated files.
pub fn explain(
    evaluation: &Evaluation,
    query: Query,
    set: &[String],
    environment: &Environment,
    files: &[InputFile],
) -> Explanation {
    let mut layers = layers(evaluation, &query, set);
    layers.reverse();
    let mut tracer = Tracer::new(evaluation, environment, files);
    let mut replaced = false;
    let mut steps = Vec::with_capacity(layers.len());
    for layer in layers {
        let effect = match replaced {
            true => Effect::Replaced,
            false => Effect::Counts,
        };
        replaced |= layer.replaces;
        let (origin, uses) = tracer.trace(&layer.source);
        steps.push(Step {
            target: layer.target,
            origin,
            effect,
            uses,
        });
    }
    Explanation { query, steps }
}
