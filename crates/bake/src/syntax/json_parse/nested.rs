//! Objects and arrays.

use super::{Json, Parser, Property};
use crate::syntax::json_scan::{JsonKind, JsonToken};
use crate::syntax::range::Range;

impl<'a> Parser<'a> {
    pub(super) fn object(&mut self) -> Option<Json> {
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

    pub(super) fn array(&mut self) -> Option<Json> {
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
}

const BRACES: [JsonKind; 2] = [JsonKind::OpenBrace, JsonKind::CloseBrace];
const BRACKETS: [JsonKind; 2] = [JsonKind::OpenBracket, JsonKind::CloseBracket];
