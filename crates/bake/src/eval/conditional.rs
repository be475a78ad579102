//! Conditionals: both sides must have a common type.

use super::access::article;
use super::expression::{Evaluator, type_of_failed};
use crate::diagnostic::{Diagnostic, Kind};
use crate::syntax::ast::{Conditional, Node};
use crate::value::{Type, Value, unify};

/// The values of both sides, of which one may have failed.
struct Sides {
    yes: Result<Value, Diagnostic>,
    no: Result<Value, Diagnostic>,
}

// Nested conditionals need much of the stack, so each step is a function of its own.
impl Evaluator<'_> {
    /// `condition ? yes : no`. Both sides are evaluated, but only the one that counts may fail.
    pub(super) fn conditional(&self, it: &Conditional) -> Result<Value, Diagnostic> {
        let sides = self.sides(it)?;
        let common = self.common_type(it, &sides)?;
        let truth = self.condition(&it.condition)?;
        self.choose(it, sides, truth, common)
    }

    fn sides(&self, it: &Conditional) -> Result<Box<Sides>, Diagnostic> {
        let yes = self.side(&it.yes)?;
        let no = self.side(&it.no)?;
        Ok(Box::new(Sides { yes, no }))
    }

    /// The type that both sides can have; none if one of them can have any.
    fn common_type(&self, it: &Conditional, sides: &Sides) -> Result<Option<Type>, Diagnostic> {
        let Sides { yes, no } = sides;
        let [yes_type, no_type] = [(yes, &it.yes), (no, &it.no)].map(|(side, node)| match side {
            Ok(value) => Type::of(value),
            Err(_) => type_of_failed(node),
        });
        let untyped = |side: &Result<Value, Diagnostic>| matches!(side, Ok(Value::Null(Type::Any)));
        if untyped(yes) {
            return Ok(Some(no_type));
        }
        if untyped(no) {
            return Ok(Some(yes_type));
        }
        if yes_type == Type::Any || no_type == Type::Any {
            return Ok(None);
        }
        let common = unify(&[yes_type.clone(), no_type.clone()]);
        common.map(Some).ok_or_else(|| {
            let range = it.yes.range().to(it.no.range());
            let message = format!(
                "both values of a conditional need a common type: one is {}, the other {}",
                article(&yes_type),
                article(&no_type)
            );
            self.error(Kind::Type, range, message)
        })
    }

    /// The value of the side that counts, as the type of both.
    fn choose(
        &self,
        it: &Conditional,
        sides: Box<Sides>,
        truth: bool,
        common: Option<Type>,
    ) -> Result<Value, Diagnostic> {
        let (side, node) = match truth {
            true => (sides.yes?, &it.yes),
            false => (sides.no?, &it.no),
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
