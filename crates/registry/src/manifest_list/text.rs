//! Reformats the white space of JSON text; everything else stays unchanged, including order and
//! digits.

/// Removes the white space between the parts.
pub(super) fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    walk(json, |c, in_string| {
        if in_string || !c.is_ascii_whitespace() {
            text.push(c);
        }
    });
    text
}

/// Puts each part on its own line, indented by its depth, like Go's `json.Indent`.
pub fn indent(json: &str, indent: &str) -> String {
    let compact = compact(json);
    let mut text = String::with_capacity(compact.len() * 2);
    let mut depth = 0_usize;
    let mut before = ' ';
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&indent.repeat(depth));
    };
    walk(&compact, |c, in_string| {
        let opened = matches!(before, '{' | '[');
        before = if in_string { '"' } else { c };
        if in_string {
            if opened {
                line(&mut text, depth);
            }
            text.push(c);
            return;
        }
        match c {
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !opened {
                    line(&mut text, depth);
                }
                text.push(c);
            }
            c => {
                if opened {
                    line(&mut text, depth);
                }
                text.push(c);
                match c {
                    '{' | '[' => depth += 1,
                    ',' => line(&mut text, depth),
                    ':' => text.push(' '),
                    _ => {}
                }
            }
        }
    });
    text
}

/// Calls `each` with every character, and true if it belongs to a string (including its quotes).
fn walk(json: &str, mut each: impl FnMut(char, bool)) {
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        let inside = in_string || c == '"';
        if in_string {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if c == '"' {
            in_string = true;
        }
        each(c, inside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_changes() {
        let json = "{ \"b\": [1.0, {}, [ ], \"x y\\\" {,}\"],\n \"a\" : {\"c\":null} }";
        assert_eq!(
            compact(json),
            r#"{"b":[1.0,{},[],"x y\" {,}"],"a":{"c":null}}"#
        );
        assert_eq!(
            indent(json, "\t"),
            "{\n\t\"b\": [\n\t\t1.0,\n\t\t{},\n\t\t[],\n\t\t\"x y\\\" {,}\"\n\t],\n\t\"a\": \
             {\n\t\t\"c\": null\n\t}\n}"
        );
        assert_eq!(indent("[\"a\"]", "  "), "[\n  \"a\"\n]");
        assert_eq!(indent("7", "\t"), "7");
    }
}
