//! What an evaluation came from: the parsed files, and what each block became.
//!
//! It is kept so that tools can say where a value was written, and what nobody uses.

use std::collections::BTreeMap;

use super::blocks::BlockState;
use crate::compose::ComposeSource;
use crate::syntax::body::{Block, Body};
use crate::value::Value;

/// The parsed files of an evaluation.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// All HCL and JSON files, merged.
    pub(crate) body: Body,
    /// What its groups and targets became, in their order.
    outputs: Vec<Outputs>,
    /// Where compose files set attributes.
    pub(crate) compose: Vec<ComposeSource>,
}

/// What one block became.
#[derive(Debug)]
pub(crate) struct Outputs {
    /// The index of the block in the body.
    index: usize,
    /// One per combination of its matrix.
    pub(crate) outputs: Vec<Named>,
}

/// A group or target that a block made.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    /// The value of each attribute; null or empty for those that the block does not set.
    pub(crate) values: BTreeMap<String, Value>,
}

impl Sources {
    pub(crate) fn new(body: Body, outputs: Vec<Outputs>, compose: Vec<ComposeSource>) -> Self {
        Self {
            body,
            outputs,
            compose,
        }
    }

    /// The groups and targets of HCL and JSON files, and what they became.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (&Block, &[Named])> {
        self.outputs.iter().filter_map(|outputs| {
            let block = self.body.blocks.get(outputs.index)?;
            Some((block, outputs.outputs.as_slice()))
        })
    }
}

/// What the blocks of `body` became.
pub(super) fn outputs(body: &Body, states: Vec<BlockState<'_>>) -> Vec<Outputs> {
    let mut outputs = Vec::with_capacity(states.len());
    let mut at = 0;
    for state in states {
        // The states are in the order of the blocks, without those of other kinds.
        while let Some(block) = body.blocks.get(at)
            && !std::ptr::eq(block, state.block)
        {
            at += 1;
        }
        let made = state.outputs.into_iter().map(|output| Named {
            name: output.name,
            values: output.decoded.into_values(),
        });
        outputs.push(Outputs {
            index: at,
            outputs: made.collect(),
        });
    }
    outputs
}
