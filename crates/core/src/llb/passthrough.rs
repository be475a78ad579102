//! Vertices that output some of their inputs and wait for all of them.

use super::metadata::Constraints;
use super::state::State;
use super::vertex::{Kind, Output, Vertex};

/// An input of a passthrough.
#[derive(Clone, Debug)]
pub struct Passthrough {
    /// The input. Scratch is ignored.
    pub state: State,
    /// True if the input is an output too, false if the vertex only waits for it.
    pub handed_on: bool,
}

/// Returns inputs as outputs, in their order, after all of them are built. Everything based on one
/// of the results waits for every input, even for those that it does not read.
///
/// `id` distinguishes passthroughs with the same inputs. Needs BuildKit 0.31 or newer
/// ([`Cap::PassthroughOp`](super::Cap::PassthroughOp)).
pub fn passthrough(id: &str, inputs: &[Passthrough], constraints: Constraints) -> Vec<State> {
    let real = inputs.iter().filter(|input| !input.state.is_scratch());
    let real = Vec::from_iter(real);
    let handed_on = real.iter().enumerate().filter(|(_, it)| it.handed_on);
    let outputs: Vec<usize> = handed_on.map(|(at, _)| at).collect();
    let kind = Kind::Passthrough {
        id: id.to_owned(),
        inputs: real
            .iter()
            .filter_map(|input| input.state.output().cloned())
            .collect(),
        outputs: outputs.clone(),
    };
    let made = Vertex::output(kind, constraints);
    let result = |(index, at): (i64, &usize)| {
        let output = Output {
            index,
            ..made.clone()
        };
        real[*at].state.with_output(Some(output))
    };
    (0..).zip(&outputs).map(result).collect()
}

impl State {
    /// Returns this file system, built only if the others are built too: for example tests that
    /// must pass. Without others it is the state itself. See [`passthrough`].
    #[must_use]
    pub fn requires(&self, id: &str, others: &[Self], constraints: Constraints) -> Self {
        if others.is_empty() || self.is_scratch() {
            return self.clone();
        }
        let own = Passthrough {
            state: self.clone(),
            handed_on: true,
        };
        let others = others.iter().map(|other| Passthrough {
            state: other.clone(),
            handed_on: false,
        });
        let inputs: Vec<_> = std::iter::once(own).chain(others).collect();
        let made = passthrough(id, &inputs, constraints).pop();
        made.unwrap_or_else(|| self.clone())
    }
}
