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
