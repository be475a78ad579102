//! Policies about sources: what is decided, and what is asked for first.

use std::sync::Arc;

use solvekit_policy::{
    Action, Answer, Error, Evaluation, Files, ImageFacts, Loader, Needs, Platform, Policy,
    Settings, Source,
};

const ALPINE: &str = "docker-image://docker.io/library/alpine:3.20";
const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn policy(text: &str) -> Policy {
    load(text).unwrap()
}

fn load(text: &str) -> Result<Policy, Error> {
    let mut loader = Loader::new();
    loader.add("Dockerfile.rego", &format!("package docker\n{text}"))?;
    loader.finish(Settings::default())
}

fn ask(policy: &Policy, source: &Source) -> Evaluation {
    ask_with(policy, source, &Files::default()).unwrap()
}

fn ask_with(policy: &Policy, source: &Source, files: &Files) -> Result<Evaluation, Error> {
    let platform = Platform::parse("linux/amd64").unwrap();
    policy.decide(source, Some(&platform), files)
}

fn action(text: &str, source: &Source) -> Action {
    match ask(&policy(text), source).answer {
        Answer::Decision(decision) => decision.action(),
        Answer::Needs(needs) => panic!("{needs:?}"),
    }
}

fn needs(text: &str, source: &Source) -> Needs {
    match ask(&policy(text), source).answer {
        Answer::Needs(needs) => needs,
        Answer::Decision(decision) => panic!("{decision:?}"),
    }
}

fn fields(needs: &Needs) -> Vec<&str> {
    needs.fields.iter().map(String::as_str).collect()
}

fn with_config(config: &str) -> Source {
    let mut source = Source::new(ALPINE);
    source.image = Some(ImageFacts {
        digest: DIGEST.to_owned(),
        config: Some(config.as_bytes().to_vec()),
        chain: None,
    });
    source
}

#[test]
fn the_name_of_an_image_decides() {
    let text = r#"decision := {"allow": input.image.repo == "alpine"}"#;
    assert_eq!(action(text, &Source::new(ALPINE)), Action::Allow);
    let busybox = Source::new("docker-image://docker.io/library/busybox:latest");
    assert_eq!(action(text, &busybox), Action::Deny);
}

#[test]
fn an_unknown_field_is_asked_for_and_then_decides() {
    let text = r#"
decision := {"allow": allow}
default allow := false
allow if input.image.labels.team == "core""#;
    let needed = needs(text, &Source::new(ALPINE));
    assert_eq!(fields(&needed), ["image.labels"]);
    assert!(needed.request.image_config);
    let source = with_config(r#"{"config":{"Labels":{"team":"core"}}}"#);
    assert_eq!(action(text, &source), Action::Allow);
    let source = with_config(r#"{"config":{"Labels":{"team":"other"}}}"#);
    assert_eq!(action(text, &source), Action::Deny);
}

#[test]
fn a_field_behind_another_name_is_asked_for() {
    for text in [
        "found := input.image\ndecision := {\"allow\": found.labels.x == \"1\"}",
        "f(i) if i.labels.x\ndecision := {\"allow\": f(input.image)}",
        "decision := {\"allow\": true} if { some k, v in input.image[\"labels\"]; k == v }",
        "decision := {\"allow\": true} if { i := input; not i.image.labels.bad }",
        "decision := {\"allow\": count([l | l := input.image.labels[_]]) == 0}",
        "g(x) := x\ndecision := {\"allow\": g(input.image).labels.x}",
        "decision := {\"allow\": [input.image][0].labels.x}",
        "decision := {\"allow\": {\"a\": input.image}.a.labels.x}",
        "decision := {\"allow\": true} if every l in input.image.labels { l != \"\" }",
    ] {
        let needed = needs(text, &Source::new(ALPINE));
        assert_eq!(fields(&needed), ["image.labels"], "{text}");
    }
}

#[test]
fn nothing_is_asked_for_a_source_that_its_name_denies() {
    let text = r#"
decision := {"allow": allow}
default allow := false
allow if { input.image.repo == "busybox"; input.image.labels.x == "1" }"#;
    assert_eq!(action(text, &Source::new(ALPINE)), Action::Deny);
}

#[test]
fn a_message_has_the_line_of_its_rule() {
    let text = r#"
deny_msg contains msg if {
	input.image.tag == "3.20"
	msg := sprintf("%s is too old", [input.image.ref])
}
deny_msg contains "never" if input.image
decision := {"allow": count(deny_msg) == 0, "deny_msg": deny_msg}"#;
    let Answer::Decision(decision) = ask(&policy(text), &Source::new(ALPINE)).answer else {
        panic!()
    };
    let said = decision.deny_messages.iter();
    let said: Vec<String> = said
        .map(|message| format!("{}: {}", message.place.as_ref().unwrap(), message.text))
        .collect();
    assert_eq!(
        said,
        [
            "Dockerfile.rego:3: docker.io/library/alpine:3.20 is too old",
            "Dockerfile.rego:7: never"
        ]
    );
    assert_eq!(decision.place.unwrap().to_string(), "Dockerfile.rego:8");
}

#[test]
fn an_image_is_pinned() {
    let text =
        format!("decision := {{\"allow\": allow}}\nallow if pin_image(input.image, \"{DIGEST}\")");
    let pinned = Action::Pin(DIGEST.to_owned());
    assert_eq!(action(&text, &Source::new(ALPINE)), pinned);
    let other = Source::new("local://context");
    assert_eq!(
        action(
            "allow if pin_image(input.image, \"x\")\ndecision := {}",
            &other
        ),
        Action::Deny
    );
}

#[test]
fn a_file_is_asked_for_and_read() {
    let text = r#"decision := {"allow": input.image.repo in load_json("allowed.json").images}"#;
    let needed = needs(text, &Source::new(ALPINE));
    assert!(needed.files.contains("allowed.json") && needed.request.is_empty());
    let mut files = Files::new();
    files.insert(
        "allowed.json".into(),
        Some(Arc::from(&br#"{"images":["alpine"]}"#[..])),
    );
    let source = Source::new(ALPINE);
    let evaluation = ask_with(&policy(text), &source, &files).unwrap();
    assert!(matches!(evaluation.answer, Answer::Decision(d) if d.is_allowed()));
    files.insert("allowed.json".into(), None);
    let evaluation = ask_with(&policy(text), &source, &files).unwrap();
    assert_eq!(evaluation.log, ["failed opening file \"allowed.json\""]);
    assert!(matches!(evaluation.answer, Answer::Decision(d) if !d.is_allowed()));
}

#[test]
fn what_cannot_be_verified_denies() {
    for (text, source) in [(
        "decision := {\"allow\": true} if not verify_http_pgp_signature(input.http, \"a\", \"b\")",
        "https://example.com/a",
    )] {
        let answer = ask(&policy(text), &Source::new(source)).answer;
        assert!(
            matches!(answer, Answer::Decision(d) if !d.is_allowed()),
            "{text}"
        );
    }
}

#[test]
fn bad_policies_are_refused_with_their_place() {
    for (text, expected) in [
        ("allow if {", "cannot parse the policy: Dockerfile.rego:2"),
        (
            "allow if nope(1)",
            "Dockerfile.rego:2: undefined function nope",
        ),
        (
            "allow if http.send({})",
            "Dockerfile.rego:2: undefined function http.send",
        ),
        (
            "allow if __solvekit_read(input, \"a\")",
            "undefined function __solvekit_read",
        ),
        (
            "import data.lib.x\nallow := true",
            "import data.lib.x not found for module Dockerfile",
        ),
    ] {
        let error = load(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn policies_that_fail_do_not_decide() {
    for (text, expected) in [
        ("allow := true", "gave no decision"),
        (
            "decision := true",
            "invalid decision: expected an object, found true",
        ),
        (
            "decision := {\"allow\": 1}",
            "invalid allow: expected a boolean, found 1",
        ),
        (
            "decision := {\"caps\": {\"x\": true}}",
            "unknown policy cap \"x\"",
        ),
        ("decision := a\na := b\nb := a", "recursion"),
        ("f(x) := f(x - 1)\ndecision := {\"allow\": f(3)}", "recursi"),
        (
            "decision := {\"allow\": count(numbers.range(1, 1000000000000)) > 1}",
            "too many",
        ),
        ("decision := {\"allow\": 1 / 0 == 1}", "divide by zero"),
    ] {
        let error = load(text).and_then(|p| ask_with(&p, &Source::new(ALPINE), &Files::new()));
        let error = error.unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
