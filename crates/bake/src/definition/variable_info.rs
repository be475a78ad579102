//! What is known about a variable, for `--list variables`.

use crate::print::ListedVariable;
use crate::value::{Type, Value, convert, json};

/// The variable `name` with its value, as lists show it.
pub(super) fn listed(
    name: &str,
    description: &str,
    constraint: Option<&Type>,
    value: &Value,
) -> ListedVariable {
    ListedVariable {
        name: name.to_owned(),
        description: description.to_owned(),
        kind: constraint.map(friendly).unwrap_or_default(),
        value: (!value.is_null()).then(|| shown(constraint, value)),
    }
}

/// The type in words, as a constraint.
fn friendly(ty: &Type) -> String {
    match ty {
        Type::Any => "any type".to_owned(),
        Type::List(element) => format!("list of {}", friendly(element)),
        Type::Set(element) => format!("set of {}", friendly(element)),
        Type::Map(element) => format!("map of {}", friendly(element)),
        other => other.friendly(),
    }
}

/// A value as text: typed values and collections as JSON.
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
