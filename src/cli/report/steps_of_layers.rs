//! Finds the line of a Dockerfile that made a layer, by the text in the image's history.

use std::collections::HashMap;

use solvekit::diff::LayerDiff;
use solvekit::dockerfile;
use solvekit::frontend::Source;
use solvekit::oci::history_key as key;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_there_twice_is_not_reported() {
        let text = "FROM a\nRUN make\nRUN test\nFROM b\nRUN test\n";
        let steps = Steps::of(&Source::new("app/Dockerfile", text.into()));
        assert_eq!(steps.lines[&key("RUN make")], Some(2));
        assert_eq!(steps.lines[&key("RUN test")], None);
        assert_eq!(steps.file, "Dockerfile");
    }
}
