//! Export lines that each name a manifest or a config. A multi-platform build has dozens of them,
//! so only the first ones are shown and the rest is counted.

/// The number of shown lines: as many as two platforms with attestations have.
const SHOWN: usize = 6;
/// The prefixes of such lines. The index (`exporting manifest list`) is always shown.
const PREFIXES: [&str; 3] = [
    "exporting manifest sha256:",
    "exporting attestation manifest sha256:",
    "exporting config sha256:",
];

/// The transfers of a step that are only counted.
#[derive(Debug, Default)]
pub(super) struct Omitted {
    /// The number of manifests and configs.
    seen: usize,
    /// The index of the first hidden transfer.
    first: Option<usize>,
}

impl Omitted {
    /// Records a new transfer and its index.
    pub(super) fn note(&mut self, number: usize, id: &str) {
        if names_one(id) {
            self.seen += 1;
            if self.seen > SHOWN {
                self.first.get_or_insert(number);
            }
        }
    }

    /// True if the transfer at this index is hidden.
    pub(super) fn contains(&self, number: usize, id: &str) -> bool {
        self.first.is_some_and(|first| number >= first) && names_one(id)
    }

    /// Returns the line that replaces the hidden ones.
    pub(super) fn line(&self) -> Option<String> {
        let count = self.seen.saturating_sub(SHOWN);
        (count > 0).then(|| format!("exporting {count} more manifests and configs"))
    }
}

fn names_one(id: &str) -> bool {
    PREFIXES.iter().any(|prefix| id.starts_with(prefix))
}
