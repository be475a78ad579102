//! The steps of a graph that have to run, for solving them one after another.

use super::graph::{Asked, Commands};
use crate::llb::Definition;

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
    /// Divides a graph. Without `is_needed`, all steps are assumed to run. `None` if the graph
    /// cannot be divided.
    pub(crate) fn new(definition: &Definition, is_needed: Option<Vec<bool>>) -> Option<Self> {
        let whole = Asked::new(definition, Commands::Kept).ok()?;
        let is_needed = is_needed.unwrap_or_else(|| all_steps(&whole));
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
