//! Changes one member of a JSON text and keeps every other byte: the order, unknown members, and
//! indentation.
//!
//! The text must be valid JSON whose outermost value is an object; the callers have parsed it.

use std::ops::Range;

use serde_json::Value;

/// Docker's indentation.
const INDENT: &str = "\t";

/// Sets the member at the path. Missing objects on the way are created; other values on the way are
/// replaced by objects.
pub(super) fn set(text: &str, path: &[&str], value: &Value) -> String {
    let at = skip_space(text.as_bytes(), 0);
    set_in(text, at, 0, path, value)
}

fn set_in(text: &str, at: usize, depth: usize, path: &[&str], value: &Value) -> String {
    let [name, rest @ ..] = path else {
        return text.to_owned();
    };
    let object = Object::read(text, at);
    if let Some(member) = object.member(text, name) {
        let (start, end) = (member.value.start, member.value.end);
        if !rest.is_empty() && text[start..].starts_with('{') {
            return set_in(text, start, depth + 1, rest, value);
        }
        let new = render(rest, value, depth + 1);
        return format!("{}{new}{}", &text[..start], &text[end..]);
    }
    let member = format!("{}: {}", Value::from(*name), render(rest, value, depth + 1));
    let (before, after) = match object.members.last() {
        Some(last) => {
            let gap = object.gap(text);
            (
                format!("{},{gap}", &text[..last.value.end]),
                &text[last.value.end..],
            )
        }
        None => {
            let outer = INDENT.repeat(depth);
            let open = &text[..=object.open];
            let member = format!("{open}\n{outer}{INDENT}{member}\n{outer}");
            return member + &text[object.close..];
        }
    };
    format!("{before}{member}{after}")
}

/// Renders the value inside objects with these names, indented.
fn render(names: &[&str], value: &Value, depth: usize) -> String {
    match names {
        [] => value.to_string(),
        [name, rest @ ..] => format!(
            "{{\n{indent}{INDENT}{}: {}\n{indent}}}",
            Value::from(*name),
            render(rest, value, depth + 1),
            indent = INDENT.repeat(depth),
        ),
    }
}

/// Removes the member at the path; `None` if there is none.
pub(super) fn remove(text: &str, path: &[&str]) -> Option<String> {
    let [outer @ .., name] = path else {
        return None;
    };
    let mut at = skip_space(text.as_bytes(), 0);
    for name in outer {
        let object = Object::read(text, at);
        at = object.member(text, name)?.value.start;
        if !text[at..].starts_with('{') {
            return None;
        }
    }
    let object = Object::read(text, at);
    let place = object
        .members
        .iter()
        .rposition(|member| member.is(text, name))?;
    let members = &object.members;
    let cut = match (place.checked_sub(1), members.get(place + 1)) {
        (Some(before), _) => members[before].value.end..members[place].value.end,
        (None, Some(after)) => members[place].name.start..after.name.start,
        (None, None) => object.open + 1..object.close,
    };
    let left = format!("{}{}", &text[..cut.start], &text[cut.end..]);
    // Removes duplicates too, or the next one would take effect.
    Some(remove(&left, path).unwrap_or(left))
}

/// The positions of an object's parts in the text.
struct Object {
    open: usize,
    close: usize,
    members: Vec<Member>,
}

struct Member {
    /// With its quotes.
    name: Range<usize>,
    value: Range<usize>,
}

impl Object {
    /// Reads the object that starts at `open`.
    fn read(text: &str, open: usize) -> Self {
        let bytes = text.as_bytes();
        let mut members = Vec::new();
        let mut at = skip_space(bytes, open + 1);
        while bytes.get(at) == Some(&b'"') {
            let name = at..string_end(bytes, at);
            let colon = skip_space(bytes, name.end);
            let start = skip_space(bytes, colon + 1);
            let value = start..value_end(bytes, start);
            at = skip_space(bytes, value.end);
            members.push(Member { name, value });
            if bytes.get(at) == Some(&b',') {
                at = skip_space(bytes, at + 1);
            }
        }
        Self {
            open,
            close: at.min(bytes.len()),
            members,
        }
    }

    /// Returns the last member with this name, the one that parsers use.
    fn member(&self, text: &str, name: &str) -> Option<&Member> {
        let mut members = self.members.iter().rev();
        members.find(|member| member.is(text, name))
    }

    /// Returns the text before each member.
    fn gap<'a>(&self, text: &'a str) -> &'a str {
        let first = self.members.first();
        first.map_or("", |first| &text[self.open + 1..first.name.start])
    }
}

impl Member {
    fn is(&self, text: &str, name: &str) -> bool {
        serde_json::from_str::<String>(&text[self.name.clone()]).is_ok_and(|own| own == name)
    }
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let space = |byte: &&u8| byte.is_ascii_whitespace();
    from + bytes[from.min(bytes.len())..]
        .iter()
        .take_while(space)
        .count()
}

/// Returns the position after the string that starts at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Returns the position after the value that starts at `start`.
fn value_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at = string_end(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth <= 1 => return at + depth,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            byte if depth == 0 && byte.is_ascii_whitespace() => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn a_file_is_begun_as_docker_writes_it() {
        let text = set("{}", &["auths", "r.example", "auth"], &json!("eDp5"));
        let expected =
            "{\n\t\"auths\": {\n\t\t\"r.example\": {\n\t\t\t\"auth\": \"eDp5\"\n\t\t}\n\t}\n}";
        assert_eq!(text, expected);
        let text = set(&text, &["auths", "s.example"], &json!({}));
        assert!(
            text.contains("\t\t},\n\t\t\"s.example\": {}\n\t}\n}"),
            "{text}"
        );
    }

    #[test]
    fn the_rest_stays_byte_for_byte() {
        let before = "{ \"z\":1.50 ,\n  \"auths\" : {\"a\\u002eb\":{\"auth\":\"o\"}, \"c\": \
                      null},\n  \"big\": 123456789012345678901234567890, \"s\": \"}\\\"{\" }\n";
        let after = set(before, &["auths", "a.b"], &json!({"auth": "n"}));
        assert_eq!(
            after,
            before.replace("{\"auth\":\"o\"}", "{\"auth\":\"n\"}")
        );
        let after = remove(before, &["auths", "a.b"]).unwrap();
        assert_eq!(
            after,
            before.replace("\"a\\u002eb\":{\"auth\":\"o\"}, ", "")
        );
        let after = remove(&after, &["auths", "c"]).unwrap();
        assert!(after.contains("\"auths\" : {},"), "{after}");
        assert_eq!(remove(&after, &["auths", "c"]), None);
        assert_eq!(remove(&after, &["s", "c"]), None);
    }

    #[test]
    fn new_members_stand_as_their_neighbours() {
        let text = set(
            "{\n  \"auths\": {\n    \"a\": {}\n  }\n}",
            &["auths", "b"],
            &json!({}),
        );
        assert_eq!(
            text,
            "{\n  \"auths\": {\n    \"a\": {},\n    \"b\": {}\n  }\n}"
        );
        let text = set("{\"auths\": null}", &["auths", "b"], &json!(1));
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({"auths": {"b": 1}})
        );
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c\"\\\\{},]{0,2}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn setting_and_removing_change_nothing_else(
            members in prop::collection::btree_map("[a-c\"\\\\]{0,2}", values(), 0..5),
            outer in "[a-c\"\\\\]{0,2}", inner in "[a-c]{0,1}", value in values(),
                pretty in any::<bool>(),
        ) {
            let mut expected: Map<String, Value> = members.into_iter().collect();
            let text = match pretty {
                true => serde_json::to_string_pretty(&expected).unwrap(),
                false => serde_json::to_string(&expected).unwrap(),
            };
            let changed = set(&text, &[&outer, &inner], &value);
            let slot = expected.entry(outer.clone()).or_insert(Value::Null);
            if !slot.is_object() {
                *slot = json!({});
            }
            slot[&inner] = value;
            let parsed: Map<String, Value> = serde_json::from_str(&changed).unwrap();
            prop_assert_eq!(&parsed, &expected);
            let removed = remove(&changed, &[&outer, &inner]).unwrap();
            expected[&outer].as_object_mut().unwrap().remove(&inner);
            let parsed: Map<String, Value> = serde_json::from_str(&removed).unwrap();
            prop_assert_eq!(&parsed, &expected);
        }
    }
}
