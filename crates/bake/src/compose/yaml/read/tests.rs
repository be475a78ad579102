use super::*;
use crate::compose::yaml::Value;

fn one(text: &str) -> Value {
    let mut documents = documents("compose.yaml", text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0).root.value
}

fn message(text: &str) -> String {
    documents("compose.yaml", text).unwrap_err().to_string()
}

#[test]
fn own_keys_win_over_merged_ones_and_the_first_of_a_list_wins() {
    let value = one("a: &a {k: 1, l: 1}\nb: &b {k: 2, m: 2}\nc: {<<: [*a, *b], l: 3}\n");
    assert_eq!(
        value.to_string(),
        "map[a:map[k:1 l:1] b:map[k:2 m:2] c:map[k:1 l:3 m:2]]"
    );
}

#[test]
fn a_quoted_merge_key_is_a_key() {
    assert_eq!(
        one("a: {'<<': {k: 1}}").to_string(),
        "map[a:map[<<:map[k:1]]]"
    );
}

#[test]
fn reset_drops_the_value_and_records_its_path() {
    let read = documents("f", "a: {b: !reset null, c: !override [1]}").unwrap();
    assert_eq!(read[0].root.value.to_string(), "map[a:map[c:[1]]]");
    assert_eq!(read[0].resets, [["a", "b"], ["a", "c"]]);
}

#[test]
fn a_repeated_key_is_named_with_both_lines() {
    assert_eq!(
        message("a: 1\nb: 2\na: 3\n"),
        "compose.yaml:3,1-1: the key \"a\" is already set at line 1"
    );
}

#[test]
fn keys_are_text() {
    assert!(message("1: x").contains("the key 1 is not text"));
    assert!(message("? [a]\n: x").contains("a key must be text"));
    assert_eq!(one("on: x").to_string(), "map[on:x]");
}

#[test]
fn an_alias_inside_its_anchor_is_refused() {
    assert!(message("a: &a [*a]").contains("a value that contains it"));
    assert!(message("a: &a {<<: *a}").contains("a value that contains it"));
}

#[test]
fn tabs_are_not_indentation() {
    assert!(message("services:\n\ts: {}\n").contains("compose.yaml:2"));
}

#[test]
fn tabs_after_a_colon_are_blanks() {
    assert_eq!(one("a:\tb\nc:\t\td\n").to_string(), "map[a:b c:d]");
}

#[test]
fn brackets_may_stand_left_of_their_block() {
    let text = "a:\n  b: [\n    x,\n y,\n  z\n  ]\n  c: {\n  k: 1\n}\n  d: [\n  ]\n";
    assert_eq!(
        one(text).to_string(),
        "map[a:map[b:[x y z] c:map[k:1] d:[]]]"
    );
    let text = "a:\n  - - [\n  x\n  ]\n    - y\n";
    assert_eq!(one(text).to_string(), "map[a:[[[x] y]]]");
}

#[test]
fn lines_of_quoted_text_may_stand_left_of_their_block() {
    let text = "a:\n  b: \"x\\\"\ny\n\n z\\\n  w\"\n  c: 'it''s\nfine'\n";
    assert_eq!(one(text).to_string(), "map[a:map[b:x\" y\nzw c:it's fine]]");
}

#[test]
fn blocks_keep_their_indentation() {
    assert!(message("a:\n   b: 1\n  c: 2\n").contains("compose.yaml:3"));
    assert!(message("a:\r  b: [\r  x\r  ]\r").contains("invalid indentation"));
}

#[test]
fn a_comment_may_touch_a_quote_or_a_bracket() {
    let text = "a: \"x\"#c\nb: [y,#c\n  z]#c\n";
    assert_eq!(one(text).to_string(), "map[a:x b:[y z]]");
}

#[test]
fn positions_are_those_of_the_file() {
    let text = "a:\n  b: [\nx, y\n  ]\n";
    let documents = documents("f", text).unwrap();
    let Value::Map(root) = &documents[0].root.value else {
        panic!("the root is a mapping");
    };
    let Value::Map(inner) = &root["a"].value else {
        panic!("a is a mapping");
    };
    let Value::List(items) = &inner["b"].value else {
        panic!("b is a list");
    };
    assert_eq!((items[1].place.line, items[1].place.column), (3, 4));
    assert!(message("a:\n  b: [\nx, ]]\n").contains("compose.yaml:3,5"));
}

#[test]
fn a_file_with_hundreds_of_corrections_is_read() {
    let text = "a:\n".to_owned() + &"  - [\n  x\n  ]\n".repeat(300);
    let Value::Map(root) = one(&text) else {
        panic!("the root is a mapping");
    };
    assert!(matches!(&root["a"].value, Value::List(items) if items.len() == 300));
}

#[test]
fn control_characters_are_refused_with_their_place() {
    let expected = "f:2,4-4: invalid YAML: control characters are not allowed";
    assert_eq!(
        documents("f", "a: 1\nb: \u{1}\n").unwrap_err().to_string(),
        expected
    );
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let item = format!("*a{}, ", level - 1).repeat(9);
        text.push_str(&format!("a{level}: &a{level} [{item}]\n"));
    }
    assert!(message(&text).contains("grows too large by its aliases"));
    let mut text = String::from("a0: &a0 {}\n");
    for level in 1..20 {
        let item = format!("*a{}, ", level - 1).repeat(9);
        text.push_str(&format!("a{level}: &a{level} {{<<: [{item}]}}\n"));
    }
    assert!(message(&text).contains("grows too large by its aliases"));
}

#[test]
fn deep_nesting_is_refused() {
    assert!(message(&"[".repeat(100_000)).contains("compose.yaml:1"));
    let block: String = (0..500).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    assert!(message(&block).contains("nests deeper"));
}

#[test]
fn documents_are_read_one_by_one() {
    assert_eq!(documents("f", "a: 1\n---\nb: 2\n").unwrap().len(), 2);
    assert_eq!(documents("f", "# nothing\n").unwrap().len(), 0);
    assert!(documents("f", "---\n").unwrap()[0].root.is_null());
}
