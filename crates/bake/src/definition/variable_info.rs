//! The description of a variable, for `--list variables`.

use crate::print::ListedVariable;
use crate::value::{Type, Value, convert, json};

/// A variable with its value, which is formatted only for a list.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) constraint: Option<Type>,
    pub(super) value: Value,
}

impl Variable {
    /// Formats the variable for a list.
    pub(crate) fn listed(&self) -> ListedVariable {
        let constraint = self.constraint.as_ref();
        let value = &self.value;
        ListedVariable {
            name: self.name.clone(),
            description: self.description.clone(),
            kind: constraint.map(friendly).unwrap_or_default(),
            value: (!value.is_null()).then(|| shown(constraint, value)),
        }
    }
}

/// Returns the type in words, as a constraint.
fn friendly(ty: &Type) -> String {
    match ty {
        Type::Any => "any type".to_owned(),
        Type::List(element) => format!("list of {}", of_one_type(element)),
        Type::Set(element) => format!("set of {}", of_one_type(element)),
        Type::Map(element) => format!("map of {}", of_one_type(element)),
        other => other.friendly(),
    }
}

/// Returns the type of elements in words.
fn of_one_type(element: &Type) -> String {
    match element {
        Type::Any => "any single type".to_owned(),
        other => friendly(other),
    }
}

/// Formats a value: typed values and collections as JSON.
fn shown(constraint: Option<&Type>, value: &Value) -> String {
    match (constraint, value) {
        (Some(Type::String), _) => {
            let text = json::encode_as(value, &Type::String).unwrap_or_default();
            text.trim_matches('"').to_owned()
        }
        (Some(constraint), _) => json::encode_as(value, constraint).unwrap_or_default(),
        (None, Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            let text = convert(value, &Type::String).ok();
            let text = text.as_ref().and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        }
        (None, _) => json::encode_as(value, &Type::of(value)).unwrap_or_default(),
    }
}
