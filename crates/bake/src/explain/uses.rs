//! The names that the expression of an attribute uses, with their origins.

use std::collections::{BTreeMap, HashSet};

use super::layers::Source;
use super::{Origin, Use, UseSource};
use crate::diagnostic::Span;
use crate::evaluate::Evaluation;
use crate::files::{Environment, InputFile};
use crate::syntax::ast::{Expression, Reference, Step};
use crate::syntax::body::{Block, Body};
use crate::syntax::references;
use crate::value::Value;

/// The most uses that are reported for one attribute.
const MAX_USES: usize = 100;
/// The number of characters shown of a line or value.
const WIDTH: usize = 160;

/// Resolves names to their positions.
pub(super) struct Tracer<'a> {
    evaluation: &'a Evaluation,
    environment: &'a Environment,
    files: &'a [InputFile],
    /// The values of variables, formatted as in lists.
    values: BTreeMap<String, String>,
}

/// The uses of one expression so far.
struct Found<'a> {
    uses: Vec<Use>,
    seen: HashSet<String>,
    /// The block whose matrix defines names.
    block: Option<&'a Block>,
}

impl<'a> Tracer<'a> {
    pub(super) fn new(
        evaluation: &'a Evaluation,
        environment: &'a Environment,
        files: &'a [InputFile],
    ) -> Self {
        let listed = evaluation.variables().unwrap_or_default().into_iter();
        let values = listed.map(|it| (it.name, it.value.unwrap_or_else(|| "null".to_owned())));
        Self {
            evaluation,
            environment,
            files,
            values: values.collect(),
        }
    }

    /// Returns the origin of a layer, and its uses.
    pub(super) fn trace(&mut self, source: &Source<'a>) -> (Origin, Vec<Use>) {
        let mut found = Found {
            uses: Vec::new(),
            seen: HashSet::new(),
            block: None,
        };
        let origin = match source {
            Source::Override(text) => Origin::Override((*text).to_owned()),
            Source::Compose(span) => {
                let line = self.line(span);
                for name in compose_variables(&line) {
                    self.add_compose_variable(name, &mut found);
                }
                let span = span.clone();
                Origin::File { span, line }
            }
            Source::Block(block, attribute) => {
                found.block = Some(block);
                self.follow(&attribute.expression, 0, &mut found);
                let span = attribute.range.within(&block.file);
                let line = self.line(&span);
                Origin::File { span, line }
            }
        };
        (origin, found.uses)
    }

    /// Returns the first line of a span, trimmed.
    fn line(&self, span: &Span) -> String {
        let named = |file: &&InputFile| {
            *file.name == *span.file
                || span.file.strip_suffix(".hcl") == Some(&file.name)
                || span.file.strip_suffix(".json") == Some(&file.name)
        };
        let Some(file) = self.files.iter().find(named) else {
            return String::new();
        };
        let index = usize::try_from(span.start.line.saturating_sub(1)).unwrap_or(usize::MAX);
        let line = file.bytes.split(|byte| *byte == b'\n').nth(index);
        short(String::from_utf8_lossy(line.unwrap_or_default()).trim())
    }

    fn body(&self) -> &'a Body {
        &self.evaluation.sources.body
    }

    fn block(&self, kind: &str, name: &str) -> Option<&'a Block> {
        let mut blocks = self.body().blocks.iter().rev();
        blocks.find(|block| block.kind == kind && block.name() == name)
    }

    /// Adds all references of an expression.
    fn follow(&self, expression: &Expression, depth: usize, found: &mut Found<'a>) {
        let names = references(&expression.node);
        for reference in names.variables {
            match reference.root.as_str() {
                "target" | "group" => self.add_block(reference, depth, found),
                name => self.add_variable(name, depth, found),
            }
        }
        for name in names.functions {
            self.add_function(name, depth, found);
        }
    }

    /// Adds a variable, an attribute at the top level, or a name of the matrix, with its uses.
    fn add_variable(&self, name: &str, depth: usize, found: &mut Found<'a>) {
        let top = self.body().attributes.iter().rev();
        let top = top.clone().find(|attribute| attribute.name == name);
        let variable = self.block("variable", name);
        let matrix = found.block.and_then(|block| {
            let attribute = block.body.attribute("matrix")?;
            Some(attribute.range.within(&block.file))
        });
        let (source, next) = if self.environment.builtin(name).is_some() {
            (UseSource::BuiltIn, None)
        } else if let Some(attribute) = top {
            let span = attribute.range.within(&attribute.expression.file);
            (UseSource::TopLevel(span), Some(&attribute.expression))
        } else if let Some(block) = variable {
            self.variable_source(name, block)
        } else if let Some(span) = matrix {
            (UseSource::Matrix(span), None)
        } else {
            return;
        };
        let value = match &source {
            UseSource::BuiltIn => self.environment.builtin(name).map(str::to_owned),
            _ => self.values.get(name).map(|value| short(value)),
        };
        if found.add(depth, name, value, source)
            && let Some(next) = next
        {
            self.follow(next, depth + 1, found);
        }
    }

    /// Follows the rules of the evaluation: `NAME_JSON` is used if the variable has a type, or if
    /// `NAME` is not set.
    fn variable_source(&self, name: &str, block: &'a Block) -> (UseSource, Option<&'a Expression>) {
        let json = format!("{name}_JSON");
        let typed = block.body.attribute("type").is_some();
        let plain = self.environment.lookup(name).is_some();
        let declared = self.block("variable", &json).is_some();
        let has_json = !declared && self.environment.lookup(&json).is_some();
        let outside = if has_json && (typed || !plain) {
            Some(json.as_str())
        } else {
            plain.then_some(name)
        };
        if let Some(outside) = outside {
            return match self.environment.overrides.contains_key(outside) {
                true => (UseSource::Given, None),
                false => (UseSource::Environment(outside.to_owned()), None),
            };
        }
        match block.body.attribute("default") {
            Some(default) => {
                let span = default.range.within(&block.file);
                (UseSource::Default(span), Some(&default.expression))
            }
            None => (UseSource::NoDefault(block.name_span()), None),
        }
    }

    /// Adds a function of the file, with its uses.
    fn add_function(&self, name: &str, depth: usize, found: &mut Found<'a>) {
        let Some(block) = self.block("function", name) else {
            return;
        };
        let source = UseSource::Function(block.name_span());
        let result = block.body.attribute("result");
        if found.add(depth, &format!("{name}()"), None, source)
            && let Some(result) = result
        {
            self.follow(&result.expression, depth + 1, found);
        }
    }

    /// Adds `target.NAME.ATTRIBUTE`, with its uses.
    fn add_block(&self, reference: &Reference, depth: usize, found: &mut Found<'a>) {
        let step = |index: usize| match reference.steps.get(index) {
            Some(Step::Attribute(name, _)) => Some(name.as_str()),
            Some(Step::Index(Value::String(name), _)) => Some(name.as_ref()),
            _ => None,
        };
        let Some(name) = step(0) else { return };
        let attribute = step(1);
        let made = |(block, outputs): &(&'a Block, &'a [crate::definition::Named])| {
            block.kind == reference.root && outputs.iter().any(|output| output.name == name)
        };
        let place = self.evaluation.sources.blocks().filter(made);
        let place = place
            .filter_map(|(block, _)| Some((block, block.body.attribute(attribute?)?)))
            .last();
        let full = match attribute {
            Some(attribute) => format!("{}.{name}.{attribute}", reference.root),
            None => format!("{}.{name}", reference.root),
        };
        let span = place.map(|(block, attribute)| attribute.range.within(&block.file));
        if found.add(depth, &full, None, UseSource::Block(span))
            && let Some((block, attribute)) = place
        {
            let outer = found.block.replace(block);
            self.follow(&attribute.expression, depth + 1, found);
            found.block = outer;
        }
    }

    fn add_compose_variable(&self, name: &str, found: &mut Found<'a>) {
        let value = self.environment.overrides.get(name);
        let (value, source) = match (value, self.environment.variables.get(name)) {
            (Some(value), _) => (Some(value), UseSource::Given),
            (None, Some(value)) => (Some(value), UseSource::Environment(name.to_owned())),
            (None, None) => (None, UseSource::Unset),
        };
        let value = value.map(|value| short(value));
        found.add(0, name, value, source);
    }
}

impl Found<'_> {
    /// Adds a use; false if it is a duplicate or there are too many.
    fn add(&mut self, depth: usize, name: &str, value: Option<String>, source: UseSource) -> bool {
        if self.uses.len() >= MAX_USES || !self.seen.insert(name.to_owned()) {
            return false;
        }
        self.uses.push(Use {
            depth,
            name: name.to_owned(),
            value,
            source,
        });
        true
    }
}

/// Returns the names of `$NAME` and `${NAME…}` in a line of a compose file.
fn compose_variables(line: &str) -> Vec<&str> {
    let mut names = Vec::new();
    // `$$` is a dollar sign.
    for piece in line.split("$$") {
        for after in piece.split('$').skip(1) {
            let after = after.strip_prefix('{').unwrap_or(after);
            let end = after.find(|next: char| next != '_' && !next.is_ascii_alphanumeric());
            let name = &after[..end.unwrap_or(after.len())];
            let starts = |first: char| first == '_' || first.is_ascii_alphabetic();
            if name.starts_with(starts) {
                names.push(name);
            }
        }
    }
    names
}

/// Returns the start of a text, on one line.
fn short(text: &str) -> String {
    let line = text.replace(['\n', '\r'], " ");
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
