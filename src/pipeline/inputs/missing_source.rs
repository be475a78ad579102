//! Explains why the daemon does not find a source of `COPY` or `ADD`: it is not in the context, or
//! an ignore pattern excludes it.

use crate::client::{Failure, SourceDetail};
use crate::frontend::{self, MissingSource};
use crate::pipeline::Inputs;
use crate::session::PatternMatcher;

/// Adds an explanation to a failure such as `… "/path": not found`.
pub(in crate::pipeline) fn explain(inputs: &Inputs, error: &mut frontend::Error) {
    if let frontend::Error::Solve(solve) = error {
        let failure = solve.source.failure();
        solve.explanation =
            failure.and_then(|failure| explanation(inputs, failure, solve.lines.as_ref()));
    }
}

/// The explanation, if the path belongs to a context or to another stage.
fn explanation(
    inputs: &Inputs,
    failure: &Failure,
    lines: Option<&SourceDetail>,
) -> Option<MissingSource> {
    let path = missing_path(&failure.message)?;
    if let Some(from) = lines.and_then(copied_from) {
        let path = format!("/{path}");
        return Some(MissingSource::Elsewhere { path, from });
    }
    let folder = inputs.folder()?;
    if !folder.join(path).exists() {
        let absent = || MissingSource::Absent {
            path: path.to_owned(),
            folder: folder.to_owned(),
            nearest: None,
        };
        return Some(MissingSource::absent(folder, path).unwrap_or_else(absent));
    }
    let rules = PatternMatcher::new(&inputs.excludes).ok()?;
    let rule = rules.rule(path)?;
    let file = inputs.ignore_file.as_ref()?;
    Some(MissingSource::Excluded {
        path: path.to_owned(),
        rule: rule.pattern.to_string(),
        ignore_file: file.clone(),
    })
}

/// The path in `failed to calculate checksum of ref …: "/path": not found`, or its first missing
/// folder in `… lstat /…/buildkit-mount123/path: no such file or directory`, the text of Engine 26.
fn missing_path(message: &str) -> Option<&str> {
    let quoted = |message: &'_ str| {
        let before = message.strip_suffix("\": not found")?.len();
        let path = message[..before].rfind('"')? + 1;
        Some(path..before)
    };
    let mounted = |message: &'_ str| {
        let before = message.strip_suffix(": no such file or directory")?.len();
        let mount = message[..before].rfind("/buildkit-mount")? + 1;
        let path = mount + message[mount..before].find('/')?;
        Some(path..before)
    };
    let range = quoted(message).or_else(|| mounted(message))?;
    Some(message[range].trim_start_matches('/')).filter(|path| !path.is_empty())
}

/// The value of `--from` in the lines of an instruction.
fn copied_from(found: &SourceDetail) -> Option<String> {
    let text = String::from_utf8_lossy(&found.info.data);
    let lines = text.lines().zip(1..);
    let mut lines = lines.filter(|(_, number)| {
        found
            .ranges
            .iter()
            .any(|range| range.contains_line(*number))
    });
    lines.find_map(|(line, _)| {
        let mut words = line.split_whitespace();
        let from = words.find_map(|word| word.strip_prefix("--from="));
        from.map(|from| from.trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Code;
    use crate::pipeline::{self, BuildRequest};

    fn explained(excludes: &[&str], message: &str) -> Option<String> {
        explained_at(excludes, message, None)
    }

    fn explained_at(
        excludes: &[&str],
        message: &str,
        lines: Option<&SourceDetail>,
    ) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let write = |name, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("secret.txt", "x");
        write("Dockerfile", "FROM scratch\n");
        write(".dockerignore", &excludes.join("\n"));
        let inputs = pipeline::read_inputs(&BuildRequest::new(folder.path())).unwrap();
        let explained = explanation(&inputs, &Failure::new(Code::Unknown, message), lines);
        explained.map(|missing| missing.to_string())
    }

    #[test]
    fn the_rule_that_hides_a_source_is_named() {
        let message = r#"failed to calculate checksum of ref a::b: "/secret.txt": not found"#;
        let text = explained(&["*.md", "*.txt"], message).unwrap();
        assert!(text.contains(r#"the rule "*.txt" of"#), "{text}");
    }

    #[test]
    fn a_folder_that_an_older_daemon_misses_is_found_in_its_mount() {
        let message = "failed to calculate checksum of ref a::b: failed to walk \
                       /tmp/buildkit-mount12/dist: \
                       lstat /tmp/buildkit-mount12/dist: no such file or directory";
        assert_eq!(missing_path(message), Some("dist"));
        assert!(missing_path("lstat /tmp/buildkit-mount12/: no such file or directory").is_none());
    }

    #[test]
    fn a_source_that_is_not_there_is_named_with_its_folder() {
        let text = explained(&[], r#"x: "/nothing": not found"#).unwrap();
        assert!(
            text.contains("\"nothing\" is not in the context folder"),
            "{text}"
        );
    }

    #[test]
    fn a_source_of_another_stage_is_not_looked_for_in_the_context() {
        let mut lines = SourceDetail::default();
        lines.info.data = "FROM a AS build\nCOPY \\\n  --from=build /x /y\n".into();
        lines.ranges = vec![crate::progress::SourceRange::lines(2, 3)];
        let message = r#"x: "/secret.txt": not found"#;
        let explained = explained_at(&["*.txt"], message, Some(&lines)).unwrap();
        assert_eq!(
            explained,
            "\"/secret.txt\" is not in build, which --from names"
        );
    }

    #[test]
    fn other_failures_are_not_explained() {
        assert_eq!(explained(&[], "exit code: 1"), None);
        assert_eq!(explained(&[], r#""/": not found"#), None);
    }
}
