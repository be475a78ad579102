//! How much work a plan may take: what is copied and compared is counted, not timed.

use std::cell::Cell;

use crate::diagnostic::{Diagnostic, Kind};

/// How many bytes a plan may copy and compare.
const MAX_BYTES: usize = 96 << 20;

/// What is left of the work that a plan may take.
pub(super) struct Budget(Cell<usize>);

impl Budget {
    /// A budget of which nothing is spent.
    pub(super) fn new() -> Self {
        Self(Cell::new(MAX_BYTES))
    }

    /// Counts bytes that are copied or compared.
    ///
    /// # Errors
    /// When there are too many.
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
