//! Finds the counterpart of each step in an earlier graph.

use std::collections::HashMap;

use super::record::{Graph, Kind, Step};

/// Returns the number of each step's counterpart in `old`.
///
/// Steps of a stage with the same text are paired in their order. The remaining steps are paired in
/// their order too if the instruction is the same: they were edited.
pub(super) fn pairs(old: &Graph, new: &Graph) -> Vec<Option<usize>> {
    let mut pairs = vec![None; new.steps.len()];
    let mut is_taken = vec![false; old.steps.len()];
    let with_text = |step: &Step| Key {
        text: step.text.clone(),
        ..Key::of(step)
    };
    pair(old, new, with_text, &mut pairs, &mut is_taken);
    pair(old, new, Key::of, &mut pairs, &mut is_taken);
    pairs
}

/// The properties that a step and its counterpart share.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    kind: Kind,
    stage: String,
    /// The instruction's first word, or the name of a source.
    word: String,
    text: String,
}

impl Key {
    fn of(step: &Step) -> Self {
        let word = match step.kind {
            Kind::Image => String::new(),
            kind if kind.is_source() => step
                .facts
                .first()
                .map(|fact| fact.value.clone())
                .unwrap_or_default(),
            _ => step
                .text
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_uppercase(),
        };
        Self {
            kind: step.kind,
            stage: stage(&step.name),
            word,
            text: String::new(),
        }
    }
}

fn pair(
    old: &Graph,
    new: &Graph,
    key: impl Fn(&Step) -> Key,
    pairs: &mut [Option<usize>],
    is_taken: &mut [bool],
) {
    let mut left: HashMap<Key, Vec<usize>> = HashMap::new();
    let numbered = old.steps.iter().enumerate().rev();
    for (number, step) in numbered.filter(|(number, _)| !is_taken[*number]) {
        left.entry(key(step)).or_default().push(number);
    }
    for (step, pair) in new
        .steps
        .iter()
        .zip(pairs)
        .filter(|(_, pair)| pair.is_none())
    {
        *pair = left.get_mut(&key(step)).and_then(Vec::pop);
        if let Some(number) = *pair {
            is_taken[number] = true;
        }
    }
}

/// The stage in a step's name: `build` in `[linux/amd64 build 2/5] RUN make`.
fn stage(name: &str) -> String {
    let inside = name.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let words = inside.map_or("", |(words, _)| words).split_whitespace();
    // Platforms and counts contain a slash, names of stages do not.
    words
        .filter(|word| !word.contains('/'))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(steps: &[(&str, &str)]) -> Graph {
        let steps = steps.iter().map(|(name, text)| Step {
            name: (*name).to_owned(),
            text: (*text).to_owned(),
            kind: Kind::Run,
            ..Step::default()
        });
        Graph {
            steps: steps.collect(),
            ..Graph::default()
        }
    }

    #[test]
    fn a_step_is_found_after_a_new_one_and_when_it_is_edited() {
        let old = graph(&[("[a 1/2] RUN x", "RUN x"), ("[a 2/2] RUN y", "RUN y")]);
        let new = graph(&[
            ("[a 1/3] RUN w", "RUN w"),
            ("[a 2/3] RUN x", "RUN x"),
            ("[a 3/3] RUN z", "RUN z"),
        ]);
        // "RUN w" is paired with "RUN y": nothing shows which of the two was edited.
        assert_eq!(pairs(&old, &new), [Some(1), Some(0), None]);
        let edited = graph(&[("[a 1/2] RUN x", "RUN x"), ("[a 2/2] RUN z", "RUN z")]);
        assert_eq!(pairs(&old, &edited), [Some(0), Some(1)]);
    }

    #[test]
    fn stages_and_instructions_are_distinguished() {
        let old = graph(&[("[a 1/1] RUN x", "RUN x"), ("[b 1/1] RUN x", "RUN x")]);
        let new = graph(&[
            ("[linux/arm64 b 1/1] RUN x", "RUN x"),
            ("[a 1/1] COPY x", "COPY x"),
        ]);
        assert_eq!(pairs(&old, &new), [Some(1), None]);
        assert_eq!(stage("[linux/amd64->arm64 build  1/10] RUN"), "build");
        assert_eq!(stage("RUN"), "");
    }
}
