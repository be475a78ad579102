//! The lines of an export that name a manifest or a config each. A build of many platforms has
//! dozens of them, so all but the first ones are counted.

/// So many are shown: those of two platforms with attestations.
const SHOWN: usize = 6;
/// The index (`exporting manifest list`) is always shown.
const PREFIXES: [&str; 3] = [
    "exporting manifest sha256:",
    "exporting attestation manifest sha256:",
    "exporting config sha256:",
];

/// The transfers of a step that are counted instead of shown.
#[derive(Debug, Default)]
pub(super) struct Omitted {
    /// Manifests and configs seen.
    seen: usize,
    /// The position of the first transfer that is not shown.
    first: Option<usize>,
}

impl Omitted {
    /// Takes note of a new transfer and its position.
    pub(super) fn note(&mut self, number: usize, id: &str) {
        if names_one(id) {
            self.seen += 1;
            if self.seen > SHOWN {
                self.first.get_or_insert(number);
            }
        }
    }

    /// True if the transfer at this position is not shown.
    pub(super) fn contains(&self, number: usize, id: &str) -> bool {
        self.first.is_some_and(|first| number >= first) && names_one(id)
    }

    /// The line that stands for those that are not shown.
    pub(super) fn line(&self) -> Option<String> {
        let count = self.seen.saturating_sub(SHOWN);
        (count > 0).then(|| format!("exporting {count} more manifests and configs"))
    }
}

fn names_one(id: &str) -> bool {
    PREFIXES.iter().any(|prefix| id.starts_with(prefix))
}
