//! Properties: parsing and evaluating never panics, and equal input gives equal results.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use solvekit_bake::print::plan_json;
use solvekit_bake::{Environment, InputFile, Isolated, Kind, Options, evaluate};

/// Returns the plan of a file as JSON, or its error as text.
fn answer(name: &str, text: &str, set: &[String]) -> Result<String, (Kind, String)> {
    let file = InputFile {
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    let environment = Environment {
        overrides: BTreeMap::from([("V".to_owned(), "1".to_owned())]),
        ..Environment::default()
    };
    evaluate(
        &[file],
        &environment,
        &Isolated,
        &Isolated,
        Options::default(),
    )
    .and_then(|evaluation| evaluation.plan(&["default".to_owned()], set, &environment))
    .map(|plan| plan_json(&plan.groups, &plan.targets))
    .map_err(|error| (error.kind, error.to_string()))
}

/// Pieces of bake files; most combinations of them are invalid.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "target",
        "group",
        "variable",
        "function",
        "\"default\"",
        "\"a\"",
        "{",
        "}",
        "\n",
        "=",
        "tags",
        "args",
        "matrix",
        "name",
        "inherits",
        "default",
        "type",
        "params",
        "result",
        "[",
        "]",
        "(",
        ")",
        ",",
        "1",
        "\"x\"",
        "\"${V}\"",
        "V",
        "true",
        "null",
        "target.a.tags",
        "for",
        "x",
        "in",
        "if",
        ":",
        "=>",
        "?",
        "+",
        "-",
        "!",
        "&&",
        "||",
        "==",
        ".*",
        "[*]",
        "...",
        "upper",
        "try",
        "convert",
        "list(string)",
        "<<EOT\n",
        "EOT\n",
        "%{if V}",
        "%{endif}",
        "\"%{for x in [1]}${x}%{endfor}\"",
        "~}",
        "${",
        " ",
        "é",
        "#",
        "/*",
        "*/",
        "'",
        ";",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_gives_one_answer(text in ".{0,200}", name in "docker-bake\\.(hcl|json)") {
        prop_assert_eq!(answer(&name, &text, &[]), answer(&name, &text, &[]));
    }

    #[test]
    fn any_pieces_give_one_answer(pieces in prop::collection::vec(piece(), 0..60)) {
        let text = pieces.join(" ");
        prop_assert_eq!(
            answer("docker-bake.hcl", &text, &[]),
            answer("docker-bake.hcl", &text, &[])
        );
    }

    #[test]
    fn any_expression_gives_one_answer(pieces in prop::collection::vec(piece(), 0..25)) {
        let text = format!("target \"default\" {{\n  args = {{ A = ({}) }}\n}}", pieces.join(" "));
        prop_assert_eq!(
            answer("docker-bake.hcl", &text, &[]),
            answer("docker-bake.hcl", &text, &[])
        );
    }

    #[test]
    fn any_override_gives_one_answer(set in prop::collection::vec("[a-z*.+=-]{0,30}", 0..3)) {
        let text = "target \"default\" {}\ntarget \"a\" {}";
        prop_assert_eq!(
            answer("docker-bake.hcl", text, &set),
            answer("docker-bake.hcl", text, &set)
        );
    }
}

/// Returns the kind of a file's error.
fn refused(text: &str) -> Kind {
    answer("docker-bake.hcl", text, &[]).unwrap_err().0
}

/// Returns variables, each of which contains the previous one twice.
fn doubling(first: &str, twice: impl Fn(usize) -> String) -> String {
    let mut text = format!("variable \"a0\" {{ default = {first} }}\n");
    for index in 1..60 {
        let value = twice(index - 1);
        text.push_str(&format!("variable \"a{index}\" {{ default = {value} }}\n"));
    }
    text
}

#[test]
fn deep_nesting_is_refused() {
    for (open, middle, close) in [
        ("[", "1", "]"),
        ("(", "1", ")"),
        ("{a=", "1", "}"),
        ("upper(", "1", ")"),
        ("-", "1", ""),
        ("true ? ", "1", ": 1"),
        ("true ? 1 : ", "1", ""),
        ("\"${", "1", "}\""),
        ("1 + ", "1", ""),
        ("", "[]", "[V]"),
        ("", "[]", "[*]"),
    ] {
        let text = format!(
            "V = 1\na = {}{middle}{}",
            open.repeat(5000),
            close.repeat(5000)
        );
        assert_eq!(refused(&text), Kind::Syntax, "{open}{close}");
    }
    assert_eq!(refused(&"a {\n".repeat(5000)), Kind::Syntax);
}

#[test]
fn doubling_values_are_refused() {
    let text = doubling("\"0123456789\"", |last| {
        format!("\"${{a{last}}}${{a{last}}}\"")
    });
    assert_eq!(refused(&text), Kind::Limit);
    let text = doubling("[1]", |last| format!("[a{last}, a{last}]"));
    assert_eq!(refused(&text), Kind::Limit);
}

#[test]
fn a_huge_matrix_is_refused() {
    let axes: String = (0..10)
        .map(|axis| format!("a{axis} = range(0, 1000)\n"))
        .collect();
    let text = format!("target \"default\" {{\nmatrix = {{\n{axes}}}\n}}");
    assert_eq!(refused(&text), Kind::Limit);
}

#[test]
fn a_long_chain_of_variables_is_refused() {
    let mut text = String::new();
    for index in 0..5000 {
        let next = index + 1;
        text.push_str(&format!("variable \"a{index}\" {{ default = a{next} }}\n"));
    }
    text.push_str("variable \"a5000\" { default = 1 }\n");
    assert_eq!(refused(&text), Kind::Limit);
}

#[test]
fn bases_that_are_named_twice_cost_nothing() {
    let mut text = "target \"a0\" { policy = [\"strict=true\"] }\n".to_owned();
    for index in 1..10 {
        let base = index - 1;
        text.push_str(&format!(
            "target \"a{index}\" {{ inherits = [\"a{base}\"] }}\n"
        ));
    }
    text.push_str("group \"default\" { targets = [\"a9\"] }\n");
    let plan = answer("docker-bake.hcl", &text, &[]).unwrap();
    assert_eq!(plan.matches("Strict").count(), 1);
}
