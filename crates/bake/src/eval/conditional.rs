//! Conditionals: both sides must have a common type.

use super::access::article;
use super::expression::{Evaluator, type_of_failed};
use crate::diagnostic::{Diagnostic, Kind};
use crate::syntax::ast::{Conditional, Node};
use crate::value::{Type, Value, unify};

impl Evaluator<'_> {
    /// `condition ? yes : no`. Both sides are evaluated, but only the one that counts may fail.
    pub(super) fn conditional(&self, it: &Conditional) -> Result<Value, Diagnostic> {
        let yes = self.side(&it.yes)?;
        let no = self.side(&it.no)?;
        let [yes_type, no_type] = [(&yes, &it.yes), (&no, &it.no)].map(|(side, node)| match side {
            Ok(value) => Type::of(value),
            Err(_) => type_of_failed(node),
        });
        let untyped = |side: &Result<Value, Diagnostic>| matches!(side, Ok(Value::Null(Type::Any)));
        let common = if untyped(&yes) {
            Some(no_type.clone())
        } else if untyped(&no) {
            Some(yes_type.clone())
        } else if yes_type == Type::Any || no_type == Type::Any {
            None
        } else {
            Some(unify(&[yes_type.clone(), no_type.clone()]).ok_or_else(|| {
                let range = it.yes.range().to(it.no.range());
                let message = format!(
                    "both values of a conditional need a common type: one is {}, the other {}",
                    article(&yes_type),
                    article(&no_type)
                );
                self.error(Kind::Type, range, message)
            })?)
        };
        let (side, node) = if self.condition(&it.condition)? {
            (yes?, &it.yes)
        } else {
            (no?, &it.no)
        };
        match common {
            Some(common) if common != Type::Any && common != Type::of(&side) => {
                self.convert(&side, &common, node.range(), "the value has the wrong type")
            }
            _ => Ok(side),
        }
    }

    /// One side; only running out of budget is final.
    fn side(&self, node: &Node) -> Result<Result<Value, Diagnostic>, Diagnostic> {
        match self.node(node) {
            Err(error) if error.kind == Kind::Limit => Err(error),
            result => Ok(result),
        }
    }

    /// The truth of a condition.
    pub(super) fn condition(&self, node: &Node) -> Result<bool, Diagnostic> {
        let value = self.node(node)?;
        let range = node.range();
        if value.is_null() {
            return self.fail(
                Kind::Type,
                range,
                "the condition is null: it must be true or false",
            );
        }
        let what = "the condition must be true or false";
        let value = self.convert(&value, &Type::Bool, range, what)?;
        Ok(value.as_bool().unwrap_or_default())
    }
}
