//! `matrix`: one block, many targets.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::interpreter::{Context, Interpreter};
use super::load::Missing;
use crate::diagnostic::{Diagnostic, Kind};
use crate::syntax::body::Block;
use crate::value::Value;

/// The most targets of a matrix.
const MAX_COMBINATIONS: usize = 10_000;
/// The most names and values of all targets of a matrix together.
const MAX_VALUES: usize = 200_000;

impl<'b> Interpreter<'b> {
    /// Returns the contexts of a block: one, or one per combination of its matrix.
    ///
    /// An error without a position belongs to the block's name.
    pub(super) fn contexts_of(&mut self, block: &'b Block) -> Result<Vec<Context>, Diagnostic> {
        let global = Context::global();
        let Some(attribute) = block.body.attribute("matrix") else {
            return Ok(vec![global]);
        };
        let fail = |message: &str| Err(Diagnostic::new(Kind::Structure, message));
        if block.kind == "group" {
            return fail("a group cannot have a matrix");
        }
        self.load(&attribute.expression, &global, &[], Missing::Allowed)?;
        let matrix = self.evaluate(&attribute.expression, &global)?;
        let Some(axes) = matrix.entries() else {
            return fail("the matrix must be a map of lists, such as { version = [\"1\", \"2\"] }");
        };
        let mut values_of = Vec::with_capacity(axes.len());
        let mut count = 1_usize;
        for (name, values) in axes {
            let Some(values) = elements(values) else {
                return fail(
                    "the matrix must be a map of lists, such as { version = [\"1\", \"2\"] }",
                );
            };
            count = count.saturating_mul(values.len());
            if count > MAX_COMBINATIONS {
                let message = format!("the matrix makes more than {MAX_COMBINATIONS} targets");
                return Err(Diagnostic::new(Kind::Limit, message));
            }
            values_of.push((name, values));
        }
        if axes.is_empty() {
            return Ok(vec![global]);
        }
        if count.saturating_mul(axes.len()) > MAX_VALUES {
            let message = format!("the targets of the matrix have more than {MAX_VALUES} values");
            return Err(Diagnostic::new(Kind::Limit, message));
        }
        Ok((0..count)
            .map(|index| {
                self.contexts += 1;
                Context {
                    id: self.contexts,
                    locals: Rc::new(combination(&values_of, index)),
                }
            })
            .collect())
    }
}

/// Returns the names and values of the combination at `index`; the first name's values change
/// fastest.
fn combination(axes: &[(&String, Vec<Value>)], index: usize) -> Vec<(String, Value)> {
    let mut rest = index;
    let mut locals = Vec::with_capacity(axes.len());
    for (name, values) in axes {
        if let Some(value) = values.get(rest % values.len().max(1)) {
            locals.push(((*name).clone(), value.clone()));
        }
        rest /= values.len().max(1);
    }
    locals
}

/// Returns the elements of a list, or of a map in the order of its keys.
fn elements(value: &Value) -> Option<Vec<Value>> {
    let mapped = |entries: &BTreeMap<String, Value>| entries.values().cloned().collect();
    match value.items() {
        Some(items) => Some(items.to_vec()),
        None => value.entries().map(mapped),
    }
}
