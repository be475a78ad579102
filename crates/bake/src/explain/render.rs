//! Formats an explanation: one line per step, the winning one first.

use std::fmt;

use super::{Effect, Explanation, Origin, Query, Step, Use, UseSource};
use crate::diagnostic::Span;

/// Formats as `TARGET.ATTRIBUTE` or `TARGET.ATTRIBUTE.KEY`.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.target, self.attribute)?;
        match &self.key {
            Some(key) => write!(f, ".{key}"),
            None => Ok(()),
        }
    }
}

/// Formats all steps, each with its uses; every line ends with a newline.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            return match self.query.attribute.as_str() {
                "context" | "dockerfile" => writeln!(f, "  default   nothing sets it"),
                _ => writeln!(f, "  not set"),
            };
        }
        self.steps
            .iter()
            .try_for_each(|step| step.write(f, &self.query.target))
    }
}

impl Step {
    fn write(&self, f: &mut fmt::Formatter<'_>, asked: &str) -> fmt::Result {
        let effect = match self.effect {
            Effect::Counts => "counts  ",
            Effect::Replaced => "replaced",
        };
        write!(f, "  {effect}  ")?;
        match &self.origin {
            Origin::File { span, line } => write!(f, "{}  {line}", Place(span))?,
            Origin::Override(text) => write!(f, "--set {text}")?,
        }
        if self.target != asked {
            write!(f, "  (inherited from {})", self.target)?;
        }
        writeln!(f)?;
        self.uses.iter().try_for_each(|it| it.write(f))
    }
}

impl Use {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:width$}{}", "", self.name, width = 14 + 2 * self.depth)?;
        if let Some(value) = &self.value {
            write!(f, " = {value:?}")?;
        }
        match &self.source {
            UseSource::Given => writeln!(f, ": given with --var"),
            UseSource::Environment(name) => writeln!(f, ": variable {name} of the environment"),
            UseSource::BuiltIn => writeln!(f, ": set by bake"),
            UseSource::Default(span) => writeln!(f, ": default at {}", Place(span)),
            UseSource::NoDefault(span) => writeln!(f, ": no value, declared at {}", Place(span)),
            UseSource::TopLevel(span) => writeln!(f, ": set at {}", Place(span)),
            UseSource::Function(span) => writeln!(f, ": function at {}", Place(span)),
            UseSource::Matrix(span) => writeln!(f, ": matrix at {}", Place(span)),
            UseSource::Block(Some(span)) => writeln!(f, ": set at {}", Place(span)),
            UseSource::Block(None) => writeln!(f, ": not set"),
            UseSource::Unset => writeln!(f, ": from .env, or not set"),
        }
    }
}

/// `FILE:LINE`
struct Place<'a>(&'a Span);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file, self.0.start.line)
    }
}
