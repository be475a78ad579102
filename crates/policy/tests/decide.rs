//! Policies for sources: their decisions, and the information that they request.
#![allow(clippy::unwrap_used, reason = "a test")]

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
fn a_field_after_another_name_is_asked_for() {
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
    let messages = decision.deny_messages.iter();
    let messages: Vec<String> = messages
        .map(|message| format!("{}: {}", message.place.as_ref().unwrap(), message.text))
        .collect();
    assert_eq!(
        messages,
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
    let text = "decision := {\"allow\": true} \
        if not verify_http_pgp_signature(input.http, \"a\", \"b\")";
    let answer = ask(&policy(text), &Source::new("https://example.com/a")).answer;
    assert!(matches!(answer, Answer::Decision(d) if !d.is_allowed()));
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

#[test]
fn the_default_policy_wants_signatures_of_docker_s_images() {
    let mut loader = Loader::new();
    loader
        .add(
            solvekit_policy::DEFAULT_POLICY_FILE,
            solvekit_policy::DEFAULT_POLICY,
        )
        .unwrap();
    let policy = loader.finish(Settings::default()).unwrap();
    let unsigned = ImageFacts {
        chain: Some(solvekit_policy::Chain::default()),
        ..ImageFacts::default()
    };
    for (image, is_allowed) in [
        ("docker/dockerfile:1", false),
        ("docker/dockerfile:labs", false),
        ("docker/dockerfile:1.21.0-labs", false),
        ("docker/dockerfile-upstream:2", false),
        ("docker/dockerfile:1.20", true),
        ("docker/dockerfile:other", true),
        ("docker/buildkit-syft-scanner:latest", false),
        ("docker/buildkit-syft-scanner:1.9", true),
        ("moby/buildkit:v0.27.0-rootless", false),
        ("moby/buildkit:buildx-stable-1", false),
        ("moby/buildkit:v0.26.3", true),
        ("moby/buildkit:master-cache", true),
        ("library/alpine:latest", true),
    ] {
        let mut source = Source::new(format!("docker-image://docker.io/{image}"));
        source.image = Some(unsigned.clone());
        let Answer::Decision(decision) = ask(&policy, &source).answer else {
            panic!("{image}")
        };
        assert_eq!(decision.is_allowed(), is_allowed, "{image}");
        let messages = decision
            .deny_messages
            .first()
            .map(|message| message.text.as_str());
        let messages = messages.unwrap_or_default();
        assert_eq!(
            messages.contains("is not allowed by default policy"),
            !is_allowed,
            "{image}"
        );
    }
}

#[test]
fn signatures_that_are_not_verified_deny() {
    let text = "decision := {\"allow\": count(input.image.signatures) == 0}\n\
                decision := {\"allow\": true} if not input.image.signatures";
    let mut source = Source::new(ALPINE);
    let chain = |signatures: &[&str]| solvekit_policy::Chain {
        attestation_manifest: DIGEST.to_owned(),
        signature_manifests: signatures.iter().map(|&text| text.to_owned()).collect(),
        attestations: Vec::new(),
    };
    for (signatures, expected) in [(&[][..], Action::Allow), (&[DIGEST][..], Action::Deny)] {
        source.image = Some(ImageFacts {
            chain: Some(chain(signatures)),
            ..ImageFacts::default()
        });
        assert_eq!(action(text, &source), expected);
    }
}

#[test]
fn provenance_is_read_with_its_materials() {
    let statement = br#"{"predicateType":"https://slsa.dev/provenance/v1","predicate":{
        "buildDefinition":{"buildType":"t","externalParameters":{
            "configSource":{"uri":"https://github.com/a/b.git"},
            "request":{"frontend":"dockerfile.v0","args":{"build-arg:V":"1"}}},
        "resolvedDependencies":[{"uri":"pkg:docker/alpine@3.20?platform=linux%2Farm64",
            "digest":{"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}},
            {"uri":"https://github.com/a/b.git#main"},{"uri":"mailto:x"}]},
        "runDetails":{"builder":{"id":"b"},
            "metadata":{"startedOn":"2026-01-02T03:04:05.6+01:00"}}}}"#;
    let mut source = Source::new(ALPINE);
    source.image = Some(ImageFacts {
        chain: Some(solvekit_policy::Chain {
            attestations: vec![(
                "https://slsa.dev/provenance/v1".to_owned(),
                statement.to_vec(),
            )],
            ..solvekit_policy::Chain::default()
        }),
        ..ImageFacts::default()
    });
    let platform = Platform::parse("linux/amd64").unwrap();
    let described = source.describe(Some(&platform)).unwrap();
    let json = serde_json::to_value(&described.input).unwrap();
    let provenance = &json["image"]["provenance"];
    assert_eq!(provenance["buildArgs"]["V"], "1");
    assert_eq!(provenance["startedOn"], "2026-01-02T02:04:05Z");
    let materials = provenance["materials"].as_array().unwrap();
    assert_eq!(materials.len(), 2);
    assert_eq!(
        materials[0]["image"]["ref"],
        format!("docker.io/library/alpine:3.20@{DIGEST}")
    );
    assert_eq!(materials[0]["image"]["platform"], "linux/arm64");
    assert_eq!(materials[1]["git"]["remote"], "https://github.com/a/b.git");
    let text =
        "decision := {\"allow\": input.image.provenance.materials[0].image.labels.x == \"1\"}";
    let error = ask_with(&policy(text), &source, &Files::new()).unwrap_err();
    assert!(matches!(error, Error::Material { .. }), "{error}");
    let text = "decision := {\"allow\": allow}\n\
        allow if input.image.provenance.materials[_].git.host == \"github.com\"";
    assert_eq!(action(text, &source), Action::Allow);
}

#[test]
fn a_commit_is_described_and_checked() {
    let commit = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\
        author A <a@example.com> 1700000000 +0100\n\
        committer B <b@example.com> 1700000000 +0000\n\nhello\n";
    let mut source = Source::new("git://github.com/a/b.git#main:sub/dir");
    source.git = Some(solvekit_policy::GitFacts {
        checksum: "2f2c3da3e7a8a4f2f7ef6c6a0f2b2b1a4b9a1a11".to_owned(),
        reference: "refs/heads/main".to_owned(),
        commit_object: commit.to_vec(),
        ..solvekit_policy::GitFacts::default()
    });
    let error = source.describe(None).unwrap_err().to_string();
    let (_, actual) = error.split_once("has the checksum ").unwrap();
    source.git.as_mut().unwrap().checksum = actual.to_owned();
    let described = source.describe(None).unwrap();
    let git = described.input.git.unwrap();
    assert_eq!(
        (git.branch.as_str(), git.sub_dir.as_str()),
        ("main", "sub/dir")
    );
    let commit = git.commit.unwrap();
    assert_eq!(commit.message, "hello");
    assert_eq!(
        commit.author.when.as_deref(),
        Some("2023-11-14T23:13:20+01:00")
    );
    assert_eq!(
        commit.committer.when.as_deref(),
        Some("2023-11-14T22:13:20Z")
    );
    assert!(described.unknown.is_empty());
}

#[test]
fn a_commit_is_allowed_by_the_key_that_signed_it() {
    const KEY: &str = "default allow := false\n\
        allow if verify_git_signature(input.git.commit, \"key.pub\")\n\
        decision := {\"allow\": allow}";
    let commit = include_bytes!("../src/ssh_signature/fixtures/commit");
    let decide = |text: &str, object: &[u8], key: &[u8]| {
        let mut source = Source::new("git://github.com/a/b.git#main");
        source.git = Some(solvekit_policy::GitFacts {
            checksum: "0".repeat(40),
            reference: "refs/heads/main".to_owned(),
            commit_object: object.to_vec(),
            ..solvekit_policy::GitFacts::default()
        });
        let error = source.describe(None).unwrap_err().to_string();
        let (_, actual) = error.split_once("has the checksum ").unwrap();
        source.git.as_mut().unwrap().checksum = actual.to_owned();
        let mut files = Files::default();
        files.insert("key.pub".to_owned(), Some(Arc::from(key)));
        match ask_with(&policy(text), &source, &files).unwrap().answer {
            Answer::Decision(decision) => decision,
            Answer::Needs(needs) => panic!("{needs:?}"),
        }
    };
    let own: &[u8] = include_bytes!("../src/ssh_signature/fixtures/ed25519.pub");
    let other: &[u8] = include_bytes!("../src/ssh_signature/fixtures/rsab2048.pub");
    assert_eq!(decide(KEY, commit, own).action(), Action::Allow);
    assert_eq!(decide(KEY, commit, other).action(), Action::Deny);
    let changed = String::from_utf8_lossy(commit).replace("signed commit", "changed");
    assert_eq!(decide(KEY, changed.as_bytes(), own).action(), Action::Deny);
    // A signature that cannot be checked denies the source, whatever the policy decides.
    let commit = include_bytes!("../src/pgp/fixtures/commit");
    let own: &[u8] = include_bytes!("../src/pgp/fixtures/ed25519.pub");
    let other: &[u8] = include_bytes!("../src/pgp/fixtures/rsa.pub");
    let not = format!("{KEY}\nallow if not verify_git_signature(input.git.commit, \"key.pub\")");
    assert_eq!(decide(KEY, commit, own).action(), Action::Allow);
    assert_eq!(decide(KEY, commit, other).action(), Action::Deny);
    assert_eq!(decide(&not, commit, other).action(), Action::Allow);
    let unsupported = include_str!("../src/pgp/fixtures/p521.sig");
    let p521: &[u8] = include_bytes!("../src/pgp/fixtures/p521.pub");
    let text = String::from_utf8_lossy(commit);
    let (before, rest) = text.split_once("-----BEGIN PGP").unwrap();
    let (_, after) = rest.split_once("END PGP SIGNATURE-----\n").unwrap();
    let indented = unsupported.trim_end().replace('\n', "\n ");
    let object = format!("{before}{indented}\n{after}");
    let denied = decide(&not, object.as_bytes(), p521);
    assert_eq!(denied.action(), Action::Deny);
    assert!(
        format!("{denied:?}").contains("PGP keys of this kind are not supported"),
        "{denied:?}"
    );
}
