//! The steps of a graph that have to run, for solving them one after another.

use super::graph::{Asked, Commands};
use super::{Expected, Trial};
use crate::client::CacheEntry;
use crate::gateway::Bridge;
use crate::llb::Definition;
use crate::progress::{StepEnd, StepEnds};

/// A graph with the steps that a daemon has to run.
pub(crate) struct Parts {
    whole: Asked,
    is_needed: Vec<bool>,
}

/// A sequence of steps, each the only input of the next: they are solved together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    /// The index of its last step.
    pub(crate) last: usize,
    /// The indices of the chains whose results it uses.
    pub(crate) after: Vec<usize>,
}

impl Parts {
    /// Asks a daemon which steps it has to run. If that cannot be determined, all steps are assumed
    /// to run. `None` if the graph cannot be divided.
    pub(crate) async fn of(
        definition: &Definition,
        bridge: &Bridge,
        cache_imports: &[CacheEntry],
        ends: &StepEnds,
    ) -> Option<Self> {
        let whole = Asked::new(definition, Commands::Kept).ok()?;
        let trial = Trial {
            bridge,
            cache_imports,
            ends,
        };
        let asked = Asked::new(definition, Commands::Impossible).ok();
        let found = match asked {
            Some(asked) => needed(asked, &trial).await,
            None => None,
        };
        let is_needed = found.unwrap_or_else(|| all_steps(&whole));
        Some(Self { whole, is_needed })
    }

    /// The graph that ends with a step.
    pub(crate) fn until(&self, number: usize) -> Option<Definition> {
        self.whole.until(number).ok()
    }

    /// The chains of steps that run, each after those that it needs.
    pub(crate) fn chains(&self) -> Vec<Chain> {
        let inputs: Vec<&[usize]> = self.whole.vertices.iter().map(|it| &*it.inputs).collect();
        chains(&inputs, &self.is_needed)
    }
}

fn all_steps(whole: &Asked) -> Vec<bool> {
    whole.vertices.iter().map(|it| !it.is_source).collect()
}

/// Walks from the result to its inputs until they are cached. `None` if the daemon fails.
async fn needed(mut asked: Asked, trial: &Trial<'_>) -> Option<Vec<bool>> {
    let mut is_needed = vec![false; asked.vertices.len()];
    let mut seen = is_needed.clone();
    let mut open: Vec<(usize, bool)> = Vec::new();
    open.extend(
        asked
            .vertices
            .len()
            .checked_sub(1)
            .map(|last| (last, false)),
    );
    while let Some((number, is_known)) = open.pop() {
        if std::mem::replace(&mut seen[number], true) || asked.vertices[number].is_source {
            continue;
        }
        if !is_known {
            let definition = asked.until(number).ok()?;
            if trial.is_cached(&definition, &asked, number).await.ok()? {
                continue;
            }
            note_begun(&mut asked, trial, number);
        }
        is_needed[number] = true;
        let vertex = &asked.vertices[number];
        let steps = vertex.inputs.iter().copied();
        let mut steps: Vec<usize> = steps.filter(|at| !asked.vertices[*at].is_source).collect();
        steps.dedup();
        // Another step started, so the only input is on the path to it.
        let is_way = steps.len() == 1 && vertex.expected != Some(Expected::Runs);
        open.extend(steps.into_iter().map(|step| (step, is_way)));
    }
    Some(is_needed)
}

/// A step that has started is not reported again when a later solve starts it.
fn note_begun(asked: &mut Asked, trial: &Trial<'_>, number: usize) {
    for vertex in &mut asked.vertices[..=number] {
        let end = trial.ends.of(&vertex.digest);
        if !vertex.is_source && end.is_some_and(|end| end != StepEnd::Cached) {
            vertex.expected = Some(Expected::Runs);
        }
    }
}

/// Divides the needed steps into chains.
fn chains(inputs: &[&[usize]], is_needed: &[bool]) -> Vec<Chain> {
    let needed_inputs = |number: usize| {
        let mut steps: Vec<usize> = inputs[number].to_vec();
        steps.retain(|input| is_needed[*input]);
        steps.sort_unstable();
        steps.dedup();
        steps
    };
    let mut users = vec![0_usize; inputs.len()];
    for number in (0..inputs.len()).filter(|number| is_needed[*number]) {
        needed_inputs(number)
            .into_iter()
            .for_each(|input| users[input] += 1);
    }
    let mut chains: Vec<Chain> = Vec::new();
    let mut chain_of = vec![0; inputs.len()];
    for number in (0..inputs.len()).filter(|number| is_needed[*number]) {
        let before = needed_inputs(number);
        match before.as_slice() {
            [only] if users[*only] == 1 => {
                chain_of[number] = chain_of[*only];
                chains[chain_of[number]].last = number;
            }
            _ => {
                chain_of[number] = chains.len();
                let after = before.iter().map(|step| chain_of[*step]);
                chains.push(Chain {
                    last: number,
                    after: after.collect(),
                });
            }
        }
    }
    chains
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chain(last: usize, after: &[usize]) -> Chain {
        let after = after.to_vec();
        Chain { last, after }
    }

    #[test]
    fn steps_that_follow_one_another_are_a_chain() {
        // 0 → 1 → 2 → 6, 3 → 4 → 6, and the cached step 5.
        let inputs: [&[usize]; 7] = [&[], &[0], &[1], &[], &[3], &[], &[2, 4, 5]];
        let needed = [true, true, true, true, true, false, true];
        assert_eq!(
            chains(&inputs, &needed),
            [chain(2, &[]), chain(4, &[]), chain(6, &[0, 1])]
        );
    }

    #[test]
    fn a_step_that_two_steps_use_ends_its_chain() {
        let inputs: [&[usize]; 4] = [&[], &[0], &[0], &[1, 2]];
        assert_eq!(
            chains(&inputs, &[true; 4]),
            [
                chain(0, &[]),
                chain(1, &[0]),
                chain(2, &[0]),
                chain(3, &[1, 2])
            ]
        );
    }

    proptest! {
        #[test]
        fn chains_come_after_what_they_need(
            graph in prop::collection::vec(
                (prop::collection::vec(any::<prop::sample::Index>(), 0..4), any::<bool>()),
                0..20,
            ),
        ) {
            let inputs: Vec<Vec<usize>> = graph.iter().enumerate().map(|(at, (inputs, _))| {
                let before = inputs.iter().filter(|_| at > 0);
                before.map(|input| input.index(at)).collect()
            }).collect();
            let inputs: Vec<&[usize]> = inputs.iter().map(Vec::as_slice).collect();
            let needed: Vec<bool> = graph.iter().map(|it| it.1).collect();
            let chains = chains(&inputs, &needed);
            for (at, chain) in chains.iter().enumerate() {
                prop_assert!(chain.after.iter().all(|before| *before < at));
                prop_assert!(needed[chain.last]);
            }
        }
    }
}
