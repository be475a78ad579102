//! The functions of templates: Go's own, and those that docker's commands add.

use std::cmp::Ordering;

use super::evaluate::MOST_TEXT;
use super::{Error, Json, Value, printf};

/// The names of all functions.
pub(super) const NAMES: [&str; 23] = [
    "and", "eq", "ge", "gt", "index", "join", "json", "le", "len", "lower", "lt", "ne", "not",
    "or", "pad", "print", "printf", "println", "slice", "split", "title", "truncate", "upper",
];

pub(super) fn call(name: &str, arguments: Vec<Value>, json: Json) -> Result<Value, Error> {
    let given = Given { name, arguments };
    // A repeated `print $x $x` doubles the text each time.
    let is_text = |value: &Value| matches!(value, Value::String(_));
    let length: usize = given
        .arguments
        .iter()
        .filter(|value| is_text(value))
        .map(Value::length)
        .sum();
    if length > MOST_TEXT {
        return Err(Error::TooMuch {
            most: MOST_TEXT,
            what: "bytes",
        });
    }
    match name {
        "and" => given.first_that(Value::is_empty),
        "or" => given.first_that(|value| !value.is_empty()),
        "not" => Ok(Value::Bool(given.only()?.is_empty())),
        "eq" => given.equal(),
        "ne" => given.compare(|order| order != Ordering::Equal),
        "lt" => given.compare(Ordering::is_lt),
        "le" => given.compare(Ordering::is_le),
        "gt" => given.compare(Ordering::is_gt),
        "ge" => given.compare(Ordering::is_ge),
        "len" => given.length(),
        "index" => given.index(),
        "slice" => given.slice(),
        "json" => Ok(Value::String(given.only()?.to_json(json))),
        "join" => given.join(),
        "split" => given.split(),
        "lower" => Ok(Value::String(given.text_at(0)?.to_lowercase())),
        "upper" => Ok(Value::String(given.text_at(0)?.to_uppercase())),
        "title" => Ok(Value::String(title(given.text_at(0)?))),
        "pad" => given.pad(),
        "truncate" => given.truncate(),
        "print" => Ok(Value::String(printf::print(&given.arguments))),
        "println" => Ok(Value::String(printf::println(&given.arguments))),
        "printf" => {
            let rest = given.arguments.get(1..).unwrap_or_default();
            Ok(Value::String(printf::printf(given.text_at(0)?, rest)))
        }
        _ => Err(given.misused("it is not a function")),
    }
}

/// A function call with its evaluated arguments.
struct Given<'a> {
    name: &'a str,
    arguments: Vec<Value>,
}

impl Given<'_> {
    fn misused(&self, reason: impl Into<String>) -> Error {
        Error::Misuse {
            function: self.name.to_owned(),
            reason: reason.into(),
        }
    }

    fn at(&self, place: usize) -> Result<&Value, Error> {
        self.arguments
            .get(place)
            .ok_or_else(|| self.misused(format!("it needs more than {place} arguments")))
    }

    fn only(&self) -> Result<&Value, Error> {
        match self.arguments.as_slice() {
            [only] => Ok(only),
            all => Err(self.misused(format!("it needs one argument and not {}", all.len()))),
        }
    }

    fn text_at(&self, place: usize) -> Result<&str, Error> {
        match self.at(place)? {
            Value::String(text) => Ok(text),
            other => Err(self.misused(format!("it needs text and not {}", other.kind()))),
        }
    }

    fn int_at(&self, place: usize) -> Result<usize, Error> {
        match self.at(place)? {
            Value::Int(value) => usize::try_from(*value)
                .map_err(|_| self.misused(format!("it cannot use the number {value}"))),
            other => Err(self.misused(format!("it needs a number and not {}", other.kind()))),
        }
    }

    /// The first argument that `wanted` accepts, else the last one.
    fn first_that(mut self, wanted: impl Fn(&Value) -> bool) -> Result<Value, Error> {
        self.at(0)?;
        match self.arguments.iter().position(wanted) {
            Some(at) => Ok(self.arguments.swap_remove(at)),
            None => Ok(self.arguments.pop().unwrap_or_default()),
        }
    }

    /// True if the first argument equals one of the others.
    fn equal(&self) -> Result<Value, Error> {
        let first = self.at(0)?;
        self.at(1)?;
        let equal = self.arguments[1..]
            .iter()
            .any(|other| order(first, other) == Some(Ordering::Equal));
        Ok(Value::Bool(equal))
    }

    fn compare(&self, wanted: impl Fn(Ordering) -> bool) -> Result<Value, Error> {
        let (first, second) = (self.at(0)?, self.at(1)?);
        match order(first, second) {
            Some(order) => Ok(Value::Bool(wanted(order))),
            None if self.name == "ne" => Ok(Value::Bool(first != second)),
            None => Err(self.misused(format!(
                "it cannot compare {} with {}",
                first.kind(),
                second.kind()
            ))),
        }
    }

    fn length(&self) -> Result<Value, Error> {
        match self.only()? {
            other @ (Value::Bool(_) | Value::Int(_) | Value::Float(_)) => {
                Err(self.misused(format!("{} has no length", other.kind())))
            }
            value => Ok(Value::Int(value.length() as i64)),
        }
    }

    /// `index x 1 "key"` is `x[1]["key"]`.
    fn index(&self) -> Result<Value, Error> {
        let mut value = self.at(0)?.clone();
        for key in &self.arguments[1..] {
            value = match (value, key) {
                (Value::Null, _) => Value::Null,
                (Value::Map(mut map), Value::String(key)) => map.remove(key).unwrap_or_default(),
                (Value::Struct(fields), Value::String(key)) => match fields.get(key) {
                    Some(value) => value.clone(),
                    None => {
                        let known: Vec<&str> = fields
                            .fields()
                            .iter()
                            .map(|field| field.name.as_str())
                            .collect();
                        return Err(self.misused(format!(
                            "there is no {key:?}; there is {}",
                            known.join(", ")
                        )));
                    }
                },
                (Value::List(list), Value::Int(at)) => {
                    let length = list.len();
                    let found = usize::try_from(*at)
                        .ok()
                        .and_then(|at| list.into_iter().nth(at));
                    found.ok_or_else(|| {
                        self.misused(format!("there is no place {at}: the list has {length}"))
                    })?
                }
                (value, key) => {
                    return Err(self.misused(format!(
                        "{} has nothing at {}",
                        value.kind(),
                        key.to_json(Json::Compact)
                    )));
                }
            };
        }
        Ok(value)
    }

    fn slice(&self) -> Result<Value, Error> {
        let whole = self.at(0)?;
        let length = match whole {
            Value::String(text) => text.len(),
            Value::List(list) => list.len(),
            other => return Err(self.misused(format!("{} cannot be cut", other.kind()))),
        };
        let begin = if self.arguments.len() > 1 {
            self.int_at(1)?
        } else {
            0
        };
        let end = if self.arguments.len() > 2 {
            self.int_at(2)?
        } else {
            length
        };
        let cut = match whole {
            Value::String(text) => text.get(begin..end).map(Value::from),
            Value::List(list) => list.get(begin..end).map(|part| Value::List(part.to_vec())),
            _ => None,
        };
        cut.ok_or_else(|| self.misused(format!("{begin} to {end} is not within {length}")))
    }

    /// `join LIST SEPARATOR`, in either order: the list may come from a pipe.
    fn join(&self) -> Result<Value, Error> {
        let (list, separator) = match (self.at(0)?, self.at(1)?) {
            (Value::List(list), Value::String(separator))
            | (Value::String(separator), Value::List(list)) => (list.as_slice(), separator),
            (Value::Null, Value::String(separator)) | (Value::String(separator), Value::Null) => {
                (&[][..], separator)
            }
            (other, _) => {
                return Err(self.misused(format!("it needs a list and text, not {}", other.kind())));
            }
        };
        let texts: Vec<String> = list.iter().map(ToString::to_string).collect();
        Ok(Value::String(texts.join(separator)))
    }

    fn split(&self) -> Result<Value, Error> {
        let parts = self.text_at(0)?.split(self.text_at(1)?);
        Ok(Value::List(parts.map(Value::from).collect()))
    }

    /// Adds spaces before and after the text; empty text stays empty.
    fn pad(&self) -> Result<Value, Error> {
        let text = self.text_at(0)?;
        let (before, behind) = (self.int_at(1)?.min(1 << 10), self.int_at(2)?.min(1 << 10));
        Ok(Value::String(match text.is_empty() {
            true => String::new(),
            false => format!("{}{text}{}", " ".repeat(before), " ".repeat(behind)),
        }))
    }

    fn truncate(&self) -> Result<Value, Error> {
        let length = self.int_at(1)?;
        Ok(Value::String(
            self.text_at(0)?.chars().take(length).collect(),
        ))
    }
}

fn order(first: &Value, second: &Value) -> Option<Ordering> {
    match (first, second) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Bool(first), Value::Bool(second)) => Some(first.cmp(second)),
        (Value::Int(first), Value::Int(second)) => Some(first.cmp(second)),
        (Value::Float(first), Value::Float(second)) => first.partial_cmp(second),
        (Value::Int(first), Value::Float(second)) => (*first as f64).partial_cmp(second),
        (Value::Float(first), Value::Int(second)) => first.partial_cmp(&(*second as f64)),
        (Value::String(first), Value::String(second)) => Some(first.cmp(second)),
        _ => None,
    }
}

/// Converts the first letter of each word to upper case.
fn title(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars() {
        match begins {
            true => titled.extend(c.to_uppercase()),
            false => titled.push(c),
        }
        begins = c.is_whitespace();
    }
    titled
}
