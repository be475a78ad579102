//! JSON as Go's `encoding/json` writes it, for attributes that are part of a digest.

/// Returns a JSON array of strings as Go's `encoding/json` writes it: `<`, `>`, `&`, U+2028 and
/// U+2029 are escaped too.
pub(super) fn go_json(list: &[String]) -> String {
    let mut json = String::with_capacity(list.iter().map(|text| text.len() + 3).sum::<usize>() + 2);
    json.push('[');
    for (at, text) in list.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        json.push('"');
        for c in text.chars() {
            push_escaped(&mut json, c);
        }
        json.push('"');
    }
    json.push(']');
    json
}

fn push_escaped(json: &mut String, c: char) {
    match c {
        '"' => json.push_str("\\\""),
        '\\' => json.push_str("\\\\"),
        '\u{8}' => json.push_str("\\b"),
        '\u{c}' => json.push_str("\\f"),
        '\n' => json.push_str("\\n"),
        '\r' => json.push_str("\\r"),
        '\t' => json.push_str("\\t"),
        '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
            json.push_str(&format!("\\u{:04x}", c as u32));
        }
        _ => json.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_escaped_as_go_does() {
        let list = ["a\"b\\".to_owned(), "<&>\u{2028}\n\u{1}ü".to_owned()];
        assert_eq!(
            go_json(&list),
            r#"["a\"b\\","\u003c\u0026\u003e\u2028\n\u0001ü"]"#
        );
    }
}
