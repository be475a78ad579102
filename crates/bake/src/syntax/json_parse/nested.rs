//! Objects and arrays.

use super::{Json, Parser, Property};
use crate::syntax::json_scan::{JsonKind, JsonToken};
use crate::syntax::range::Range;

/// A value with items.
#[derive(Clone, Copy)]
enum Shape {
    Object,
    Array,
}

impl Shape {
    fn brackets(self) -> [JsonKind; 2] {
        match self {
            Self::Object => [JsonKind::OpenBrace, JsonKind::CloseBrace],
            Self::Array => [JsonKind::OpenBracket, JsonKind::CloseBracket],
        }
    }

    /// The message for a comma after the last item, and the reference's.
    fn trailing_comma(self) -> [&'static str; 2] {
        match self {
            Self::Object => [
                "JSON allows no comma after the last property",
                "Trailing comma in object; JSON does not permit a trailing comma after the final \
                 property in an object.",
            ],
            Self::Array => [
                "JSON allows no comma after the last item",
                "Trailing comma in array; JSON does not permit a trailing comma after the final \
                 value in an array.",
            ],
        }
    }
}

impl<'a> Parser<'a> {
    pub(super) fn object(&mut self) -> Option<Json> {
        let mut properties = Vec::new();
        let (open, close) = self.items(Shape::Object, |parser| {
            let (name, name_range) = parser.name()?;
            // A property with a wrong value is left out: the file is refused anyway.
            properties.extend(parser.value().map(|value| Property {
                name,
                name_range,
                value,
            }));
            Some(())
        })?;
        Some(Json::Object {
            properties,
            open,
            close,
        })
    }

    pub(super) fn array(&mut self) -> Option<Json> {
        let mut items = Vec::new();
        let (open, close) = self.items(Shape::Array, |parser| {
            items.extend(parser.value());
            Some(())
        })?;
        Some(Json::Array { items, open, close })
    }

    /// Reads items between brackets, and returns the ranges of the brackets; `None` after an error
    /// that ends the value.
    fn items(
        &mut self,
        shape: Shape,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<(Range, Range)> {
        let [_, close] = shape.brackets();
        let open = self.read().range;
        while self.peek().kind != close {
            item(self)?;
            let next = self.peek();
            if next.kind == JsonKind::Comma {
                self.read();
                if self.peek().kind == close {
                    let [message, reference] = shape.trailing_comma();
                    self.error(next.range, message, reference);
                    return None;
                }
            } else if next.kind != close {
                match shape {
                    Shape::Object => self.unclosed_object(open, next),
                    Shape::Array => self.unclosed_array(open, next),
                }
                return None;
            }
        }
        Some((open, self.read().range))
    }

    /// Reports an object that continues with `next` after a property.
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
                self.recover(next, Shape::Object.brackets());
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
        self.recover(next, Shape::Object.brackets());
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

    /// Reports an array that continues with `next` after an item.
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
        self.recover(next, Shape::Array.brackets());
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
}
