//! Converts values to JSON and back, byte for byte like go-cty.

use std::collections::BTreeMap;
use std::fmt::Write;

use thiserror::Error;

use super::{ConvertError, Mapping, Number, NumberError, Type, Value, convert};

mod reader;

use reader::Json;

/// The reason a conversion to or from JSON fails.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JsonError {
    /// JSON has no infinity.
    #[error("infinity cannot be written as JSON")]
    Infinity,
    /// The text is not JSON.
    #[error("invalid JSON at byte {offset}: {problem}")]
    Syntax {
        /// The byte offset of the error, from 0.
        offset: usize,
        /// The fault of the text.
        problem: SyntaxProblem,
    },
    /// A name occurs twice in an object, with values of different types.
    #[error("the name {name:?} occurs twice in one object")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// The value does not have the requested type.
    #[error("{} is required", want.friendly())]
    Mismatch {
        /// The requested type.
        want: Type,
    },
    /// An object has a name that is not in its type.
    #[error("the attribute {name:?} is unknown")]
    UnknownAttribute {
        /// The name.
        name: String,
    },
    /// A tuple has too many or too few elements.
    #[error("exactly {want} elements are required, found {found}")]
    TupleLength {
        /// The number in the type.
        want: usize,
        /// The number in the text.
        found: usize,
    },
    /// A value for `any` is not of the form `{"value": …, "type": …}`.
    #[error("expected a value with its type, as in {{\"value\": …, \"type\": …}}")]
    Untyped,
    /// A number is out of range.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// Text could not be converted.
    #[error(transparent)]
    Convert(#[from] ConvertError),
}

/// The fault of JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SyntaxProblem {
    /// The text ends too early.
    #[error("unexpected end")]
    End,
    /// A character is not allowed there.
    #[error("unexpected character")]
    Unexpected,
    /// A string contains a raw control character.
    #[error("control character in a string")]
    Control,
    /// An escape sequence is unknown.
    #[error("invalid escape")]
    Escape,
    /// There are more than [`super::MAX_DEPTH`] levels.
    #[error("nested too deeply")]
    Depth,
}

/// Returns the value as JSON with Go's escapes, including `<`, `>` and `&`.
///
/// # Errors
///
/// If a number is infinite.
pub fn encode(value: &Value) -> Result<String, JsonError> {
    let mut out = String::new();
    write_value(&mut out, value)?;
    Ok(out)
}

/// Returns the value as JSON for a type constraint: for `any`, the type is written as well.
///
/// # Errors
///
/// If a number is infinite.
pub fn encode_as(value: &Value, constraint: &Type) -> Result<String, JsonError> {
    let mut out = String::new();
    write_typed(&mut out, value, constraint)?;
    Ok(out)
}

fn write_typed(out: &mut String, value: &Value, constraint: &Type) -> Result<(), JsonError> {
    match (constraint, value) {
        (Type::Any, value) if Type::of(value) != Type::Any => {
            out.push_str("{\"value\":");
            write_value(out, value)?;
            out.push_str(",\"type\":");
            Type::of(value).write_json(out);
            out.push('}');
            Ok(())
        }
        (Type::List(element), Value::List(_, items))
        | (Type::Set(element), Value::Set(_, items)) => {
            write_array(out, items, |out, _, item| write_typed(out, item, element))
        }
        (Type::Tuple(types), Value::Tuple(items)) => write_array(out, items, |out, i, item| {
            write_typed(out, item, types.get(i).unwrap_or(&Type::Any))
        }),
        (Type::Map(element), Value::Map(_, entries)) => {
            write_object(out, entries, |out, _, value| {
                write_typed(out, value, element)
            })
        }
        (Type::Object(types), Value::Object(entries)) => {
            write_object(out, entries, |out, name, value| match types.get(name) {
                Some(attribute) => write_typed(out, value, &attribute.ty),
                None => write_value(out, value),
            })
        }
        _ => write_value(out, value),
    }
}

fn write_value(out: &mut String, value: &Value) -> Result<(), JsonError> {
    match value {
        Value::Null(_) => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) if number.is_infinite() => return Err(JsonError::Infinity),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::String(text) => write_string(out, text),
        Value::List(_, items) | Value::Set(_, items) | Value::Tuple(items) => {
            return write_array(out, items, |out, _, item| write_value(out, item));
        }
        Value::Map(_, entries) | Value::Object(entries) => {
            return write_object(out, entries, |out, _, value| write_value(out, value));
        }
    }
    Ok(())
}

fn write_array(
    out: &mut String,
    items: &[Value],
    write: impl Fn(&mut String, usize, &Value) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write(out, i, item)?;
    }
    out.push(']');
    Ok(())
}

fn write_object(
    out: &mut String,
    entries: &Mapping,
    write: impl Fn(&mut String, &str, &Value) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    out.push('{');
    for (i, (name, value)) in entries.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_string(out, name);
        out.push(':');
        write(out, name, value)?;
    }
    out.push('}');
    Ok(())
}

/// Writes a string like Go's `encoding/json`.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// Parses JSON text to a value: arrays become tuples, objects become objects.
///
/// # Errors
///
/// If the text is not JSON, or an object has a duplicate name with values of different types.
pub fn decode(text: &str) -> Result<Value, JsonError> {
    implied(reader::read(text)?)
}

fn implied(json: Json) -> Result<Value, JsonError> {
    Ok(match json {
        Json::Null => Value::null(),
        Json::Bool(value) => Value::Bool(value),
        Json::Number(text) => Value::Number(Number::parse(&text)?),
        Json::String(text) => Value::string(text),
        Json::Array(items) => {
            Value::tuple(items.into_iter().map(implied).collect::<Result<_, _>>()?)
        }
        Json::Object(entries) => {
            let mut object: BTreeMap<String, Value> = BTreeMap::new();
            for (name, json) in entries {
                let value = implied(json)?;
                if object
                    .get(&name)
                    .is_some_and(|old| Type::of(old) != Type::of(&value))
                {
                    return Err(JsonError::Duplicate { name });
                }
                object.insert(name, value);
            }
            Value::object(object)
        }
    })
}

/// Parses JSON text to a value of type `want`. Text and numbers are converted to each other.
///
/// # Errors
///
/// If the text is not JSON, or not a value of that type.
pub fn decode_as(text: &str, want: &Type) -> Result<Value, JsonError> {
    typed(reader::read(text)?, want)
}

fn typed(json: Json, want: &Type) -> Result<Value, JsonError> {
    let mismatch = || JsonError::Mismatch { want: want.clone() };
    match (want, json) {
        (_, Json::Null) => Ok(Value::Null(want.without_optional())),
        (Type::Any, Json::Object(entries)) => self_described(entries),
        (Type::Any, _) => Err(JsonError::Untyped),
        (Type::Bool, Json::Bool(value)) => Ok(Value::Bool(value)),
        (Type::Bool, Json::String(text)) => Ok(convert(&Value::string(text), want)?),
        (Type::Number, Json::Number(text) | Json::String(text)) => {
            Ok(Value::Number(Number::parse(&text)?))
        }
        (Type::String, Json::String(text) | Json::Number(text)) => Ok(Value::string(text)),
        (Type::String, Json::Bool(value)) => Ok(Value::string(value.to_string())),
        (Type::List(element) | Type::Set(element), Json::Array(items)) => {
            let items = items.into_iter().map(|item| typed(item, element));
            let items: Vec<Value> = items.collect::<Result<_, _>>()?;
            let common = match super::collection::common_type(items.iter()) {
                Some(Type::Any) => element.without_optional(),
                Some(common) => common,
                None => return Err(mismatch()),
            };
            Ok(match want {
                Type::List(_) => Value::list(common, items),
                _ => Value::set(common, items),
            })
        }
        (Type::Map(element), Json::Object(entries)) => {
            let entries = entries.into_iter();
            let entries = entries.map(|(name, json)| Ok((name, typed(json, element)?)));
            let entries: BTreeMap<String, Value> = entries.collect::<Result<_, JsonError>>()?;
            let common = match super::collection::common_type(entries.values()) {
                Some(Type::Any) => element.without_optional(),
                Some(common) => common,
                None => return Err(mismatch()),
            };
            Ok(Value::map(common, entries))
        }
        (Type::Tuple(types), Json::Array(items)) => {
            if items.len() != types.len() {
                let (want, found) = (types.len(), items.len());
                return Err(JsonError::TupleLength { want, found });
            }
            let items = items.into_iter().zip(types.iter());
            let items = items.map(|(item, want)| typed(item, want));
            Ok(Value::tuple(items.collect::<Result<_, _>>()?))
        }
        (Type::Object(attributes), Json::Object(entries)) => {
            let absent = attributes.iter();
            let absent = absent.map(|(n, a)| (n.clone(), Value::Null(a.ty.without_optional())));
            let mut object: BTreeMap<String, Value> = absent.collect();
            for (name, json) in entries {
                let Some(attribute) = attributes.get(&name) else {
                    return Err(JsonError::UnknownAttribute { name });
                };
                object.insert(name, typed(json, &attribute.ty)?);
            }
            Ok(Value::object(object))
        }
        _ => Err(mismatch()),
    }
}

/// Parses `{"value": …, "type": …}`.
fn self_described(entries: Vec<(String, Json)>) -> Result<Value, JsonError> {
    let (mut ty, mut value) = (None, None);
    for (name, json) in entries {
        match &name[..] {
            "type" => ty = Some(read_type(json)?),
            "value" => value = Some(json),
            _ => return Err(JsonError::Untyped),
        }
    }
    match (ty, value) {
        (Some(ty), Some(value)) => typed(value, &ty),
        _ => Err(JsonError::Untyped),
    }
}

fn read_type(json: Json) -> Result<Type, JsonError> {
    match json {
        Json::String(name) => match &name[..] {
            "bool" => Ok(Type::Bool),
            "number" => Ok(Type::Number),
            "string" => Ok(Type::String),
            "dynamic" => Ok(Type::Any),
            _ => Err(JsonError::Untyped),
        },
        Json::Array(parts) => read_complex_type(parts),
        _ => Err(JsonError::Untyped),
    }
}

fn read_complex_type(parts: Vec<Json>) -> Result<Type, JsonError> {
    let mut parts = parts.into_iter();
    let (Some(Json::String(kind)), Some(argument)) = (parts.next(), parts.next()) else {
        return Err(JsonError::Untyped);
    };
    match (&kind[..], argument) {
        ("list", element) => Ok(Type::list(read_type(element)?)),
        ("set", element) => Ok(Type::set(read_type(element)?)),
        ("map", element) => Ok(Type::map(read_type(element)?)),
        ("tuple", Json::Array(elements)) => {
            let elements = elements.into_iter().map(read_type);
            Ok(Type::tuple(elements.collect::<Result<_, _>>()?))
        }
        ("object", Json::Object(attributes)) => {
            let attributes = attributes
                .into_iter()
                .map(|(n, json)| Ok((n, read_type(json)?)));
            Ok(Type::object(
                attributes.collect::<Result<Vec<_>, JsonError>>()?,
            ))
        }
        _ => Err(JsonError::Untyped),
    }
}
