//! Tests of explanations.

use super::{Query, QueryError, explain};
use crate::files::{Environment, InputFile, Isolated};
use crate::{Evaluation, Options, evaluate};

fn files(texts: &[(&str, &str)]) -> Vec<InputFile> {
    let file = |(name, text): &(&str, &str)| InputFile {
        name: (*name).to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    texts.iter().map(file).collect()
}

fn evaluated(files: &[InputFile], environment: &Environment) -> Evaluation {
    evaluate(files, environment, &Isolated, &Isolated, Options::default()).unwrap()
}

fn explained(texts: &[(&str, &str)], query: &str, set: &[&str], env: &[(&str, &str)]) -> String {
    let mut environment = Environment::default();
    for (name, value) in env {
        let map = match name.strip_prefix("--var ") {
            Some(name) => environment.overrides.insert(name.into(), (*value).into()),
            None => environment
                .variables
                .insert((*name).into(), (*value).into()),
        };
        assert_eq!(map, None);
    }
    let files = files(texts);
    let evaluation = evaluated(&files, &environment);
    let query = Query::parse(query, &evaluation).unwrap();
    let set: Vec<String> = set.iter().map(|text| (*text).to_owned()).collect();
    explain(&evaluation, query, &set, &environment, &files).to_string()
}

const FILE: &str = r#"variable "VERSION" { default = "${MAJOR}.0" }
variable "MAJOR" { default = "1" }
function "tag" {
  params = [name]
  result = "${name}:${VERSION}"
}
target "_base" {
  tags = ["base"]
  args = { A = "1", B = "2" }
  labels = { x = "y" }
}
target "app" {
  inherits = ["_base"]
  tags = [tag("app")]
  args = { A = MAJOR }
  pull = null
}
target "m" {
  name = "m-${v}"
  matrix = { v = ["a", "b"] }
  args = { V = v, T = target.app.tags[0] }
}
"#;

const NAME: &str = "docker-bake.hcl";

#[test]
fn an_own_value_replaces_an_inherited_one_and_variables_are_followed() {
    assert_eq!(
        explained(&[(NAME, FILE)], "app.tags", &[], &[("MAJOR", "7")]),
        r#"  counts    docker-bake.hcl:14  tags = [tag("app")]
              tag() : function at docker-bake.hcl:3
                VERSION = "7.0": default at docker-bake.hcl:1
                  MAJOR = "7": variable MAJOR of the environment
  replaced  docker-bake.hcl:8  tags = ["base"]  (inherited from _base)
"#
        .replace("() :", "():")
    );
}

#[test]
fn one_argument_comes_from_one_place() {
    let given = [("--var MAJOR", "9")];
    assert_eq!(
        explained(&[(NAME, FILE)], "app.args.A", &["*.args.A=5"], &given),
        r#"  counts    --set *.args.A=5
  replaced  docker-bake.hcl:15  args = { A = MAJOR }
              MAJOR = "9": given with --var
  replaced  --set *.args.A=5  (inherited from _base)
  replaced  docker-bake.hcl:9  args = { A = "1", B = "2" }  (inherited from _base)
"#
    );
    assert_eq!(
        explained(&[(NAME, FILE)], "app.args.B", &[], &[]),
        "  counts    docker-bake.hcl:9  args = { A = \"1\", B = \"2\" }  (inherited from _base)\n"
    );
}

#[test]
fn overrides_that_add_leave_what_files_say() {
    let adds = explained(&[(NAME, FILE)], "app.tags", &["app.tags+=x"], &[]);
    assert!(
        adds.starts_with("  counts    --set app.tags+=x\n  counts    docker"),
        "{adds}"
    );
    let both = ["app.tags+=x", "app.tags=y"];
    let replaces = explained(&[(NAME, FILE)], "app.tags", &both, &[]);
    assert!(
        replaces.starts_with(
            "  counts    --set app.tags=y\n  counts    --set app.tags+=x\n  replaced  docker"
        ),
        "{replaces}"
    );
}

#[test]
fn null_adds_nothing_and_defaults_are_listed() {
    assert_eq!(
        explained(&[(NAME, FILE)], "app.pull", &[], &[]),
        "  not set\n"
    );
    assert_eq!(
        explained(&[(NAME, FILE)], "app.context", &[], &[]),
        "  default   nothing sets it\n"
    );
}

#[test]
fn a_matrix_and_other_targets_are_named() {
    assert_eq!(
        explained(&[(NAME, FILE)], "m-b.args", &[], &[]),
        r#"  counts    docker-bake.hcl:21  args = { V = v, T = target.app.tags[0] }
              v: matrix at docker-bake.hcl:20
              target.app.tags: set at docker-bake.hcl:14
                tag(): function at docker-bake.hcl:3
                  VERSION = "1.0": default at docker-bake.hcl:1
                    MAJOR = "1": default at docker-bake.hcl:2
"#
    );
}

#[test]
fn compose_files_and_bake_files_are_one_story() {
    let compose = "services:\n  app:\n    image: app:${TAG}\n    build:\n      context: .\n      \
                   args:\n        - A=1\n        - B=$TAG\n";
    let hcl = "target \"app\" { args = { A = \"2\" } }\n";
    let texts = [("compose.yaml", compose), (NAME, hcl)];
    assert_eq!(
        explained(&texts, "app.args.A", &[], &[]),
        "  counts    docker-bake.hcl:1  target \"app\" { args = { A = \"2\" } }\n  replaced  \
         compose.yaml:7  - A=1\n"
    );
    assert_eq!(
        explained(&texts, "app.tags", &[], &[("TAG", "3")]),
        "  counts    compose.yaml:3  image: app:${TAG}\n              TAG = \"3\": variable TAG \
         of the environment\n"
    );
}

#[test]
fn circles_end() {
    let file = "target \"a\" { inherits = [\"b\"] }\ntarget \"b\" {\n  inherits = [\"a\"]\n  \
                tags = [\"t\"]\n}\n";
    assert_eq!(
        explained(&[(NAME, file)], "a.tags", &[], &[]),
        "  counts    docker-bake.hcl:4  tags = [\"t\"]  (inherited from b)\n"
    );
}

#[test]
fn questions_about_what_is_not_there_are_refused() {
    let files = files(&[(NAME, FILE)]);
    let evaluation = evaluated(&files, &Environment::default());
    let error = |text: &str| Query::parse(text, &evaluation).unwrap_err();
    let near = |near: &str| Some(near.to_owned());
    assert_eq!(
        error("ap.tags"),
        QueryError::UnknownTarget {
            name: "ap".into(),
            nearest: near("app")
        }
    );
    assert_eq!(
        error("app.tag"),
        QueryError::UnknownAttribute {
            name: "tag".into(),
            nearest: near("tags")
        }
    );
    assert_eq!(error("app"), QueryError::NoAttribute { text: "app".into() });
    assert_eq!(
        error("app.tags.x"),
        QueryError::NoEntries {
            attribute: "tags".into()
        }
    );
    assert_eq!(
        Query::parse("app.platform", &evaluation).unwrap().attribute,
        "platforms"
    );
}
