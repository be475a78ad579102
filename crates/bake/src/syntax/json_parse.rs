//! Parses JSON tokens to values, with the reference's positions and words of errors. Like the
//! reference's parser it continues after an error, to count the others. `nested.rs` parses objects
//! and arrays, `scalar.rs` the other values.

mod nested;
mod scalar;

use super::json_scan::{JsonKind, JsonToken};
use super::parser::ParseError;
use super::range::Range;
use crate::value::Value;

/// The deepest nesting of JSON.
const MAX_DEPTH: usize = 100;

/// A value of a JSON file.
#[derive(Debug)]
pub(super) enum Json {
    /// Properties in order; a name may be repeated.
    Object {
        properties: Vec<Property>,
        open: Range,
        close: Range,
    },
    Array {
        items: Vec<Json>,
        open: Range,
        close: Range,
    },
    String(String, Range),
    /// A number, `true`, `false` or `null`.
    Constant(Value, Range),
}

/// A property of an object.
#[derive(Debug)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) name_range: Range,
    pub(super) value: Json,
}

impl Json {
    /// Returns the range of the whole value.
    pub(super) fn range(&self) -> Range {
        match self {
            Self::Object { open, close, .. } | Self::Array { open, close, .. } => open.to(*close),
            Self::String(_, range) | Self::Constant(_, range) => *range,
        }
    }

    /// Returns the range of its first token.
    pub(super) fn start_range(&self) -> Range {
        match self {
            Self::Object { open, .. } | Self::Array { open, .. } => *open,
            Self::String(_, range) | Self::Constant(_, range) => *range,
        }
    }

    /// True for `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Constant(value, _) if value.is_null())
    }
}

/// The syntax errors of a file.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) first: ParseError,
    /// The number of the others.
    pub(super) others: usize,
}

/// Parses `tokens` as one value.
pub(super) fn parse(tokens: &[JsonToken<'_>]) -> Result<Json, Failed> {
    let mut parser = Parser {
        tokens,
        next: 0,
        depth: 0,
        first: None,
        errors: 0,
        is_too_deep: false,
    };
    let root = parser.value();
    let next = parser.peek();
    if parser.errors == 0 && next.kind != JsonKind::End {
        parser.error(
            next.range,
            "expected the end of the file after the value",
            "Extraneous data after value; Extra characters appear after the JSON value.",
        );
    }
    let range = match &root {
        Some(Json::String(_, range) | Json::Constant(_, range)) => Some(*range),
        Some(_) => None,
        None => Some(next.range),
    };
    if let Some(range) = range {
        parser.error(
            range,
            "the file must hold a JSON object",
            "Root value must be object; The root value in a JSON-based configuration must be \
             either a JSON object or a JSON array of objects.",
        );
    }
    match (parser.first, root) {
        (None, Some(root)) => Ok(root),
        (first, _) => Err(Failed {
            first: first.expect("a missing value is an error"),
            others: match parser.is_too_deep {
                true => 0,
                false => parser.errors - 1,
            },
        }),
    }
}

/// The state of parsing.
struct Parser<'a> {
    tokens: &'a [JsonToken<'a>],
    next: usize,
    depth: usize,
    first: Option<ParseError>,
    errors: usize,
    /// True if the rest of the file was skipped.
    is_too_deep: bool,
}

const VALUE_WORDS: &str =
    "A JSON value must start with a brace, a bracket, a number, a string, or a keyword.";

impl<'a> Parser<'a> {
    /// Returns the next token; the last one is never consumed.
    fn peek(&self) -> JsonToken<'a> {
        let last = self.tokens.len() - 1;
        self.tokens[self.next.min(last)]
    }

    fn read(&mut self) -> JsonToken<'a> {
        let token = self.peek();
        if token.kind != JsonKind::End {
            self.next += 1;
        }
        token
    }

    /// Reports an error, with the words of the reference.
    fn error(&mut self, range: Range, message: impl Into<String>, reference: impl Into<String>) {
        self.errors += 1;
        self.first.get_or_insert_with(|| ParseError {
            range,
            message: message.into(),
            reference: Some(reference.into()),
        });
    }

    /// Skips to the bracket that seems to end the value; `first` is already read.
    fn recover(&mut self, first: JsonToken<'a>, [open, close]: [JsonKind; 2]) {
        let mut nesting = 1_usize;
        let mut token = first;
        loop {
            if token.kind == open {
                nesting += 1;
            } else if token.kind == close {
                nesting -= 1;
                if nesting <= 1 {
                    break;
                }
            } else if token.kind == JsonKind::End {
                break;
            }
            token = self.read();
        }
    }

    /// Returns the next value; `None` after an error.
    fn value(&mut self) -> Option<Json> {
        let token = self.peek();
        let (range, text) = (token.range, token.text);
        match token.kind {
            JsonKind::OpenBrace => self.deeper(Self::object),
            JsonKind::OpenBracket => self.deeper(Self::array),
            JsonKind::Number => self.number(),
            JsonKind::String => self.string(),
            JsonKind::Keyword => self.keyword(),
            JsonKind::End => {
                let words = "Missing value; The JSON data ends prematurely.";
                self.error(range, "expected a value, but the file ends here", words);
                None
            }
            kind => {
                let title = match kind {
                    JsonKind::CloseBrace => "Missing JSON value",
                    JsonKind::CloseBracket => "Missing array element value",
                    _ => "Invalid start of value",
                };
                let message = format!("expected a value, found {text:?}");
                self.error(range, message, format!("{title}; {VALUE_WORDS}"));
                None
            }
        }
    }

    /// Runs `parse` one level deeper.
    fn deeper(&mut self, parse: fn(&mut Self) -> Option<Json>) -> Option<Json> {
        if self.depth >= MAX_DEPTH {
            self.errors += 1;
            let range = self.peek().range;
            self.first.get_or_insert_with(|| ParseError {
                range,
                message: format!("more than {MAX_DEPTH} levels of nesting"),
                reference: None,
            });
            self.is_too_deep = true;
            self.next = self.tokens.len();
            return None;
        }
        self.depth += 1;
        let value = parse(self);
        self.depth -= 1;
        value
    }
}
