//! Evaluates the attributes of groups and targets, all at once or one by one on demand.

use std::collections::HashSet;

use super::collect::Collected;
use super::decode::{Decoded, attribute_names};
use super::interpreter::{Context, Interpreter, KINDS, Unresolved};
use super::load::Missing;
use crate::diagnostic::{Diagnostic, Kind};
use crate::syntax::body::{Block, Body};
use crate::value::Value;

/// A block with the state of its evaluation.
#[derive(Debug)]
pub(super) struct BlockState<'b> {
    pub(super) kind: &'static str,
    pub(super) block: &'b Block,
    /// One output per combination of the matrix.
    pub(super) outputs: Vec<Output>,
}

/// A block in one context.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) name: String,
    context: Context,
    /// Attributes that have a value or are known to be absent.
    done: HashSet<String>,
    /// Attributes that are being evaluated.
    progress: HashSet<String>,
    pub(super) decoded: Decoded,
}

impl<'b> BlockState<'b> {
    /// Returns the groups and targets of `body`, unevaluated.
    pub(super) fn all(body: &'b Body) -> Vec<Self> {
        body.blocks
            .iter()
            .filter_map(|block| {
                let kind = KINDS.into_iter().find(|kind| *kind == block.kind)?;
                Some(Self {
                    kind,
                    block,
                    outputs: Vec::new(),
                })
            })
            .collect()
    }

    /// Sets the contexts.
    pub(super) fn set_contexts(&mut self, contexts: Vec<Context>) {
        let outputs = contexts.into_iter().map(|context| Output {
            name: String::new(),
            context,
            done: HashSet::new(),
            progress: HashSet::new(),
            decoded: Decoded::new(self.kind),
        });
        self.outputs = outputs.collect();
    }
}

impl Interpreter<'_> {
    /// Evaluates all groups and targets.
    ///
    /// An error with a position does not stop it: an error without one, in a later block, is
    /// reported first.
    pub(super) fn resolve_blocks(&mut self, collected: &mut Collected) -> Result<(), Diagnostic> {
        let mut first: Option<Diagnostic> = None;
        for index in 0..self.blocks.len() {
            match self
                .resolve_block(index, None)
                .map_err(Unresolved::into_inner)
            {
                Ok(()) => collected.add(&self.blocks[index]),
                Err(error) if error.span.is_some() && error.kind != Kind::Limit => match &mut first
                {
                    Some(first) => first.others += 1,
                    None => first = Some(error),
                },
                Err(error) => return Err(error.or_at(&self.blocks[index].block.name_span())),
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// Evaluates all attributes of a block, or one.
    pub(super) fn resolve_block(
        &mut self,
        index: usize,
        only: Option<&str>,
    ) -> Result<(), Unresolved> {
        for output in 0..self.blocks[index].outputs.len() {
            if let Some(name) = only {
                let state = &mut self.blocks[index].outputs[output];
                // The reference stops here, even if other combinations lack the attribute.
                if state.done.contains(name) {
                    return Ok(());
                }
                if !state.progress.insert(name.to_owned()) {
                    let kind = self.blocks[index].kind;
                    let target = &self.blocks[index].outputs[output].name;
                    let message = format!("{kind}.{target}.{name} refers to itself");
                    return Err(Diagnostic::new(Kind::Cycle, message).into());
                }
            }
            self.resolve_output(index, output, only)?;
        }
        Ok(())
    }

    /// Evaluates the attributes of a block in one context.
    fn resolve_output(
        &mut self,
        index: usize,
        output: usize,
        only: Option<&str>,
    ) -> Result<(), Diagnostic> {
        let BlockState { kind, block, .. } = self.blocks[index];
        let context = self.blocks[index].outputs[output].context.clone();
        let known = attribute_names(kind);
        let wanted: Vec<&'static str> = {
            let done = &self.blocks[index].outputs[output].done;
            let wanted = known.iter().copied().filter(|name| match only {
                Some(only) => only == *name,
                None => !done.contains(*name),
            });
            wanted.collect()
        };
        if kind == KINDS[0] && wanted.contains(&"targets") {
            require(block, "targets")?;
        }
        let present = block
            .body
            .attributes
            .iter()
            .filter(|attribute| wanted.contains(&attribute.name.as_str()));
        let present: Vec<_> = present.collect();
        for attribute in &present {
            self.load(&attribute.expression, &context, &[], Missing::Allowed)?;
        }
        for attribute in &present {
            // Another attribute may have needed and evaluated this one meanwhile.
            let name = attribute.name.as_str();
            if only.is_none() && self.blocks[index].outputs[output].done.contains(name) {
                continue;
            }
            let value = self.evaluate(&attribute.expression, &context)?;
            // The target stores its own texts, and a value for other expressions.
            let charged = self.globals.charge(&value, kept_bytes(name, &value));
            charged.map_err(|error| error.or_at(&attribute.expression.start_span()))?;
            let decoded = &mut self.blocks[index].outputs[output].decoded;
            decoded.set(name, value).map_err(|error| {
                let place = attribute.expression.start_span();
                let failed = Diagnostic::new(Kind::Type, format!("{name}: {error}")).at(place);
                match error.in_reference() {
                    Some(words) => failed.in_reference(words),
                    None => failed,
                }
            })?;
        }
        let state = &mut self.blocks[index].outputs[output];
        state.done.extend(present.iter().map(|it| it.name.clone()));
        state.done.extend(only.map(str::to_owned));
        let name = state.name.clone();
        self.changed.insert((kind, name), (index, output));
        Ok(())
    }
}

impl Interpreter<'_> {
    /// Updates the value of a block that expressions see.
    pub(super) fn publish(&mut self, kind: &'static str, name: &str) -> Result<(), Diagnostic> {
        /// The approximate size of the value of a block without attributes, in bytes.
        const ENTRY_BYTES: u64 = 6000;
        if let Some((index, output)) = self.changed.remove(&(kind, name.to_owned())) {
            let state = &self.blocks[index].outputs[output];
            let value = state.decoded.value(name);
            // Most of it is the table of the attributes.
            let charged = self.globals.charge(&value, ENTRY_BYTES);
            charged.map_err(|error| error.or_at(&self.blocks[index].block.name_span()))?;
            let values = self.globals.blocks.entry(kind).or_default();
            values.insert(name.to_owned(), value);
        }
        Ok(())
    }
}

/// Returns the approximate size of an attribute in a target, in bytes: texts, and tables of
/// entries.
fn kept_bytes(name: &str, value: &Value) -> u64 {
    /// Attributes whose entries are tables.
    const TABLES: [&str; 7] = [
        "attest",
        "cache-from",
        "cache-to",
        "output",
        "policy",
        "secret",
        "ssh",
    ];
    /// The size of a table with a few entries, in bytes.
    const TABLE_BYTES: u64 = 600;
    let entries = value.items().map_or(0, <[Value]>::len) as u64;
    let tables = if TABLES.contains(&name) { entries } else { 0 };
    6 * value.size() + tables * TABLE_BYTES
}

/// Fails if the block lacks the attribute.
fn require(block: &Block, name: &str) -> Result<(), Diagnostic> {
    if block.body.attribute(name).is_some() {
        return Ok(());
    }
    let message = format!("the {} {:?} has no {name}", block.kind, block.name());
    Err(Diagnostic::new(Kind::Structure, message).at(block.missing.within(&block.file)))
}
