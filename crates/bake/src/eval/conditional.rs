//! Conditionals: both branches must have a common type.

use super::access::article;
use super::expression::{Evaluator, type_of_failed};
use crate::diagnostic::{Diagnostic, Kind};
use crate::syntax::ast::{Conditional, Node};
use crate::value::{Type, Value, unify};

/// The values of both branches, of which one may have failed.
struct Sides {
    yes: Result<Value, Diagnostic>,
    no: Result<Value, Diagnostic>,
}

// Nested conditionals use much stack, so each step is a separate function.
impl Evaluator<'_> {
    /// Evaluates `condition ? yes : no`. Both branches are evaluated, but only the selected one may
    /// fail.
    pub(super) fn conditional(&self, it: &Conditional) -> Result<Value, Diagnostic> {
        let sides = self.sides(it)?;
        let common = self.common_type(it, &sides)?;
        let truth = self.condition(&it.condition)?;
        self.choose(it, sides, truth, common)
    }

    fn sides(&self, it: &Conditional) -> Result<Sides, Diagnostic> {
        let yes = self.side(&it.yes)?;
        let no = self.side(&it.no)?;
        Ok(Sides { yes, no })
    }

    /// Returns the common type of both branches; `None` if one of them can have any type.
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
        let common = match (yes, no) {
            (Ok(_), Ok(_)) => unify(&[yes_type.clone(), no_type.clone()]).map(Some),
            // The elements of a list or an object that failed can have any type.
            _ if differ(&yes_type, &no_type) => None,
            _ if is_structural(&yes_type) || is_structural(&no_type) => Some(None),
            _ => unify(&[yes_type.clone(), no_type.clone()]).map(Some),
        };
        common.ok_or_else(|| {
            let range = it.yes.range().to(it.no.range());
            let message = format!(
                "both values of a conditional need a common type: one is {}, the other {}",
                article(&yes_type),
                article(&no_type)
            );
            self.error(Kind::Type, range, message)
        })
    }

    /// Returns the value of the selected branch, converted to the common type.
    fn choose(
        &self,
        it: &Conditional,
        sides: Sides,
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

    /// Evaluates one branch; only an exhausted budget is final.
    fn side(&self, node: &Node) -> Result<Result<Value, Diagnostic>, Diagnostic> {
        match self.node(node) {
            Err(error) if error.kind == Kind::Limit => Err(error),
            result => Ok(result),
        }
    }

    /// Returns the boolean value of a condition.
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
        let value = self
            .convert(&value, &Type::Bool, range, what)
            .map_err(|failed| {
                failed.in_reference(
                    "Incorrect condition type; The condition expression must be of type bool.",
                )
            })?;
        Ok(value.as_bool().unwrap_or_default())
    }
}

/// True for the types of list and object literals.
fn is_structural(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(_) | Type::Object(_))
}

/// True if two types are incompatible, whatever their elements are.
fn differ(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Tuple(_), Type::Object(_)) | (Type::Object(_), Type::Tuple(_)) => true,
        (a, b) => is_structural(a) && b.is_primitive() || a.is_primitive() && is_structural(b),
    }
}
