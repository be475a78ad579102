//! `matrix`: one block, many targets.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::interpreter::{Context, Interpreter};
use super::load::Missing;
use crate::diagnostic::{Diagnostic, Kind};
use crate::syntax::body::Block;
use crate::value::Value;

/// How many targets a matrix may make.
const MAX_COMBINATIONS: usize = 10_000;

impl<'b> Interpreter<'b> {
    /// The contexts in which a block is evaluated: one, or one per combination of its matrix.
    ///
    /// An error without a place belongs to the block's name.
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
            return fail("the matrix must be a map of lists");
        };
        let mut combinations: Vec<Vec<(String, Value)>> = vec![Vec::new()];
        for (name, values) in axes {
            let Some(values) = elements(values) else {
                return fail("the matrix must be a map of lists");
            };
            if combinations.len().saturating_mul(values.len()) > MAX_COMBINATIONS {
                let message = format!("the matrix makes more than {MAX_COMBINATIONS} targets");
                return Err(Diagnostic::new(Kind::Limit, message));
            }
            let mut next = Vec::with_capacity(combinations.len() * values.len());
            for value in &values {
                for combination in &combinations {
                    let mut combination = combination.clone();
                    combination.push((name.clone(), value.clone()));
                    next.push(combination);
                }
            }
            combinations = next;
        }
        if axes.is_empty() {
            return Ok(vec![global]);
        }
        Ok(combinations
            .into_iter()
            .map(|locals| {
                self.contexts += 1;
                Context {
                    id: self.contexts,
                    locals: Rc::new(locals),
                }
            })
            .collect())
    }
}

/// The elements of a list or, in the order of their keys, of a map.
fn elements(value: &Value) -> Option<Vec<Value>> {
    let mapped = |entries: &BTreeMap<String, Value>| entries.values().cloned().collect();
    match value.items() {
        Some(items) => Some(items.to_vec()),
        None => value.entries().map(mapped),
    }
}
