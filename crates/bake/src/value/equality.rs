//! Equality of values: same type and same content; nulls of all types are equal.

use super::{Type, Value};

impl Value {
    /// The language's `==`: `1` and `"1"` differ, nulls of all types are equal.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null(_), Self::Null(_)) => true,
            (Self::Null(_), _) | (_, Self::Null(_)) => false,
            _ => Type::of(self) == Type::of(other) && same_content(self, other),
        }
    }
}

/// Compares two values of the same type.
fn same_content(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null(_), Value::Null(_)) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a.equals(b),
        (Value::String(a), Value::String(b)) => a == b,
        (Value::List(_, a), Value::List(_, b))
        | (Value::Set(_, a), Value::Set(_, b))
        | (Value::Tuple(a), Value::Tuple(b)) => {
            a.is_same(b)
                || a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same_content(a, b))
        }
        (Value::Map(_, a), Value::Map(_, b)) | (Value::Object(a), Value::Object(b)) => {
            a.is_same(b)
                || a.len() == b.len()
                    && a.iter()
                        .zip(b.iter())
                        .all(|((x, a), (y, b))| x == y && same_content(a, b))
        }
        _ => false,
    }
}
