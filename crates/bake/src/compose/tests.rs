//! Compose projects as a whole, from files in memory.

use std::collections::BTreeMap;

use super::*;

/// Files by path, and a fixed host.
#[derive(Default)]
struct Memory(BTreeMap<&'static str, String>);

impl FileReader for Memory {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        match self.0.get(path) {
            Some(text) => Ok(text.clone().into_bytes()),
            None if self
                .0
                .keys()
                .any(|known| known.starts_with(&format!("{path}/"))) =>
            {
                Err(ReadError::IsDirectory)
            }
            None => Err(ReadError::NotFound),
        }
    }

    fn working_directory(&self) -> &str {
        "/work"
    }
}

impl Host for Memory {
    fn now(&self) -> (i64, u32) {
        (0, 0)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn home_directory(&self) -> Option<String> {
        Some("/home/me".to_owned())
    }
}

fn project(
    files: &[(&'static str, &str)],
    names: &[&str],
    variables: &[(&str, &str)],
) -> Result<Definition, Diagnostic> {
    let memory = Memory(
        files
            .iter()
            .map(|(name, text)| (*name, (*text).to_owned()))
            .collect(),
    );
    let files: Vec<InputFile> = names
        .iter()
        .map(|name| InputFile {
            name: (*name).to_owned(),
            bytes: memory.read(name).expect("the test gives this file"),
        })
        .collect();
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables = variables.iter().map(pair).collect();
    let environment = Environment {
        variables,
        ..Environment::default()
    };
    load(&files, &environment, &memory, &memory)
}

fn one(text: &str) -> Result<Definition, Diagnostic> {
    project(&[("compose.yaml", text)], &["compose.yaml"], &[])
}

fn message(text: &str) -> String {
    one(text).unwrap_err().message.clone()
}

#[test]
fn a_build_section_becomes_a_target() {
    let text = "
services:
  web.app:
    image: reg/web:1
    build:
      context: ./web
      args: {A: 1.50, B: true, C: }
      extra_hosts: ['h=1.1.1.1', 'h:2.2.2.2', 'v6=[::1]']
      ulimits: {nofile: 5, nproc: {soft: 1, hard: 2}}
      shm_size: 1.5g
      additional_contexts: {b: 'service:db.main'}
      ssh: [default, k=~/key]
      secrets: [s]
  db.main: {build: {dockerfile_inline: FROM scratch}}
  plain: {image: redis}
secrets: {s: {environment: S}}
";
    let definition = one(text).unwrap();
    assert_eq!(definition.groups[0].targets, ["db_main", "web_app"]);
    let web = &definition.targets[1];
    assert_eq!(web.context.as_deref(), Some("web"));
    assert_eq!(web.tags.as_deref(), Some(&["reg/web:1".to_owned()][..]));
    let args: Vec<_> = web.args.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(args, ["A=1.5", "B=true"]);
    assert_eq!(web.extra_hosts["h"], "1.1.1.1,2.2.2.2");
    assert_eq!(web.extra_hosts["v6"], "::1");
    assert_eq!(web.ulimits, ["nofile=0:0", "nproc=1:2"]);
    assert_eq!(web.shm_size.as_deref(), Some("1.5GiB"));
    assert_eq!(web.contexts["b"], "target:db_main");
    assert_eq!(web.ssh[1].paths, ["/home/me/key"]);
    assert_eq!(web.secrets[0].variable, "S");
    assert_eq!(definition.targets[0].context.as_deref(), Some("."));
}

#[test]
fn a_project_that_builds_nothing_has_an_unset_group() {
    let definition = one("services: {s: {image: redis}}").unwrap();
    assert!(definition.groups[0].is_unset && definition.targets.is_empty());
    assert!(one("services: {}").unwrap().groups.is_empty());
}

#[test]
fn services_extend_each_other_and_other_files() {
    let files = [
        (
            "compose.yaml",
            "services:\n  a: {extends: b, build: {args: {X: a}}}\n  b:\n    extends: \
             {file: sub/base.yaml, service: base}\n",
        ),
        (
            "sub/base.yaml",
            "services:\n  base: {extends: root, build: {args: {Y: base}}}\n  root: {build: \
             {context: ./ctx, args: {X: root}}}\n",
        ),
    ];
    let definition = project(&files, &["compose.yaml"], &[]).unwrap();
    let a = &definition.targets[0];
    assert_eq!(a.context.as_deref(), Some("sub/ctx"));
    assert_eq!((a.args["X"].as_str(), a.args["Y"].as_str()), ("a", "base"));
}

#[test]
fn includes_bring_their_services_and_variables() {
    let files = [
        (
            "compose.yaml",
            "include: [inc/compose.yaml]\nservices: {s: {build: .}}\n",
        ),
        (
            "inc/compose.yaml",
            "services: {i: {build: {context: ./c, args: {V: $V, W: $W}}}}",
        ),
        ("inc/.env", "V=inner\nW=${V}-w\n"),
    ];
    let definition = project(&files, &["compose.yaml"], &[("V", "outer")]).unwrap();
    let included = &definition.targets[0];
    assert_eq!(included.context.as_deref(), Some("inc/c"));
    assert_eq!(included.args["V"], "outer");
    assert_eq!(included.args["W"], "outer-w");
}

#[test]
fn files_merge_and_reset() {
    let files = [
        (
            "a.yaml",
            "services: {s: {build: {context: a, tags: [x], args: {A: 1}}}, t: {build: .}}",
        ),
        (
            "b.yaml",
            "services: {s: {build: {tags: !override [y], args: [B=2]}}, t: !reset null}",
        ),
    ];
    let definition = project(&files, &["a.yaml", "b.yaml"], &[]).unwrap();
    assert_eq!(definition.targets.len(), 1);
    let target = &definition.targets[0];
    assert_eq!(target.tags.as_deref(), Some(&["y".to_owned()][..]));
    assert_eq!(target.args.len(), 2);
}

#[test]
fn mistakes_are_refused_in_plain_words() {
    for (text, expected) in [
        (
            "services: {s: {build: {bogus: 1}}}",
            "services.s.build has no attribute \"bogus\"",
        ),
        (
            "services: {s: {}}",
            "service s has neither an image nor a build",
        ),
        (
            "services: {'a b': {build: .}}",
            "services: the name \"a b\" may have",
        ),
        ("[]", "a compose file must be a mapping, not a list"),
        ("volumes: {}", "the compose file has no services"),
        (
            "services: {s: {build: {secrets: [x]}}}",
            "service s uses an unknown secret \"x\"",
        ),
        (
            "services: {s: {build: {context: ., shm_size: lots}}}",
            "services.s.build.shm_size: \"lots\" is not a size",
        ),
        (
            "services: {s: {build: {additional_contexts: {a: 'service:t'}}}, t: {image: x}}",
            "context a of service s: t is not built",
        ),
        (
            "services: {s: {env_file: no.env, image: x}}",
            "cannot read no.env: no such file",
        ),
        (
            "services: {s: {extends: t}, t2: {image: x}}",
            "service s extends t, which",
        ),
        (
            "include: x\nservices: {}",
            "include must be a list, not text",
        ),
    ] {
        let message = message(text);
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn cycles_are_refused() {
    assert!(message("services: {a: {extends: b}, b: {extends: a}}").contains("extend each other"));
    let include = "include: [compose.yaml]\nservices: {s: {build: .}}";
    assert!(message(include).contains("include each other"));
    let extends = "services: {s: {extends: {file: compose.yaml, service: s}}}";
    assert!(message(extends).contains("extend each other"));
}

#[test]
fn exponential_includes_and_long_chains_end_with_an_error() {
    let mut files: Vec<(&'static str, String)> = Vec::new();
    let names: Vec<&'static str> = (0..25)
        .map(|n| &*Box::leak(format!("f{n}.yaml").into_boxed_str()))
        .collect();
    for (index, name) in names.iter().enumerate() {
        let next = names
            .get(index + 1)
            .map(|next| format!("include: [{next}, ./{next}]\n"));
        files.push((
            name,
            format!(
                "{}services: {{s{index}: {{build: .}}}}",
                next.unwrap_or_default()
            ),
        ));
    }
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let error = project(&files, &["f0.yaml"], &[]).unwrap_err();
    assert_eq!(error.kind, crate::Kind::Limit);

    let mut text = String::from("services:\n  s0: {build: .}\n");
    for n in 1..1000 {
        text.push_str(&format!("  s{n}: {{extends: s{}}}\n", n - 1));
    }
    assert_eq!(one(&text).unwrap().targets.len(), 1000);
}

#[test]
fn x_bake_adds_to_the_build_section() {
    let text = "
services:
  s:
    build:
      tags: [t:0]
      x-bake:
        tags: [t:1, t:0]
        platforms: linux/arm64 linux/amd64
        output: [type=docker]
        pull: yes
        contexts: {t: 'target:a.b'}
        secret: ['id=x,src=y', 'id=x,env=Z']
        unknown: 1
";
    let definition = one(text).unwrap();
    let target = &definition.targets[0];
    assert_eq!(target.tags.as_ref().unwrap().join(" "), "t:0 t:1");
    assert_eq!(
        target.platforms.as_ref().unwrap().join(" "),
        "linux/arm64 linux/amd64"
    );
    assert_eq!(target.pull, Some(true));
    assert_eq!(target.contexts["t"], "target:a_b");
    assert_eq!(target.secrets.len(), 1);
    assert!(message("services: {s: {build: {x-bake: {pull: maybe}}}}").contains("a boolean"));
    assert!(message("services: {s: {build: {x-bake: [a]}}}").contains("a mapping"));
}

proptest::proptest! {
    #[test]
    fn any_text_gives_the_same_answer_twice(text in "[a-z:{}\\[\\]&*!<>|$\"' \n-]{0,200}") {
        proptest::prop_assert_eq!(one(&text), one(&text));
    }

    #[test]
    fn any_service_gives_an_answer(
        key in "build|image|env_file|extends|environment|ports|volumes|x-bake",
        value in "\\PC{0,40}",
    ) {
        let _ = one(&format!("services:\n  s:\n    {key}: {value}\n"));
    }
}
