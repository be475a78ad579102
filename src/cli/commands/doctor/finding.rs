//! The result of a check, and how it is printed.

use serde_json::json;

use crate::cli::report::Failure;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Good,
    /// It works, but may be surprising.
    Odd,
    Broken,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Odd => "note",
            Self::Broken => "FAIL",
        }
    }
}

/// A line of the report.
#[derive(Debug)]
pub(super) struct Finding {
    /// The name of the check: `daemon`, `registry`, ….
    pub(super) check: &'static str,
    pub(super) state: State,
    /// The result.
    pub(super) text: String,
    /// The next step, if the result is not good.
    pub(super) fix: Option<String>,
}

impl Finding {
    pub(super) fn good(check: &'static str, text: impl Into<String>) -> Self {
        Self {
            check,
            state: State::Good,
            text: text.into(),
            fix: None,
        }
    }

    pub(super) fn odd(check: &'static str, text: impl Into<String>, fix: &str) -> Self {
        Self {
            state: State::Odd,
            fix: Some(fix.to_owned()),
            ..Self::good(check, text)
        }
    }

    pub(super) fn broken(check: &'static str, text: impl Into<String>, fix: &str) -> Self {
        Self {
            state: State::Broken,
            ..Self::odd(check, text, fix)
        }
    }

    /// The failure of a build, with the hint that it would print.
    pub(super) fn of_failure(check: &'static str, failure: &Failure) -> Self {
        Self {
            state: State::Broken,
            fix: failure.hint().map(str::to_owned),
            ..Self::good(check, failure.message())
        }
    }

    /// Sets the next step, unless there is one.
    pub(super) fn or_fix(mut self, fix: &str) -> Self {
        self.fix.get_or_insert_with(|| fix.to_owned());
        self
    }

    /// The finding as a line of JSON.
    pub(super) fn json(&self) -> String {
        let object = json!({
            "check": self.check,
            "state": self.state.as_str().to_ascii_lowercase(),
            "text": self.text,
            "fix": self.fix,
        });
        format!("{object}\n")
    }
}

/// The report as text: a line for each finding, followed by the next step.
pub(super) fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    let width = findings.iter().map(|finding| finding.check.len()).max();
    let width = width.unwrap_or_default();
    for finding in findings {
        let (state, check) = (finding.state.as_str(), finding.check);
        let mut lines = finding.text.lines();
        let first = lines.next().unwrap_or_default();
        text.push_str(&format!("{state:<4}  {check:<width$}  {first}\n"));
        let indent = " ".repeat(4 + 2 + width + 2);
        for line in lines {
            text.push_str(&format!("{indent}{line}\n"));
        }
        let fix = finding.fix.iter().flat_map(|fix| fix.lines());
        for (number, line) in fix.enumerate() {
            let head = if number == 0 { "→ " } else { "  " };
            text.push_str(&format!("{indent}{head}{line}\n"));
        }
    }
    let count = |state| {
        findings
            .iter()
            .filter(|finding| finding.state == state)
            .count()
    };
    text.push_str(&match (count(State::Broken), count(State::Odd)) {
        (0, 0) => "\nEverything works.\n".to_owned(),
        (0, notes) => format!("\nNothing is broken; {notes} to note.\n"),
        (broken, _) => format!("\n{broken} of {} checks failed.\n", findings.len()),
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_stands_below_what_it_fixes() {
        let findings = [
            Finding::good("daemon", "unix:///x runs BuildKit v0.32.2"),
            Finding::broken(
                "registry",
                "a.example is silent",
                "look at the proxy\nor the name",
            ),
        ];
        assert_eq!(
            text(&findings),
            "ok    daemon    unix:///x runs BuildKit v0.32.2\n\
             FAIL  registry  a.example is silent\n\
             \x20               → look at the proxy\n\
             \x20                 or the name\n\
             \n1 of 2 checks failed.\n"
        );
        assert!(findings[1].json().contains("\"state\":\"fail\""));
    }
}
