//! Where the value of an attribute comes from: files, inheritance, overrides, variables.
//!
//! The steps are those by which a plan makes a target, but only their places are collected.

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

/// Where the value of an attribute comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// What was asked.
    pub query: Query,
    /// All that sets the attribute, the last one first: it wins where only one can.
    pub steps: Vec<Step>,
}

/// Something that sets the attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The target that it was said of: the one that was asked about, or one that it inherits.
    pub target: String,
    /// Where it was said.
    pub origin: Origin,
    /// What became of it.
    pub effect: Effect,
    /// What its expression uses, with what those use in turn.
    pub uses: Vec<Use>,
}

/// Where something was said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// In a bake file or a compose file.
    File {
        /// The place.
        span: Span,
        /// The line, without the blanks around it.
        line: String,
    },
    /// By an override: the text that was given.
    Override(String),
}

/// What became of a step.
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
    /// How deep it is nested: 0 for what the attribute itself uses.
    pub depth: usize,
    /// The name, such as `VERSION` or `target.app.tags`.
    pub name: String,
    /// The value as text, where it is known.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: UseSource,
}

/// Where the value of a variable comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UseSource {
    /// It was given with the command.
    Given,
    /// The variable of the environment with this name.
    Environment(String),
    /// A variable that bake itself defines.
    BuiltIn,
    /// The default of a variable.
    Default(Span),
    /// A variable without a default, and without a value from outside.
    NoDefault(Span),
    /// An attribute at the top level of a file.
    TopLevel(Span),
    /// A function of the file.
    Function(Span),
    /// A name of the target's matrix.
    Matrix(Span),
    /// An attribute of another block; none if there is no such place.
    Block(Option<Span>),
    /// A compose file's variable that has no value.
    Unset,
}

/// Where the value that `query` asks for comes from.
///
/// `set` are the overrides that the plan was made with, `files` the files that were evaluated.
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
