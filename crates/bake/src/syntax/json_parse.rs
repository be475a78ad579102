//! Parses JSON tokens to values, with the reference's positions and words of errors. Like the
//! reference's parser it continues after an error, to count the others.

use super::json_scan::{JsonKind, JsonToken};
use super::json_text::{is_number, unquote};
use super::parser::ParseError;
use super::range::Range;
use crate::value::{Number, Value};

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

    fn object(&mut self) -> Option<Json> {
        let open = self.read().range;
        let mut properties = Vec::new();
        while self.peek().kind != JsonKind::CloseBrace {
            let (name, name_range) = self.name()?;
            // A property with a wrong value is left out: the file is refused anyway.
            if let Some(value) = self.value() {
                properties.push(Property {
                    name,
                    name_range,
                    value,
                });
            }
            let next = self.peek();
            match next.kind {
                JsonKind::CloseBrace => {}
                JsonKind::Comma => {
                    self.read();
                    if self.peek().kind == JsonKind::CloseBrace {
                        self.error(
                            next.range,
                            "JSON allows no comma after the last property",
                            "Trailing comma in object; JSON does not permit a trailing comma after \
                             the final property in an object.",
                        );
                        return None;
                    }
                }
                _ => {
                    self.unclosed_object(open, next);
                    return None;
                }
            }
        }
        let close = self.read().range;
        Some(Json::Object {
            properties,
            open,
            close,
        })
    }

    /// Reports an object that goes on with `next` after a property.
    fn unclosed_object(&mut self, open: Range, next: JsonToken<'a>) {
        match next.kind {
            JsonKind::End => self.error(
                open,
                "the object has no closing brace",
                "Unclosed object; No closing brace was found for this JSON object.",
            ),
            JsonKind::CloseBracket => {
                self.read();
                let range = self.peek().range;
                self.error(
                    range,
                    "the object is closed by a bracket",
                    "Mismatched braces; A JSON object must be closed with a brace, not a bracket.",
                );
            }
            _ => {
                self.read();
                self.recover(next, BRACES);
                let range = self.peek().range;
                self.error(
                    range,
                    "expected a comma between properties",
                    "Missing attribute seperator comma; A comma must appear between each property \
                     definition in an object.",
                );
            }
        }
    }

    /// Returns the name of a property, and reads the colon after it; `None` after an error.
    fn name(&mut self) -> Option<(String, Range)> {
        let start = self.peek().range;
        let (name, range) = match self.value() {
            Some(Json::String(name, range)) => (name, range),
            other => {
                self.error(
                    other.map_or(start, |other| other.start_range()),
                    "the name of a property must be quoted",
                    "Invalid object property name; A JSON object property name must be a string",
                );
                return None;
            }
        };
        let next = self.read();
        if next.kind == JsonKind::Colon {
            return Some((name, range));
        }
        self.recover(next, BRACES);
        let words = match next.kind {
            JsonKind::CloseBrace | JsonKind::Comma => {
                "Missing object value; A JSON object attribute must have a value, introduced by a \
                 colon."
            }
            JsonKind::Equals => {
                "Missing property value colon; JSON uses a colon as its name/value delimiter, not \
                 an equals sign."
            }
            _ => {
                "Missing property value colon; A colon must appear between an object property's \
                 name and its value."
            }
        };
        let message = format!("expected \":\" and a value after {name:?}");
        self.error(next.range, message, words);
        None
    }

    fn array(&mut self) -> Option<Json> {
        let open = self.read().range;
        let mut items = Vec::new();
        while self.peek().kind != JsonKind::CloseBracket {
            items.extend(self.value());
            let next = self.peek();
            match next.kind {
                JsonKind::CloseBracket => {}
                JsonKind::Comma => {
                    self.read();
                    if self.peek().kind == JsonKind::CloseBracket {
                        self.error(
                            next.range,
                            "JSON allows no comma after the last item",
                            "Trailing comma in array; JSON does not permit a trailing comma after \
                             the final value in an array.",
                        );
                        return None;
                    }
                }
                _ => {
                    self.unclosed_array(open, next);
                    return None;
                }
            }
        }
        let close = self.read().range;
        Some(Json::Array { items, open, close })
    }

    /// Reports an array that goes on with `next` after an item.
    fn unclosed_array(&mut self, open: Range, next: JsonToken<'a>) {
        if next.kind == JsonKind::End {
            self.error(
                open,
                "the array has no closing bracket",
                "Unclosed object; No closing bracket was found for this JSON array.",
            );
            return;
        }
        self.read();
        self.recover(next, BRACKETS);
        let range = self.peek().range;
        let words = match next.kind {
            JsonKind::Colon => {
                "Invalid array value; A colon is not used to introduce values in a JSON array."
            }
            JsonKind::CloseBrace => {
                "Mismatched brackets; A JSON array must be closed with a bracket, not a brace."
            }
            _ => {
                "Missing attribute seperator comma; A comma must appear between each value in an \
                 array."
            }
        };
        self.error(range, "expected a comma between items", words);
    }

    fn number(&mut self) -> Option<Json> {
        let token = self.read();
        match Number::parse(token.text) {
            Ok(number) if is_number(token.text) => {
                Some(Json::Constant(Value::Number(number), token.range))
            }
            _ => {
                self.error(
                    token.range,
                    format!("{:?} is not a number of JSON", token.text),
                    "Invalid JSON number; There is a syntax error in the given JSON number.",
                );
                None
            }
        }
    }

    fn string(&mut self) -> Option<Json> {
        let token = self.read();
        let at = match unquote(token.text) {
            Ok(text) => return Some(Json::String(text, token.range)),
            Err(at) => at,
        };
        let mut start = token.range.start;
        start.byte += at;
        start.column += u32::try_from(at).unwrap_or(0);
        let mut end = start;
        end.byte += 1;
        end.column += 1;
        self.error(
            Range { start, end },
            "the string has an escape or a character that JSON does not allow",
            "Invalid JSON string; There is a syntax error in the given JSON string.",
        );
        None
    }

    fn keyword(&mut self) -> Option<Json> {
        let token = self.read();
        let value = match token.text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::null(),
            other => {
                let near = crate::diagnostic::nearest(other, ["true", "false", "null"]);
                let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
                let message = format!("JSON has no {other:?}{hint}");
                self.error(token.range, message, keyword_words(other));
                return None;
            }
        };
        Some(Json::Constant(value, token.range))
    }
}

const BRACES: [JsonKind; 2] = [JsonKind::OpenBrace, JsonKind::CloseBrace];
const BRACKETS: [JsonKind; 2] = [JsonKind::OpenBracket, JsonKind::CloseBracket];

/// The words of the reference for an unknown keyword.
fn keyword_words(word: &str) -> String {
    if let "undefined" | "NaN" | "Infinity" = word {
        return format!(
            "Invalid JSON keyword; The JavaScript identifier {word:?} cannot be used in JSON."
        );
    }
    let known = ["false", "true", "null"];
    let near = known
        .into_iter()
        .find(|known| word.len() < 10 && strsim::levenshtein(word, known) < 3);
    let hint = near.map_or_else(String::new, |near| format!(" Did you mean {near:?}?"));
    format!("Invalid JSON keyword; {word:?} is not a valid JSON keyword.{hint}")
}
