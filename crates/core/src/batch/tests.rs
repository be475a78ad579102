use serde_json::{Value, json};

use super::{Case, Offline, answer};

fn answered(case: &Value) -> Value {
    let case = Case::parse(&case.to_string()).unwrap();
    let text = case.text.clone().unwrap_or_default();
    answer(&case, text.as_bytes(), &Offline)
}

fn error(case: &Value) -> String {
    let answer = answered(case);
    answer["error"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn malformed_ignore_patterns_are_errors_even_if_nothing_is_copied() {
    const NOTHING: &str = "FROM scratch\nUSER a\n";
    for (pattern, reason) in [
        ("[", "\"[\""),
        ("a\\", "\"a\\\""),
        ("!", "\"!\""),
        ("a\n!\nb", "\"!\""),
    ] {
        for field in ["dockerignore", "dockerfile_dockerignore"] {
            let error = error(&json!({"text": NOTHING, field: pattern}));
            assert!(error.contains(reason), "{field} {pattern:?}: {error}");
        }
        let case = json!({"text": NOTHING, "dockerignore": pattern, "modes": ["lint"]});
        let linted = answered(&case);
        for mode in ["lint", "outline"] {
            assert!(!linted[mode]["error"].is_null(), "{mode} {pattern:?}");
        }
        assert!(linted["targets"]["error"].is_null(), "{pattern:?}");
    }
    let listed = error(&json!({"text": NOTHING, "excludes": ["a", "["]}));
    assert!(listed.contains("\"[\""), "{listed}");
    // For a context that is not a local folder, no ignore file is read.
    let context = json!({"context": "https://h/r.git"});
    let case = json!({"text": NOTHING, "opts": context, "dockerignore": "["});
    assert_eq!(error(&case), "");
    assert_eq!(
        error(&json!({"text": NOTHING, "dockerignore": "a\n!b\n"})),
        ""
    );
}

#[test]
fn a_download_is_an_archive_only_where_the_case_says_so() {
    let made = |archive: Option<bool>| {
        let mut case = json!({
            "text": "FROM scratch\nCOPY a /\n",
            "opts": {"context": "https://h/x.tar"},
        });
        if let Some(archive) = archive {
            case["context_archive"] = archive.into();
        }
        let answer = answered(&case);
        assert_eq!(answer["error"], Value::Null);
        let vertices = answer["vertices"].as_array().unwrap().clone();
        let unpacks = |vertex: &Value| {
            let actions = vertex["op"]["file"]["actions"].as_array();
            let actions = actions.into_iter().flatten();
            let mut copies =
                actions.map(|action| &action["copy"]["attemptUnpackDockerCompatibility"]);
            copies.any(|unpack| unpack == true)
        };
        vertices.iter().filter(|vertex| unpacks(vertex)).count()
    };
    assert_eq!((made(None), made(Some(false)), made(Some(true))), (0, 0, 1));
}

#[test]
fn a_file_without_stages_has_no_targets() {
    let answer = answered(&json!({"text": "ARG A=1\n", "modes": ["lint"]}));
    assert_eq!(answer["targets"], json!({"targets": null, "sources": null}));
    assert!(answer["error"].is_string());
    let answer = answered(&json!({"text": "FROM scratch\n", "modes": ["lint"]}));
    assert_eq!(
        answer["targets"]["targets"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn requests_are_checked_as_in_a_build() {
    for (name, value, reason) in [
        (
            "frontend.caps",
            "moby.buildkit.frontend.x",
            "moby.buildkit.frontend.x",
        ),
        ("attest:sbom", "generator=A!", "A!"),
        ("cache-imports", "x", "cache-imports"),
        ("build-arg:BUILDKIT_DOCKERFILE_CHECK", "x", "x"),
        (
            "build-arg:BUILDKIT_DISABLE_FILEOP",
            "1",
            "BUILDKIT_DISABLE_FILEOP",
        ),
        ("override-copy-image", "x", "override-copy-image"),
    ] {
        let error = error(&json!({"text": "FROM scratch\n", "opts": {name: value}}));
        assert!(error.contains(reason), "{name}: {error}");
    }
}

#[test]
fn an_empty_session_id_of_a_folder_is_no_session() {
    let sessions = |opts: Value| {
        let text = "FROM scratch\nCOPY a /\nCOPY --from=x b /\n";
        let answer = answered(&json!({"text": text, "opts": opts}));
        assert_eq!(answer["error"], Value::Null);
        let vertices = answer["vertices"].as_array().unwrap().iter();
        let attributes = vertices.map(|vertex| vertex["op"]["source"]["attrs"].clone());
        let ids = attributes.map(|attributes| attributes["local.session"].clone());
        ids.filter(|id| !id.is_null()).collect::<Vec<_>>()
    };
    let given = sessions(json!({"context:x": "local:x", "local-sessionid:x": "other"}));
    let empty = sessions(json!({"context:x": "local:x", "local-sessionid:x": ""}));
    let none = sessions(json!({"context:x": "local:x"}));
    assert_eq!((given.len(), none.len()), (2, 2));
    assert_ne!(given, none);
    assert_eq!(empty, none[..1]);
}

#[test]
fn a_stage_as_a_context_that_nothing_uses_is_not_looked_at() {
    let text = "FROM scratch AS made\nFROM scratch\nCOPY a /\n";
    let unused = answered(&json!({"text": text, "opts": {"context:x": "target:nothing"}}));
    assert_eq!(unused["error"], Value::Null);
    let text = format!("{text}COPY --from=x b /\n");
    let used = error(&json!({"text": text, "opts": {"context:x": "target:nothing"}}));
    assert!(used.contains("nothing"), "{used}");
}
