//! Checks the number of labels of blocks.

use super::body::{Block, Body};
use crate::diagnostic::{Diagnostic, Kind};

/// Checks that each block of `kinds` in `body` has one label.
///
/// # Errors
/// For the first block with no label, or with more than one.
pub fn check_labels(body: &Body, kinds: &[&str]) -> Result<(), Diagnostic> {
    body.blocks
        .iter()
        .filter(|block| kinds.contains(&block.kind.as_str()))
        .try_for_each(|block| check(block, 1))
}

/// Checks that a block has `count` labels.
///
/// # Errors
/// If it has fewer or more.
pub fn check(block: &Block, count: usize) -> Result<(), Diagnostic> {
    let kind = &block.kind;
    if let Some((label, range)) = block.labels.get(count) {
        let message = match count {
            0 => format!("a {kind} block has no name"),
            _ => format!("a {kind} has one name, so {label:?} is one too many"),
        };
        let failed = Diagnostic::new(Kind::Structure, message).at(range.within(&block.file));
        return Err(match count {
            0 => failed,
            _ => failed.in_reference(format!(
                "Extraneous label for {kind}; Only {count} labels (name) are expected for {kind} \
                 blocks."
            )),
        });
    }
    if block.labels.len() < count {
        let message = format!("the {kind} has no name: write {kind} \"name\" {{");
        let failed = Diagnostic::new(Kind::Structure, message).at(block.open.within(&block.file));
        return Err(failed.in_reference(format!(
            "Missing name for {kind}; All {kind} blocks must have {count} labels (name)."
        )));
    }
    Ok(())
}
