//! JSON with Go's indentation and escapes: two spaces, and `<`, `>`, `&` as `\u003c` and so on.

/// Writes one JSON value, in the order in which its parts are added.
#[derive(Debug, Default)]
pub(super) struct Writer {
    out: String,
    depth: usize,
    /// For each open object or list, true if it has an entry.
    filled: Vec<bool>,
}

impl Writer {
    /// Returns the text, without a newline at its end.
    pub(super) fn finish(self) -> String {
        self.out
    }

    fn open(&mut self, bracket: char) {
        self.out.push(bracket);
        self.depth += 1;
        self.filled.push(false);
    }

    fn close(&mut self, bracket: char) {
        self.depth -= 1;
        if self.filled.pop() == Some(true) {
            self.new_line();
        }
        self.out.push(bracket);
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", self.depth));
    }

    /// Starts the next entry of the open object or list.
    fn entry(&mut self) {
        if let Some(filled) = self.filled.last_mut() {
            if *filled {
                self.out.push(',');
            }
            *filled = true;
        }
        self.new_line();
    }

    pub(super) fn object(&mut self, inside: impl FnOnce(&mut Self)) {
        self.open('{');
        inside(self);
        self.close('}');
    }

    pub(super) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        each: impl Fn(&mut Self, T),
    ) {
        self.open('[');
        for item in items {
            self.entry();
            each(self, item);
        }
        self.close(']');
    }

    /// Writes the name of the next entry of an object; its value must follow.
    pub(super) fn key(&mut self, key: &str) {
        self.entry();
        self.text(key);
        self.out.push_str(": ");
    }

    pub(super) fn null(&mut self) {
        self.out.push_str("null");
    }

    pub(super) fn flag(&mut self, value: bool) {
        self.out.push_str(if value { "true" } else { "false" });
    }

    pub(super) fn number(&mut self, value: i64) {
        self.out.push_str(&value.to_string());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.out.push('"');
        for symbol in text.chars() {
            match symbol {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                    self.out.push_str(&format!("\\u{:04x}", u32::from(symbol)));
                }
                _ => self.out.push(symbol),
            }
        }
        self.out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_values_are_indented_and_empty_ones_are_not() {
        let mut writer = Writer::default();
        writer.object(|writer| {
            writer.key("a");
            writer.list(["x", "<&>\u{1}"], Writer::text);
            writer.key("b");
            writer.object(|_| {});
            writer.key("c");
            writer.list::<&str>([], Writer::text);
        });
        assert_eq!(
            writer.finish(),
            "{\n  \"a\": [\n    \"x\",\n    \"\\u003c\\u0026\\u003e\\u0001\"\n  ],\n  \"b\": \
             {},\n  \"c\": []\n}"
        );
    }
}
