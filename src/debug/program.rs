//! The order of the steps in a debugger.
//!
//! A branch is a chain of steps from a base to a result. A step that uses the result of another
//! branch (`COPY --from`, a mount) occurs twice: before that branch and after it. Each branch is
//! walked once, where it is used first, so the program is as long as the graph.

use std::collections::HashSet;
use std::sync::Arc;

use super::graph::{Graph, Node, Place};
use crate::llb::SourceFile;

/// The steps of a graph, in the order in which they are solved.
#[derive(Debug)]
pub struct Program {
    steps: Vec<Step>,
    places: Vec<(String, Place)>,
    files: Vec<Arc<SourceFile>>,
}

/// A step of a program.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Step {
    /// The op that is solved next; `None` after the end of a branch, or of a step's other branch.
    pub digest: Option<String>,
    /// The op whose inputs are solved at this step.
    pub(super) subject: Subject,
    /// The next step of the same branch, or the end of the branch.
    pub next: Option<usize>,
    /// The step that uses the result of this branch.
    pub out: Option<usize>,
    /// The name and the lines of the step.
    pub frame: Frame,
}

/// The object that is solved at a step.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    /// The inputs of an op.
    Inputs(String),
    /// The op itself.
    Result(String),
}

/// The name and the lines of a step.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Frame {
    /// Its name, for example `[2/3] RUN make`.
    pub name: String,
    /// Its lines, if known.
    pub place: Option<Place>,
}

/// A branch during the walk.
struct Branch<'g> {
    /// The ops of the chain, the base first.
    chain: Vec<(&'g str, Frame)>,
    position: usize,
    /// The next input of the op at the position.
    input: usize,
    /// True if the step before the op at the position has been added.
    begun: bool,
    /// The steps of the branch, each with its position in the chain.
    steps: Vec<(usize, usize)>,
}

impl Program {
    pub(super) fn new(graph: &Graph) -> Self {
        let mut seen = HashSet::new();
        let mut steps: Vec<Step> = Vec::new();
        let mut branches = Vec::new();
        let head = graph.head().filter(|head| has_lines(graph, head));
        branches.extend(head.map(|head| Branch::new(graph, head, &mut seen)));
        while let Some(branch) = branches.last_mut() {
            let Some((digest, frame)) = branch.chain.get(branch.position) else {
                let ended = branch.end(&mut steps);
                branches.pop();
                if let Some(user) = branches.last_mut() {
                    let back = user.push_again(&mut steps);
                    for (step, _) in ended {
                        steps[step].out = Some(back);
                        steps[step].next.get_or_insert(back);
                    }
                }
                continue;
            };
            let (digest, frame) = (*digest, frame.clone());
            if !branch.begun {
                branch.begun = true;
                branch.push(&mut steps, Some(digest.to_owned()), frame);
            }
            match branch.next_input(graph, digest, &seen) {
                Some(input) => branches.push(Branch::new(graph, input, &mut seen)),
                None => branch.advance(),
            }
        }
        let places = graph.places();
        Self {
            steps,
            places: places
                .map(|(digest, place)| (digest.to_owned(), place.clone()))
                .collect(),
            files: graph.files(),
        }
    }

    /// The steps in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The lines of each op, by the op's digest. In no particular order.
    pub fn places(&self) -> &[(String, Place)] {
        &self.places
    }

    /// The source files of the graph.
    pub fn files(&self) -> &[Arc<SourceFile>] {
        &self.files
    }

    /// The index of the step before an op is solved.
    pub fn before(&self, digest: &str) -> Option<usize> {
        let mut steps = self.steps.iter();
        steps.position(|step| step.digest.as_deref() == Some(digest))
    }

    /// A step and the steps that wait for its branch, innermost first.
    pub fn frames(&self, step: usize) -> Vec<&Step> {
        let step = self.steps.get(step);
        let out = |step: &&Step| step.out.and_then(|out| self.steps.get(out));
        std::iter::successors(step, out).collect()
    }
}

impl<'g> Branch<'g> {
    /// The chain that ends with an op. Ops of branches that were walked already are excluded.
    fn new(graph: &'g Graph, head: &str, seen: &mut HashSet<&'g str>) -> Self {
        let mut chain: Vec<(&'g str, Frame)> = Vec::new();
        let mut at = graph.entry(head);
        while let Some((digest, node)) = at {
            if !seen.insert(digest) {
                break;
            }
            let later = chain.last().and_then(|(_, frame)| frame.place.as_ref());
            chain.push((digest, node.frame(later)));
            let parent = node.parent().and_then(|input| node.op.inputs.get(input));
            at = parent.and_then(|input| graph.entry(&input.digest));
        }
        chain.reverse();
        Self {
            chain,
            position: 0,
            input: 0,
            begun: false,
            steps: Vec::new(),
        }
    }

    /// The next input of an op that comes from a branch that was not walked yet.
    fn next_input(&mut self, graph: &'g Graph, op: &str, seen: &HashSet<&str>) -> Option<&'g str> {
        let node = graph.node(op)?;
        let parent = node.parent();
        while let Some(input) = node.op.inputs.get(self.input) {
            let index = self.input;
            self.input += 1;
            let is_new = !seen.contains(input.digest.as_str());
            if Some(index) != parent && is_new && has_lines(graph, &input.digest) {
                return Some(&input.digest);
            }
        }
        None
    }

    fn advance(&mut self) {
        self.position += 1;
        self.input = 0;
        self.begun = false;
    }

    /// Adds the step of the current op again, after one of its branches.
    fn push_again(&mut self, steps: &mut Vec<Step>) -> usize {
        let frame = self
            .chain
            .get(self.position)
            .map(|(_, frame)| frame.clone());
        self.push(steps, None, frame.unwrap_or_default())
    }

    fn push(&mut self, steps: &mut Vec<Step>, digest: Option<String>, frame: Frame) -> usize {
        let subject = self.chain.get(self.position).map(|(digest, _)| *digest);
        let subject = Subject::Inputs(subject.unwrap_or_default().to_owned());
        self.add(steps, digest, subject, frame)
    }

    fn add(
        &mut self,
        steps: &mut Vec<Step>,
        digest: Option<String>,
        subject: Subject,
        frame: Frame,
    ) -> usize {
        let index = steps.len();
        self.steps.push((index, self.position));
        steps.push(Step {
            digest,
            subject,
            next: None,
            out: None,
            frame,
        });
        index
    }

    /// Adds the step after the last op, and links each step to its next one.
    fn end(&mut self, steps: &mut Vec<Step>) -> Vec<(usize, usize)> {
        if let Some((digest, frame)) = self.chain.last().cloned() {
            let result = Subject::Result(digest.to_owned());
            self.add(steps, None, result, frame);
        }
        let own = std::mem::take(&mut self.steps);
        // From the end: the next step is the first step of a later op.
        let mut later: Option<(usize, usize)> = None;
        let mut first_of_op: Option<(usize, usize)> = None;
        for (step, position) in own.iter().rev().copied() {
            if first_of_op.is_some_and(|(_, of)| of != position) {
                later = first_of_op;
            }
            steps[step].next = later.map(|(next, _)| next);
            first_of_op = Some((step, position));
        }
        own
    }
}

impl Node {
    /// The name and lines of the op. If it has several places, the last one before the later
    /// step's.
    fn frame(&self, later: Option<&Place>) -> Frame {
        let line = |place: &&Place| place.range.start.line;
        let before = |place: &&Place| later.is_none_or(|later| line(place) <= line(&later));
        let places = self.places.iter();
        let best = match later {
            None => None,
            Some(_) => places.filter(before).max_by_key(line),
        };
        Frame {
            name: self.name.clone(),
            place: best.or(self.places.first()).cloned(),
        }
    }
}

fn has_lines(graph: &Graph, digest: &str) -> bool {
    let node = graph.node(digest);
    node.is_some_and(|node| !node.places.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile;
    use crate::llb::Definition;
    use crate::translate::{Options, Outcome, ResolvedImages, translate};

    fn definition(text: &str) -> Definition {
        let dockerfile = dockerfile::parse(text.as_bytes()).unwrap();
        let outcome = translate(&dockerfile, &Options::default(), &ResolvedImages::new());
        match outcome.unwrap() {
            Outcome::Done(done) => done.definition,
            other => panic!("{other:?}"),
        }
    }

    /// The lines of the steps, with `*` where an op is solved next.
    fn walked(text: &str) -> Vec<String> {
        let program = Program::new(&Graph::new(&definition(text)));
        let steps = program.steps().iter().map(|step| {
            let line = step.frame.place.as_ref().map(|it| it.range.start.line);
            let mark = if step.digest.is_some() { "*" } else { "" };
            format!("{}{mark}", line.unwrap_or_default())
        });
        steps.collect()
    }

    #[test]
    fn a_branch_is_walked_from_its_base_and_ends_after_its_last_step() {
        let text = "FROM scratch\nCOPY a /\nCOPY b /\n";
        assert_eq!(walked(text), ["2*", "3*", "3"]);
        let program = Program::new(&Graph::new(&definition(text)));
        let next: Vec<_> = program.steps().iter().map(|step| step.next).collect();
        assert_eq!(next, [Some(1), Some(2), None]);
    }

    #[test]
    fn a_step_comes_before_and_after_the_branch_that_it_uses() {
        let text = "FROM scratch AS b\nCOPY x /\nCOPY y /\nFROM scratch\nCOPY a /\n\
                    COPY --from=b / /\nCOPY c /\n";
        assert_eq!(walked(text), ["5*", "6*", "2*", "3*", "3", "6", "7*", "7"]);
        let program = Program::new(&Graph::new(&definition(text)));
        let step = |index: usize| &program.steps()[index];
        // Over the branch, into it, and out of it.
        assert_eq!(step(1).next, Some(6));
        assert_eq!(step(2).out, Some(5));
        assert_eq!((step(4).next, step(4).out), (Some(5), Some(5)));
        assert_eq!(step(5).next, Some(6));
        let lines = |step| {
            let frames = program.frames(step).into_iter();
            let place = frames.map(|step| step.frame.place.as_ref().unwrap().range.start.line);
            place.collect::<Vec<_>>()
        };
        assert_eq!(lines(3), [3, 6]);
    }

    #[test]
    fn stages_that_use_one_another_twice_are_walked_once() {
        let mut text = "FROM scratch AS s0\nCOPY a /\n".to_owned();
        for stage in 1..60 {
            let earlier = stage - 1;
            text.push_str(&format!(
                "FROM scratch AS s{stage}\nCOPY --from=s{earlier} / /a\n\
                 COPY --from=s{earlier} / /b\n"
            ));
        }
        let program = Program::new(&Graph::new(&definition(&text)));
        assert!(program.steps().len() < 60 * 6, "{}", program.steps().len());
    }
}
