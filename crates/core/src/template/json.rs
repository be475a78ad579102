//! JSON as Go's `encoding/json` writes it: fields in declaration order, keys of maps sorted, `<`,
//! `>` and `&` escaped.

use super::{Json, Value};
use crate::text::is_unprintable;

impl Value {
    /// Returns the value as JSON, byte for byte as Go writes it.
    pub fn to_json(&self, form: Json) -> String {
        let mut writer = Writer {
            text: String::new(),
            indented: form == Json::Indented,
            depth: 0,
        };
        writer.value(self);
        writer.text
    }
}

struct Writer {
    text: String,
    indented: bool,
    depth: usize,
}

impl Writer {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.text.push_str("null"),
            Value::Bool(value) => self.text.push_str(&value.to_string()),
            Value::Int(value) => self.text.push_str(&value.to_string()),
            Value::Float(value) => self.text.push_str(&value.to_string()),
            Value::String(text) => self.string(text),
            Value::List(list) => self.within('[', ']', list, |writer, item| writer.value(item)),
            Value::Map(map) => self.within('{', '}', map, |writer, (key, value)| {
                writer.member(key, value);
            }),
            Value::Struct(fields) => {
                let shown = fields.fields().iter().filter_map(|field| {
                    let json = field.json.as_deref()?;
                    let empty = field.omit_empty && field.value.is_empty();
                    (!empty).then_some((json, &field.value))
                });
                self.within('{', '}', shown, |writer, (key, value)| {
                    writer.member(key, value);
                });
            }
        }
    }

    fn within<T>(
        &mut self,
        open: char,
        close: char,
        items: impl IntoIterator<Item = T>,
        write: impl Fn(&mut Self, T),
    ) {
        self.text.push(open);
        self.depth += 1;
        let mut any = false;
        for item in items {
            if any {
                self.text.push(',');
            }
            any = true;
            self.line();
            write(self, item);
        }
        self.depth -= 1;
        if any {
            self.line();
        }
        self.text.push(close);
    }

    fn line(&mut self) {
        if self.indented {
            self.text.push('\n');
            for _ in 0..self.depth {
                self.text.push_str("  ");
            }
        }
    }

    fn member(&mut self, key: &str, value: &Value) {
        self.string(key);
        self.text.push(':');
        if self.indented {
            self.text.push(' ');
        }
        self.value(value);
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for c in text.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    self.text.push_str(&format!("\\u{:04x}", c as u32));
                }
                // Go writes these characters unescaped, but a terminal would act on them.
                c if is_unprintable(c) => self.text.push_str(&format!("\\u{:04x}", c as u32)),
                _ => self.text.push(c),
            }
        }
        self.text.push('"');
    }
}
