//! Finds the line of a Dockerfile that made a layer, by the text in the image's history.

use std::collections::HashMap;

use solvekit::diff::LayerDiff;
use solvekit::dockerfile;
use solvekit::frontend::Source;

/// The suffix that BuildKit adds to instructions in an image's history.
const SUFFIX: &str = "# buildkit";

/// The lines of a Dockerfile, by their instructions.
#[derive(Default)]
pub(super) struct Steps {
    file: String,
    /// `None` if several lines have the same instruction.
    lines: HashMap<String, Option<u32>>,
}

impl Steps {
    /// The instructions of a Dockerfile that can make layers.
    pub(super) fn of(source: &Source) -> Self {
        let mut steps = Self {
            file: source.file.filename.clone(),
            ..Self::default()
        };
        let Ok(parsed) = dockerfile::parse(source.text()) else {
            return steps;
        };
        let instructions = parsed.stages.iter().flat_map(|stage| &stage.instructions);
        for instruction in instructions {
            let known = steps.lines.entry(key(&instruction.original));
            known
                .and_modify(|line| *line = None)
                .or_insert(Some(instruction.span.first));
        }
        steps
    }

    /// `Dockerfile:3 ` for a layer, or empty if its line is uncertain.
    pub(super) fn place(&self, layer: &LayerDiff) -> String {
        let [left, right] = &layer.steps;
        let step = right.as_ref().or(left.as_ref());
        let line = step.and_then(|step| self.lines.get(&key(step)));
        match line {
            Some(Some(line)) => format!("{}:{line} ", self.file),
            _ => String::new(),
        }
    }
}

/// The words of an instruction without flags, arguments and shell: `RUN make` for the history's
/// `RUN |1 A=b /bin/sh -c make # buildkit` and for the file's `RUN --mount=… make`.
fn key(instruction: &str) -> String {
    let text = instruction.trim_end();
    let text = text.strip_suffix(SUFFIX).unwrap_or(text);
    let mut words = text.split_whitespace();
    let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
    let mut words: Vec<&str> = words.skip_while(|word| word.starts_with("--")).collect();
    if let ("RUN", Some(at)) = (&*keyword, text.find(" -c ")) {
        let before = text[..at].split_whitespace().count();
        // Remove the text before ` -c ` only if it is a shell.
        let is_shell = before <= 2 || text.contains(" |");
        let shell_first = words
            .first()
            .is_some_and(|word| word.starts_with(['/', '|']));
        if is_shell && shell_first {
            words = text[at + " -c ".len()..].split_whitespace().collect();
        }
    }
    format!("{keyword} {}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_meet_their_history() {
        for (file, history) in [
            ("RUN make", "RUN /bin/sh -c make # buildkit"),
            (
                "run --mount=type=cache,target=/x  make  all",
                "RUN |1 A=b /bin/sh -c make all # buildkit",
            ),
            ("COPY --chown=1:1 a b /c/", "COPY a b /c/ # buildkit"),
            ("RUN sh -c make", "RUN /bin/sh -c sh -c make # buildkit"),
        ] {
            assert_eq!(key(file), key(history), "{file}");
        }
    }

    #[test]
    fn a_line_that_is_there_twice_is_not_told() {
        let text = "FROM a\nRUN make\nRUN test\nFROM b\nRUN test\n";
        let steps = Steps::of(&Source::new("app/Dockerfile", text.into()));
        assert_eq!(steps.lines[&key("RUN make")], Some(2));
        assert_eq!(steps.lines[&key("RUN test")], None);
        assert_eq!(steps.file, "Dockerfile");
    }
}
