//! Names of groups and targets.

use std::collections::HashSet;

use super::interpreter::{Interpreter, KINDS};
use super::load::Missing;
use crate::diagnostic::{Diagnostic, Kind};
use crate::limits::MAX_TARGETS;
use crate::target::{NAME_CHARACTERS, is_valid_name};
use crate::value::{Type, Value, convert};

impl Interpreter<'_> {
    /// Sets the names of each block: one, or one per combination of its matrix.
    pub(super) fn resolve_names(&mut self) -> Result<(), Diagnostic> {
        let mut named = Vec::new();
        if self.blocks.len() > MAX_TARGETS {
            return Err(too_many());
        }
        for index in 0..self.blocks.len() {
            let block = self.blocks[index].block;
            let names = self
                .names_of(index)
                .map_err(|error| error.or_at(&block.name_span()))?;
            if named.len() + names.len() > MAX_TARGETS {
                return Err(too_many());
            }
            let kind = self.blocks[index].kind;
            for (output, name) in self.blocks[index].outputs.iter_mut().zip(names) {
                output.name.clone_from(&name);
                named.push(((kind, name), index));
            }
        }
        for (key, index) in named {
            self.named.entry(key).or_default().push(index);
        }
        Ok(())
    }

    /// Returns the names of a block, and sets its contexts.
    fn names_of(&mut self, index: usize) -> Result<Vec<String>, Diagnostic> {
        let state = &self.blocks[index];
        let (block, kind) = (state.block, state.kind);
        self.globals.blocks.entry(kind).or_default();
        let contexts = self.contexts_of(block)?;
        self.blocks[index].set_contexts(contexts.clone());
        let label = block.name();
        let attribute = block.body.attribute("name");
        let structure = |message: &str| Err(Diagnostic::new(Kind::Structure, message));
        let mut names = Vec::with_capacity(contexts.len());
        for context in &contexts {
            validate(label)?;
            let Some(attribute) = attribute else {
                names.push(label.to_owned());
                continue;
            };
            if kind == KINDS[0] {
                return structure("a group cannot have a name attribute");
            }
            if block.body.attribute("matrix").is_none() {
                let failed = Diagnostic::new(Kind::Structure, "a name attribute needs a matrix");
                return Err(failed.in_reference("Invalid name; name requires matrix"));
            }
            self.load(&attribute.expression, context, &[], Missing::Allowed)?;
            let value = self.evaluate(&attribute.expression, context)?;
            let name = convert(&value, &Type::String).map_err(|error| {
                Diagnostic::new(Kind::Name, format!("the name must be text: {error}"))
            })?;
            let Value::String(name) = name else {
                return Err(Diagnostic::new(Kind::Name, "the name is null"));
            };
            validate(&name)?;
            names.push(name.as_ref().to_owned());
        }
        let mut seen = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
            let message = format!("the matrix makes two targets named {twice:?}");
            return Err(Diagnostic::new(Kind::Name, message)
                .in_reference(format!("Invalid name; duplicate name {twice:?}"))
                .hint("set name to a text with all variables of the matrix"));
        }
        Ok(names)
    }
}

/// Returns the error for too many groups and targets.
fn too_many() -> Diagnostic {
    let message = format!("the files declare more than {MAX_TARGETS} groups and targets");
    Diagnostic::new(Kind::Limit, message)
}

/// Rejects a name with invalid characters.
fn validate(name: &str) -> Result<(), Diagnostic> {
    if is_valid_name(name) {
        return Ok(());
    }
    let message = format!("{name:?} is not a valid name: only {NAME_CHARACTERS} are allowed");
    let failed = Diagnostic::new(Kind::Name, message);
    Err(failed.in_reference("Invalid name; only \"[a-zA-Z0-9_-]+\" are allowed"))
}
