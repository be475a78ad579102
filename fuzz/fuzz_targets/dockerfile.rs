//! Any bytes are a Dockerfile, or are rejected with an error that can be formatted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use solvekit::dockerfile::{
    LintConfig, Linter, detect_syntax, parse, parse_and_lint, render_error, render_source,
};

fuzz_target!(|source: &[u8]| {
    let _ = detect_syntax(source);
    let mut linter = Linter::new(LintConfig::of_dockerfile(source).unwrap_or_default());
    let linted = parse_and_lint(source, &mut linter);
    let lines = source.split(|&byte| byte == b'\n').count();
    for finding in linter.findings() {
        assert!(finding.span.last as usize <= lines);
        render_source("Dockerfile", source, finding.span);
    }
    match (linted, parse(source)) {
        (Ok(linted), Ok(parsed)) => {
            assert_eq!(format!("{linted:?}"), format!("{parsed:?}"));
            let _ = parsed.targets_json();
        }
        (Err(linted), Err(parsed)) => {
            assert_eq!(linted.to_string(), parsed.to_string());
            assert!(render_error("Dockerfile", source, &parsed).starts_with("Dockerfile"));
        }
        (linted, parsed) => panic!("{linted:?} with lint, {parsed:?} without"),
    }
});
