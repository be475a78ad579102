//! Values that templates read: data with Go's field names and the names of its JSON.

use std::collections::BTreeMap;
use std::fmt;

/// A value of a template.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// A missing pointer, list or map.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A string.
    String(String),
    /// A list.
    List(Vec<Value>),
    /// Keys that are data. A missing key is [`Value::Null`].
    Map(BTreeMap<String, Value>),
    /// Named fields. An unknown field is an error.
    Struct(Struct),
}

/// Fields in declaration order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Struct {
    fields: Vec<Field>,
    /// Prints as a map.
    is_map: bool,
}

/// A field of a [`Struct`].
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The name in templates.
    pub name: String,
    /// The name in JSON; `None` if JSON omits the field.
    pub json: Option<String>,
    /// True if JSON omits the field while it is empty.
    pub omit_empty: bool,
    /// The field's value.
    pub value: Value,
}

impl Struct {
    /// Returns a struct without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field that JSON always has.
    #[must_use]
    pub fn field(self, name: &str, json: &str, value: impl Into<Value>) -> Self {
        self.with(name, Some(json), false, value.into())
    }

    /// Adds a field that JSON omits if it is empty.
    #[must_use]
    pub fn optional(self, name: &str, json: &str, value: impl Into<Value>) -> Self {
        self.with(name, Some(json), true, value.into())
    }

    /// Adds a field that JSON never has.
    #[must_use]
    pub fn hidden(self, name: &str, value: impl Into<Value>) -> Self {
        self.with(name, None, false, value.into())
    }

    /// Prints like Go's map, with the names of the fields: for keys that are data, but known.
    #[must_use]
    pub fn as_map(mut self) -> Self {
        self.is_map = true;
        self
    }

    fn with(mut self, name: &str, json: Option<&str>, omit_empty: bool, value: Value) -> Self {
        self.fields.push(Field {
            name: name.to_owned(),
            json: json.map(str::to_owned),
            omit_empty,
            value,
        });
        self
    }

    /// Returns the fields in declaration order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Returns the value of a field by its name in templates.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let field = self.fields.iter().find(|field| field.name == name)?;
        Some(&field.value)
    }
}

impl Value {
    /// True if the value is empty for Go: false in `if`, and omitted from JSON by `omitempty`.
    /// Empty are nothing, `false`, 0, and strings, lists and maps of length 0. A struct never is.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(value) => !value,
            Self::Int(value) => *value == 0,
            Self::Float(value) => *value == 0.0,
            Self::String(text) => text.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Map(map) => map.is_empty(),
            Self::Struct(_) => false,
        }
    }

    /// The length of a string in bytes, or the number of items, keys or fields.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_) => 0,
            Self::String(text) => text.len(),
            Self::List(list) => list.len(),
            Self::Map(map) => map.len(),
            Self::Struct(fields) => fields.fields().len(),
        }
    }

    /// The kind of the value, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::String(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Struct(_) => "an object",
        }
    }
}

/// Formats as Go prints values: `[a b]`, `map[key:value]`, `{a b}`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<no value>"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::String(text) => f.write_str(text),
            Self::List(list) => {
                f.write_str("[")?;
                separated(f, list.iter(), nested)?;
                f.write_str("]")
            }
            Self::Map(map) => {
                f.write_str("map[")?;
                separated(f, map.iter(), |f, (key, value)| {
                    write!(f, "{key}:")?;
                    nested(f, value)
                })?;
                f.write_str("]")
            }
            Self::Struct(fields) if fields.is_map => {
                f.write_str("map[")?;
                separated(f, fields.fields.iter(), |f, field| {
                    write!(f, "{}:", field.name)?;
                    nested(f, &field.value)
                })?;
                f.write_str("]")
            }
            Self::Struct(fields) => {
                f.write_str("{")?;
                let shown = fields.fields.iter().filter(|field| field.json.is_some());
                separated(f, shown, |f, field| nested(f, &field.value))?;
                f.write_str("}")
            }
        }
    }
}

/// Within another value Go prints `<nil>` for nothing.
fn nested(f: &mut fmt::Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Null => f.write_str("<nil>"),
        value => write!(f, "{value}"),
    }
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (at, item) in items.enumerate() {
        if at > 0 {
            f.write_str(" ")?;
        }
        write(f, item)?;
    }
    Ok(())
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Struct> for Value {
    fn from(fields: Struct) -> Self {
        Self::Struct(fields)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(list: Vec<T>) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<BTreeMap<String, T>> for Value {
    fn from(map: BTreeMap<String, T>) -> Self {
        Self::Map(
            map.into_iter()
                .map(|(key, value)| (key, value.into()))
                .collect(),
        )
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Converts JSON as Go decodes it into an `interface{}`: objects are maps.
impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Self::Int(whole),
                (None, number) => Self::Float(number.unwrap_or_default()),
            },
            Json::String(text) => Self::String(text),
            Json::Array(list) => list.into(),
            Json::Object(map) => Self::Map(
                map.into_iter()
                    .map(|(key, value)| (key, value.into()))
                    .collect(),
            ),
        }
    }
}
