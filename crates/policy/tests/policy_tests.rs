//! `policy test` on the fixtures. The expected output is buildx's: `buildx policy test .` in the
//! folder wrote `expected.txt`.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use solvekit_policy::{Files, Loader, Policy, Settings, TestResult};

fn load(folder: &Path) -> Policy {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let mut loader = Loader::for_tests();
    for name in ["Dockerfile.rego", "Dockerfile_test.rego"] {
        loader.add(name, &read(name)).unwrap();
    }
    let missing = loader.missing_imports();
    assert_eq!(
        missing,
        [("lib/names.rego".to_owned(), "Dockerfile.rego".to_owned())]
    );
    for (file, _) in missing {
        loader.add_import(&file, &read(&file)).unwrap();
    }
    loader.finish(Settings::default()).unwrap()
}

fn line(name: &str, result: &TestResult) -> String {
    let decision = result.decision.as_ref().unwrap();
    let status = if result.passed { "PASS" } else { "FAIL" };
    let messages: Vec<&str> = decision
        .deny_messages
        .iter()
        .map(|m| m.text.as_str())
        .collect();
    let messages = match messages.is_empty() {
        true => String::new(),
        false => format!(", deny_msg={}", messages.join("; ")),
    };
    format!(
        "{name}: {status} (allow={}{messages})",
        decision.allow.unwrap()
    )
}

#[test]
fn tests_give_what_they_give_in_buildx() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images");
    let expected = std::fs::read_to_string(folder.join("expected.txt")).unwrap();
    let policy = load(&folder);
    let cases = policy.tests(&["Dockerfile_test.rego".to_owned()]).unwrap();
    let mut lines = Vec::new();
    for case in &cases {
        let result = policy
            .test(case, case.input.as_ref(), &Files::new())
            .unwrap();
        lines.push(line(&case.name, &result));
        if !result.passed {
            let missing: Vec<String> = result
                .missing_input
                .iter()
                .map(|field| format!("input.{field}"))
                .collect();
            lines.push(format!("missing_input: {}", missing.join(", ")));
            assert!(result.metadata.is_empty());
        }
    }
    let shown = |line: &&str| line.starts_with("test_") || line.starts_with("missing_input");
    assert_eq!(lines, expected.lines().filter(shown).collect::<Vec<_>>());
}
