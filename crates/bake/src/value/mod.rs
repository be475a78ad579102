//! Values and types of expressions, with the semantics of go-cty.
//!
//! There are no unknown values: an expression that cannot be evaluated ends the evaluation.

mod number;
mod types;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use number::Number;
pub use types::Type;

/// The value of an expression. Cloning is cheap.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`, of a type; [`Type::Any`] if nothing says which.
    Null(Type),
    /// `true` or `false`
    Bool(bool),
    /// A decimal number of 512 bits.
    Number(Number),
    /// Text, in NFC.
    String(Arc<str>),
    /// Elements of one type, in order.
    List(Type, Arc<Vec<Value>>),
    /// Elements of one type, without duplicates, in the order of go-cty's sets.
    Set(Type, Arc<Vec<Value>>),
    /// Elements of one type by name.
    Map(Type, Arc<BTreeMap<String, Value>>),
    /// Elements of any type, in order: `[1, "a"]`.
    Tuple(Arc<Vec<Value>>),
    /// Elements of any type by name: `{ a = 1 }`.
    Object(Arc<BTreeMap<String, Value>>),
}

impl Value {
    /// `null` of no particular type.
    pub fn null() -> Self {
        Self::Null(Type::Any)
    }

    /// True for a null of any type.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null(_))
    }

    /// Text.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }
}
