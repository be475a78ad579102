//! Tests of findings.

use super::findings;
use crate::files::{Environment, InputFile, Isolated};
use crate::{Options, evaluate};

fn found(name: &str, text: &str) -> Vec<String> {
    let file = InputFile {
        name: name.into(),
        bytes: text.as_bytes().to_vec(),
    };
    let environment = Environment::default();
    let evaluation = evaluate(
        &[file],
        &environment,
        &Isolated,
        &Isolated,
        Options::default(),
    )
    .unwrap();
    let targets = evaluation.definition.targets.iter();
    let names: Vec<String> = targets.map(|target| target.name.clone()).collect();
    let plan = evaluation.plan(&names, &[], &environment).unwrap();
    let found = findings(&evaluation, &plan).into_iter().map(|finding| {
        let line = finding.span.map_or(0, |span| span.start.line);
        format!("{line} {}: {}", finding.rule.name(), finding.message)
    });
    found.collect()
}

fn hcl(text: &str) -> Vec<String> {
    found("docker-bake.hcl", text)
}

#[test]
fn unknown_names_are_found_with_the_nearest() {
    let text = "target \"a\" {\n  tag = [\"x\"]\n  args { A = 1 }\n  matrix = \
                {}\n}\ntargets \"b\" {}\n\
                variable \"V\" { defualt = 1 }\ngroup \"g\" {\n  targets = \
                [V, \"a\"]\n  description = \"\"\n}\n";
    let text = text.replace("V, ", "");
    assert_eq!(
        hcl(&text),
        [
            "2 UnknownAttribute: a target has no attribute \"tag\": did you mean \"tags\"?",
            "3 UnknownBlock: args of a target is an attribute: write args = { … }",
            "6 UnknownBlock: bake has no block \"targets\": did you mean \"target\"?",
            "7 UnusedVariable: variable V is not used",
            "7 UnknownAttribute: a variable has no attribute \"defualt\": did you mean \
             \"default\"?",
        ]
    );
}

#[test]
fn a_variable_is_used_if_a_target_leads_to_it() {
    let text = r#"variable "A" { default = B }
variable "B" {}
variable "C" { default = D }
variable "D" {}
function "f" {
  params = []
  result = E
}
variable "E" {}
function "g" {
  params = []
  result = "x"
}
top = "x"
target "default" { tags = [A, f()] }
"#;
    assert_eq!(
        hcl(text),
        [
            "3 UnusedVariable: variable C is not used",
            "4 UnusedVariable: variable D is not used",
            "10 UnusedFunction: function g is not used",
            "14 UnusedVariable: top is not used",
        ]
    );
}

#[test]
fn a_target_is_used_by_groups_links_inheritance_and_references() {
    let text = r#"group "default" { targets = ["app"] }
target "app" {
  inherits = ["_base"]
  contexts = { base = "target:base" }
  args = { X = target.values.tags[0] }
}
target "_base" {}
target "base" {}
target "values" { tags = ["v"] }
target "lint" { description = "run it by hand" }
target "lost" {}
"#;
    assert_eq!(
        hcl(text),
        ["11 UnusedTarget: target lost is in no group, and no other target uses it"]
    );
    assert_eq!(hcl("target \"a\" {}\ntarget \"b\" {}\n"), [""; 0]);
}

#[test]
fn tags_are_shared_within_a_group_or_if_both_set_them() {
    let shared = "targets a and b have the same tag x:1";
    let grouped = "group \"default\" { targets = [\"a\", \"in\"] }\ngroup \"in\" { targets = \
                   [\"b\"] }\ntarget \"a\" { tags = [\"x:1\"] }\ntarget \"b\" { inherits = [\"a\"] \
                   }\n";
    assert_eq!(hcl(grouped), [format!("4 SharedTag: {shared}")]);
    let apart = "target \"a\" { tags = [\"x:1\"] }\ntarget \"b\" { inherits = [\"a\"] }\n";
    assert_eq!(hcl(apart), [""; 0]);
    let both = "target \"a\" { tags = [\"x:1\"] }\ntarget \"b\" { tags = [\"x:1\"] }\n";
    assert_eq!(hcl(both), [format!("2 SharedTag: {shared}")]);
}

#[test]
fn a_linked_target_lacks_a_platform() {
    let text = "target \"a\" {\n  contexts = { b = \"target:b\" }\n  platforms = \
                [\"linux/arm64\"]\n}\n\
                target \"b\" { platforms = [\"linux/amd64\"] }\n";
    assert_eq!(
        hcl(text),
        ["3 PlatformOfBase: target a is built for linux/arm64, but uses b, which is not"]
    );
}

#[test]
fn unknown_keys_of_x_bake_are_found() {
    let text =
        "services:\n  a:\n    build:\n      context: .\n      x-bake:\n        platform: x\n";
    assert_eq!(
        found("compose.yaml", text),
        ["6 UnknownAttribute: x-bake of a has no key \"platform\": did you mean \"platforms\"?"]
    );
}
