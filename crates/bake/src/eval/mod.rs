//! Evaluates expressions to values.
//!
//! An expression is evaluated in a [`Scope`]: local names first, then the [`Globals`] of the
//! evaluation. The first error stops it, except inside `try`, `can`, `||`, `&&` and conditionals.

mod scope;

mod expression;

mod template;

mod access;

mod operators;

mod conditional;

mod iterate;

mod call;

mod types;

pub(crate) use call::is_standard;
pub(crate) use scope::{Globals, Scope, UserFunction};
pub(crate) use types::type_constraint;

use crate::diagnostic::Diagnostic;
use crate::syntax::ast::Expression;
use crate::value::Value;
use expression::Evaluator;

/// Returns the value of `expression` in `scope`.
pub(crate) fn evaluate(expression: &Expression, scope: Scope<'_>) -> Result<Value, Diagnostic> {
    Evaluator::new(&expression.file, scope).node(&expression.node)
}
