//! Types of values.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The type of a value, or a constraint on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Any type: as a constraint, or the type of a bare `null`.
    Any,
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(T)`
    List(Arc<Type>),
    /// `set(T)`
    Set(Arc<Type>),
    /// `map(T)`
    Map(Arc<Type>),
    /// `tuple([A, B])`
    Tuple(Arc<Vec<Type>>),
    /// `object({ a = A })`
    Object(Arc<BTreeMap<String, Attribute>>),
}

/// One attribute of an object type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its type.
    pub ty: Type,
    /// True if it may be absent: `optional(T)`.
    pub optional: bool,
}
