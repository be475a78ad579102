//! The budget of a plan: copied and compared bytes are counted, not time.

use std::cell::Cell;

use crate::diagnostic::{Diagnostic, Kind};

/// The most bytes that a plan may copy and compare.
const MAX_BYTES: usize = 96 << 20;

/// The remaining bytes of a plan's budget.
pub(super) struct Budget(Cell<usize>);

impl Budget {
    /// Returns a full budget.
    pub(super) fn new() -> Self {
        Self(Cell::new(MAX_BYTES))
    }

    /// Counts bytes that are copied or compared.
    ///
    /// # Errors
    /// If the budget is exhausted.
    pub(super) fn spend(&self, bytes: usize) -> Result<(), Diagnostic> {
        match self.0.get().checked_sub(bytes) {
            Some(rest) => {
                self.0.set(rest);
                Ok(())
            }
            None => {
                self.0.set(0);
                let message = format!(
                    "the targets, with what they inherit, are larger than {} MiB together",
                    MAX_BYTES >> 20
                );
                Err(Diagnostic::new(Kind::Limit, message).hint("ask for fewer targets at once"))
            }
        }
    }
}
