//! Evaluates the references of an expression before the expression itself.

use super::interpreter::{Context, Interpreter, KINDS, Unresolved};
use crate::diagnostic::{Diagnostic, Kind};
use crate::syntax::ast::{Expression, Reference, Step};
use crate::syntax::references;

/// The policy for references without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Unknown names are allowed; evaluation then fails, except inside `try`.
    Allowed,
    /// Every reference must have a value.
    Refused,
}

impl<'b> Interpreter<'b> {
    /// Evaluates all references of `expression`, except the names in `own`.
    pub(super) fn load(
        &mut self,
        expression: &Expression,
        context: &Context,
        own: &[String],
        missing: Missing,
    ) -> Result<(), Diagnostic> {
        let settle = |result: Result<(), Unresolved>| match result {
            Err(Unresolved::Missing(_)) if missing == Missing::Allowed => Ok(()),
            Err(error) => Err(error.into_inner().or_at(&expression.span())),
            Ok(()) => Ok(()),
        };
        let names = references(&expression.node);
        for name in names.functions {
            settle(self.deeper(|this| this.resolve_function(name, context)))?;
        }
        for reference in names.variables {
            let name = reference.root.as_str();
            if own.iter().any(|own| own == name) {
                continue;
            }
            match KINDS.iter().find(|kind| **kind == name) {
                Some(kind) if self.blocks_exist => self.load_block(kind, reference, expression)?,
                _ => settle(self.deeper(|this| this.resolve_value(name, context)))?,
            }
        }
        Ok(())
    }

    /// Evaluates the block's attribute that `reference` refers to.
    fn load_block(
        &mut self,
        kind: &'static str,
        reference: &Reference,
        expression: &Expression,
    ) -> Result<(), Diagnostic> {
        let fail =
            |message: String| Err(Diagnostic::new(Kind::Expression, message).at(expression.span()));
        let name = match reference.steps.first() {
            None => return fail(format!("{kind} needs a name here: write {kind}.NAME")),
            Some(Step::Index(..)) => {
                return fail(format!(
                    "a {kind} is named with a dot: write {kind}.NAME, without brackets"
                ));
            }
            Some(Step::Attribute(name, _)) => name,
        };
        let Some(blocks) = self.named.get(&(kind, name.clone())) else {
            return Ok(());
        };
        let attribute = match reference.steps.get(1) {
            Some(Step::Attribute(name, _)) => Some(name.as_str()),
            _ => None,
        };
        // Many blocks can have one name, and each expression searches all of them.
        let work = self.globals.spend(blocks.len() as u64);
        work.map_err(|error| error.or_at(&expression.span()))?;
        for block in blocks.clone() {
            self.deeper(|this| this.resolve_block(block, attribute))
                .map_err(|error| error.into_inner().or_at(&expression.span()))?;
        }
        self.publish(kind, name)
    }
}
