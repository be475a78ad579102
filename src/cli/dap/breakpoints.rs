//! Breakpoints by file and line.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use solvekit::debug::Place;

/// The most breakpoints of a file that are kept.
const LIMIT: usize = 10_000;

/// The breakpoints of all files.
#[derive(Debug, Default)]
pub(super) struct Breakpoints {
    /// The keys are in lower case, because editors differ in the case of paths.
    files: BTreeMap<String, Vec<Breakpoint>>,
    last: i64,
}

#[derive(Debug, Clone)]
struct Breakpoint {
    id: i64,
    path: String,
    line: i64,
    end_line: i64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Pending,
    Verified,
    Failed,
}

impl Breakpoint {
    fn has(&self, lines: (i64, i64)) -> bool {
        (lines.0..=lines.1).contains(&self.line)
    }

    fn to_json(&self) -> Value {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let mut out = json!({
            "id": self.id,
            "verified": self.state == State::Verified,
            "line": self.line,
            "endLine": self.end_line,
            "source": {"name": name, "path": self.path},
        });
        match self.state {
            State::Pending => out["reason"] = "pending".into(),
            State::Failed => out["reason"] = "failed".into(),
            State::Verified => {}
        }
        out
    }
}

impl Breakpoints {
    /// Replaces the breakpoints of a file.
    pub(super) fn set(&mut self, path: &str, lines: impl Iterator<Item = i64>) -> Vec<Value> {
        let before = self.files.remove(&path.to_lowercase()).unwrap_or_default();
        let mut now = Vec::new();
        for line in lines.take(LIMIT) {
            let known = before
                .iter()
                .find(|it| (it.line..=it.end_line).contains(&line));
            now.push(known.cloned().unwrap_or_else(|| {
                self.last += 1;
                Breakpoint {
                    id: self.last,
                    path: path.to_owned(),
                    line,
                    end_line: line,
                    state: State::Pending,
                }
            }));
        }
        let out = now.iter().map(Breakpoint::to_json).collect();
        self.files.insert(path.to_lowercase(), now);
        out
    }

    /// Places the breakpoints of a file on steps. Returns those that changed.
    pub(super) fn place(&mut self, path: &str, steps: &[(i64, i64)]) -> Vec<Value> {
        let Some(breakpoints) = self.files.get_mut(&path.to_lowercase()) else {
            return Vec::new();
        };
        let mut changed = Vec::new();
        for breakpoint in breakpoints.iter_mut() {
            let step = steps.iter().find(|lines| breakpoint.has(**lines));
            let state = match (step, breakpoint.state) {
                (Some(_), _) => State::Verified,
                (None, State::Verified) => State::Verified,
                (None, _) => State::Failed,
            };
            if state == breakpoint.state {
                continue;
            }
            if let Some((first, last)) = step {
                (breakpoint.line, breakpoint.end_line) = (*first, *last);
                path.clone_into(&mut breakpoint.path);
            }
            breakpoint.state = state;
            changed.push(breakpoint.to_json());
        }
        changed
    }

    /// The ids of the breakpoints on these lines.
    pub(super) fn on(&self, path: &str, lines: (i64, i64)) -> Vec<i64> {
        let found = self.files.get(&path.to_lowercase()).into_iter().flatten();
        found.filter(|it| it.has(lines)).map(|it| it.id).collect()
    }
}

/// The first and last line of a place.
pub(super) fn lines(place: &Place) -> (i64, i64) {
    (place.range.start.line.into(), place.range.end.line.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breakpoints_move_to_the_step_on_whose_lines_they_are() {
        let mut all = Breakpoints::default();
        let set = all.set("/w/Dockerfile", [3, 9].into_iter());
        assert_eq!(
            (&set[0]["verified"], &set[0]["reason"]),
            (&json!(false), &json!("pending"))
        );
        let changed = all.place("/W/dockerfile", &[(2, 4), (5, 5)]);
        assert_eq!(
            (&changed[0]["line"], &changed[0]["verified"]),
            (&json!(2), &json!(true))
        );
        assert_eq!(changed[1]["reason"], "failed");
        assert_eq!(all.on("/w/Dockerfile", (2, 4)), [1]);
        assert!(all.on("/w/Dockerfile", (5, 5)).is_empty());
        assert!(all.place("/w/Dockerfile", &[(2, 4)]).is_empty());
        assert!(all.set("/w/Dockerfile", std::iter::empty()).is_empty());
        assert!(all.on("/w/Dockerfile", (2, 4)).is_empty());
    }
}
