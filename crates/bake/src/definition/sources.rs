//! The sources of an evaluation: the parsed files, and the outputs of each block.
//!
//! They are kept so that tools can report positions and unused names.

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
    /// The outputs of its groups and targets, in their order.
    outputs: Vec<Outputs>,
    /// The positions of attributes in compose files.
    pub(crate) compose: Vec<ComposeSource>,
}

/// The outputs of one block.
#[derive(Debug)]
pub(crate) struct Outputs {
    /// The index of the block in the body.
    index: usize,
    /// One output per combination of the matrix.
    pub(crate) outputs: Vec<Named>,
}

/// A group or target of a block.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    /// The value of each attribute; null or empty for unset ones.
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

    /// Returns the groups and targets of HCL and JSON files, with their outputs.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (&Block, &[Named])> {
        self.outputs.iter().filter_map(|outputs| {
            let block = self.body.blocks.get(outputs.index)?;
            Some((block, outputs.outputs.as_slice()))
        })
    }
}

/// Returns the outputs of the blocks of `body`.
pub(super) fn outputs(body: &Body, states: Vec<BlockState<'_>>) -> Vec<Outputs> {
    let mut outputs = Vec::with_capacity(states.len());
    let mut at = 0;
    for state in states {
        // The states are in the order of the blocks, without blocks of other kinds.
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
