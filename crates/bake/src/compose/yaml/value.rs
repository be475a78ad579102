//! A YAML value with its position.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::diagnostic::{Position, Span};

/// The file, line and column of a value; both count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::compose) struct Place {
    /// The file's name as given.
    pub(in crate::compose) file: Arc<str>,
    /// The line, from 1.
    pub(in crate::compose) line: usize,
    /// The column in characters, from 1.
    pub(in crate::compose) column: usize,
}

impl Place {
    /// Returns the position as an empty span.
    pub(in crate::compose) fn span(&self) -> Span {
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let point = Position {
            line: narrow(self.line),
            column: narrow(self.column),
            byte: 0,
        };
        Span {
            file: self.file.clone(),
            start: point,
            end: point,
        }
    }
}

/// A mapping, sorted by key.
pub(in crate::compose) type Map = BTreeMap<String, Node>;

/// A value with its position. An entry of a mapping has the position of its key.
#[derive(Clone, Debug)]
pub(in crate::compose) struct Node {
    pub(in crate::compose) place: Place,
    pub(in crate::compose) value: Value,
}

/// The value of a node.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::compose) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// A number above the range of `Int`.
    Uint(u64),
    Float(f64),
    Text(String),
    /// A time, as Go prints it.
    Time(String),
    List(Vec<Node>),
    Map(Map),
}

impl PartialEq for Node {
    /// Compares the values of two nodes; positions are ignored.
    fn eq(&self, other: &Node) -> bool {
        self.value == other.value
    }
}

impl Node {
    pub(in crate::compose) fn new(place: &Place, value: Value) -> Node {
        Node {
            place: place.clone(),
            value,
        }
    }

    pub(in crate::compose) fn text(place: &Place, text: impl Into<String>) -> Node {
        Node::new(place, Value::Text(text.into()))
    }

    pub(in crate::compose) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(in crate::compose) fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(in crate::compose) fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(in crate::compose) fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(in crate::compose) fn is_null(&self) -> bool {
        self.value == Value::Null
    }
}

impl Value {
    /// Returns the kind of the value, for error messages.
    pub(in crate::compose) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Uint(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::Time(_) => "a date",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

impl fmt::Display for Value {
    /// Formats the value like Go's `%v`: the reference converts values to text that way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("<nil>"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Uint(value) => write!(f, "{value}"),
            Value::Float(value) => f.write_str(&go_float(*value)),
            Value::Text(text) | Value::Time(text) => f.write_str(text),
            Value::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let gap = if index == 0 { "" } else { " " };
                    write!(f, "{gap}{}", item.value)?;
                }
                f.write_str("]")
            }
            Value::Map(map) => {
                f.write_str("map[")?;
                for (index, (key, item)) in map.iter().enumerate() {
                    let gap = if index == 0 { "" } else { " " };
                    write!(f, "{gap}{key}:{}", item.value)?;
                }
                f.write_str("]")
            }
        }
    }
}

/// Formats a float like Go's `%v`: the shortest digits, with an exponent below 1e-4 and from 1e21.
fn go_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 {
            "+Inf".into()
        } else {
            "-Inf".into()
        };
    }
    if value == 0.0 {
        return if value.is_sign_negative() {
            "-0".into()
        } else {
            "0".into()
        };
    }
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..21).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => format!("{value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_go_prints_them() {
        for (value, expected) in [
            (1.5, "1.5"),
            (3.0, "3"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.0, "-0"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(go_float(value), expected);
        }
    }

    #[test]
    fn collections_print_as_go_prints_them() {
        let place = Place {
            file: "f".into(),
            line: 1,
            column: 1,
        };
        let list = Value::List(vec![
            Node::text(&place, "a"),
            Node::new(&place, Value::Int(2)),
            Node::new(&place, Value::Null),
        ]);
        assert_eq!(list.to_string(), "[a 2 <nil>]");
        let map = Map::from([("k".to_owned(), Node::new(&place, list))]);
        assert_eq!(Value::Map(map).to_string(), "map[k:[a 2 <nil>]]");
    }
}
