//! Types of values, and type constraints.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use super::Value;

/// The type of a value, or a constraint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// A buffer of bytes. No expression has this type; two functions of the library accept it.
    Bytes,
}

/// One attribute of an object type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// Its type.
    pub ty: Type,
    /// True if the attribute may be missing: `optional(T)`.
    pub optional: bool,
}

impl Type {
    /// Returns the type of `value`.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null(ty) => ty.clone(),
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::List(element, _) => Self::list(element.clone()),
            Value::Set(element, _) => Self::set(element.clone()),
            Value::Map(element, _) => Self::map(element.clone()),
            Value::Tuple(items) => items.type_of_tuple(),
            Value::Object(entries) => entries.type_of_object(),
        }
    }

    /// Returns `list(element)`.
    #[must_use]
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    /// Returns `set(element)`.
    #[must_use]
    pub fn set(element: Self) -> Self {
        Self::Set(Arc::new(element))
    }

    /// Returns `map(element)`.
    #[must_use]
    pub fn map(element: Self) -> Self {
        Self::Map(Arc::new(element))
    }

    /// Returns `tuple([…])`.
    #[must_use]
    pub fn tuple(elements: Vec<Self>) -> Self {
        Self::Tuple(Arc::new(elements))
    }

    /// Returns an object type with required attributes.
    #[must_use]
    pub fn object(attributes: impl IntoIterator<Item = (String, Self)>) -> Self {
        let required = |(name, ty)| {
            (
                name,
                Attribute {
                    ty,
                    optional: false,
                },
            )
        };
        Self::Object(Arc::new(attributes.into_iter().map(required).collect()))
    }

    /// True for `bool`, `number` and `string`.
    #[must_use]
    pub fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }

    /// True for lists, sets and maps.
    #[must_use]
    pub fn is_collection(&self) -> bool {
        self.element().is_some()
    }

    /// Returns the element type of a list, a set or a map.
    #[must_use]
    pub fn element(&self) -> Option<&Self> {
        match self {
            Self::List(element) | Self::Set(element) | Self::Map(element) => Some(element),
            _ => None,
        }
    }

    /// Returns the type of values: no attribute is optional, at any depth.
    #[must_use]
    pub fn without_optional(&self) -> Self {
        match self {
            Self::List(element) => Self::list(element.without_optional()),
            Self::Set(element) => Self::set(element.without_optional()),
            Self::Map(element) => Self::map(element.without_optional()),
            Self::Tuple(elements) => {
                Self::tuple(elements.iter().map(Self::without_optional).collect())
            }
            Self::Object(attributes) => {
                let required = |(name, attribute): (&String, &Attribute)| {
                    (name.clone(), attribute.ty.without_optional())
                };
                Self::object(attributes.iter().map(required))
            }
            simple => simple.clone(),
        }
    }

    /// Returns the name for messages and lists of variables: `list of string`, `object`.
    #[must_use]
    pub fn friendly(&self) -> String {
        match self {
            Self::Any => "any type".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Number => "number".to_owned(),
            Self::String => "string".to_owned(),
            Self::List(element) => format!("list of {}", element.friendly_element()),
            Self::Set(element) => format!("set of {}", element.friendly_element()),
            Self::Map(element) => format!("map of {}", element.friendly_element()),
            Self::Tuple(_) => "tuple".to_owned(),
            Self::Object(_) => "object".to_owned(),
            Self::Bytes => "bytes".to_owned(),
        }
    }

    fn friendly_element(&self) -> String {
        match self {
            Self::Any => "any single type".to_owned(),
            other => other.friendly(),
        }
    }

    /// Writes the type in go-cty's JSON form: `["list","string"]`.
    pub(super) fn write_json(&self, out: &mut String) {
        match self {
            Self::Any | Self::Bytes => out.push_str("\"dynamic\""),
            Self::Bool => out.push_str("\"bool\""),
            Self::Number => out.push_str("\"number\""),
            Self::String => out.push_str("\"string\""),
            Self::List(element) => write_json_collection(out, "list", element),
            Self::Set(element) => write_json_collection(out, "set", element),
            Self::Map(element) => write_json_collection(out, "map", element),
            Self::Tuple(elements) => {
                out.push_str("[\"tuple\",[");
                for (i, element) in elements.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    element.write_json(out);
                }
                out.push_str("]]");
            }
            Self::Object(attributes) => write_json_object(out, attributes),
        }
    }
}

fn write_json_collection(out: &mut String, kind: &str, element: &Type) {
    let _ = write!(out, "[\"{kind}\",");
    element.write_json(out);
    out.push(']');
}

fn write_json_object(out: &mut String, attributes: &BTreeMap<String, Attribute>) {
    out.push_str("[\"object\",{");
    for (i, (name, attribute)) in attributes.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        super::json::write_string(out, name);
        out.push(':');
        attribute.ty.write_json(out);
    }
    out.push('}');
    let mut separator = ",[";
    for (name, _) in attributes
        .iter()
        .filter(|(_, attribute)| attribute.optional)
    {
        out.push_str(separator);
        super::json::write_string(out, name);
        separator = ",";
    }
    if separator == "," {
        out.push(']');
    }
    out.push(']');
}
