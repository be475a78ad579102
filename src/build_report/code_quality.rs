//! GitLab's code quality report, which is shown beside the lines of a merge request.
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use serde_json::{Value, json};

use super::{BuildReport, text};
use crate::oci::Digest;
use crate::progress::Warning;

pub(super) fn render(report: &BuildReport) -> String {
    let warnings = report.warnings.iter().filter_map(entry);
    let entries: Value = warnings.collect();
    format!("{entries:#}\n")
}

/// The report's entry for a warning; `None` if the warning has no place.
fn entry(warning: &Warning) -> Option<Value> {
    let (file, line) = text::place(warning)?;
    let short = text::short(warning);
    let fingerprint = Digest::sha256(format!("{file}\n{short}").as_bytes());
    Some(json!({
        "description": short,
        "check_name": rule(&short),
        "fingerprint": fingerprint.hex(),
        "severity": "minor",
        "location": { "path": file, "lines": { "begin": line } },
    }))
}

/// The rule of a message: `StageNameCasing` for `StageNameCasing: Stage name …`.
fn rule(short: &str) -> &str {
    let rule = short.split_once(':').map(|(rule, _)| rule);
    rule.filter(|rule| rule.chars().all(|c| c.is_ascii_alphanumeric()))
        .unwrap_or("build")
}
