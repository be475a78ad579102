//! Parses JSON tokens to values, with the reference's positions of errors.

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

/// Parses `tokens` as one value.
pub(super) fn parse(tokens: &[JsonToken<'_>]) -> Result<Json, ParseError> {
    let mut parser = Parser {
        tokens,
        next: 0,
        depth: 0,
    };
    let value = parser.value()?;
    let next = parser.peek();
    if next.kind != JsonKind::End {
        return fail(next.range, "expected the end of the file after the value");
    }
    if let Json::String(_, range) | Json::Constant(_, range) = value {
        return fail(range, "the file must hold a JSON object");
    }
    Ok(value)
}

/// Returns an error at `range`.
fn fail<T>(range: Range, message: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError {
        range,
        message: message.into(),
        reference: None,
    })
}

/// The state of parsing.
struct Parser<'a> {
    tokens: &'a [JsonToken<'a>],
    next: usize,
    depth: usize,
}

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

    /// Returns an error at the token after the bracket that `close` seems to end; `first` is
    /// already read.
    fn fail_after<T>(
        &mut self,
        first: JsonToken<'a>,
        [open, close]: [JsonKind; 2],
        message: &str,
    ) -> Result<T, ParseError> {
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
        fail(self.peek().range, message)
    }

    fn value(&mut self) -> Result<Json, ParseError> {
        let token = self.peek();
        match token.kind {
            JsonKind::OpenBrace => self.deeper(Self::object),
            JsonKind::OpenBracket => self.deeper(Self::array),
            JsonKind::Number => self.number(),
            JsonKind::String => self.string(),
            JsonKind::Keyword => self.keyword(),
            JsonKind::End => fail(token.range, "expected a value, but the file ends here"),
            _ => fail(
                token.range,
                format!("expected a value, found {:?}", token.text),
            ),
        }
    }

    /// Runs `parse` one level deeper.
    fn deeper(
        &mut self,
        parse: fn(&mut Self) -> Result<Json, ParseError>,
    ) -> Result<Json, ParseError> {
        if self.depth >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels of nesting");
            return fail(self.peek().range, message);
        }
        self.depth += 1;
        let value = parse(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Result<Json, ParseError> {
        const PAIR: [JsonKind; 2] = [JsonKind::OpenBrace, JsonKind::CloseBrace];
        let open = self.read().range;
        let mut properties = Vec::new();
        while self.peek().kind != JsonKind::CloseBrace {
            properties.push(self.property()?);
            let next = self.peek();
            match next.kind {
                JsonKind::CloseBrace => {}
                JsonKind::Comma => {
                    self.read();
                    if self.peek().kind == JsonKind::CloseBrace {
                        return fail(next.range, "JSON allows no comma after the last property");
                    }
                }
                JsonKind::End => return fail(open, "the object has no closing brace"),
                JsonKind::CloseBracket => {
                    self.read();
                    return fail(self.peek().range, "the object is closed by a bracket");
                }
                _ => {
                    self.read();
                    return self.fail_after(next, PAIR, "expected a comma between properties");
                }
            }
        }
        let close = self.read().range;
        Ok(Json::Object {
            properties,
            open,
            close,
        })
    }

    fn property(&mut self) -> Result<Property, ParseError> {
        let (name, name_range) = match self.value()? {
            Json::String(name, range) => (name, range),
            other => return fail(other.start_range(), "the name of a property must be quoted"),
        };
        let colon = self.read();
        if colon.kind != JsonKind::Colon {
            let message = format!("expected \":\" and a value after {name:?}");
            return fail(colon.range, message);
        }
        Ok(Property {
            name,
            name_range,
            value: self.value()?,
        })
    }

    fn array(&mut self) -> Result<Json, ParseError> {
        const PAIR: [JsonKind; 2] = [JsonKind::OpenBracket, JsonKind::CloseBracket];
        let open = self.read().range;
        let mut items = Vec::new();
        while self.peek().kind != JsonKind::CloseBracket {
            items.push(self.value()?);
            let next = self.peek();
            match next.kind {
                JsonKind::CloseBracket => {}
                JsonKind::Comma => {
                    self.read();
                    if self.peek().kind == JsonKind::CloseBracket {
                        return fail(next.range, "JSON allows no comma after the last item");
                    }
                }
                JsonKind::End => return fail(open, "the array has no closing bracket"),
                _ => {
                    self.read();
                    return self.fail_after(next, PAIR, "expected a comma between items");
                }
            }
        }
        let close = self.read().range;
        Ok(Json::Array { items, open, close })
    }

    fn number(&mut self) -> Result<Json, ParseError> {
        let token = self.read();
        match Number::parse(token.text) {
            Ok(number) if is_number(token.text) => {
                Ok(Json::Constant(Value::Number(number), token.range))
            }
            _ => fail(
                token.range,
                format!("{:?} is not a number of JSON", token.text),
            ),
        }
    }

    fn string(&mut self) -> Result<Json, ParseError> {
        let token = self.read();
        unquote(token.text)
            .map(|text| Json::String(text, token.range))
            .or_else(|at| {
                let mut start = token.range.start;
                start.byte += at;
                start.column += u32::try_from(at).unwrap_or(0);
                let mut end = start;
                end.byte += 1;
                end.column += 1;
                fail(
                    Range { start, end },
                    "the string has an escape or a character that JSON does not allow",
                )
            })
    }

    fn keyword(&mut self) -> Result<Json, ParseError> {
        let token = self.read();
        let value = match token.text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::null(),
            other => {
                let hint = crate::diagnostic::nearest(other, ["true", "false", "null"])
                    .map_or_else(String::new, |near| format!("; did you mean {near}?"));
                return fail(token.range, format!("JSON has no {other:?}{hint}"));
            }
        };
        Ok(Json::Constant(value, token.range))
    }
}
