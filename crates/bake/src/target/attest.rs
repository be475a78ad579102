//! `attest`: SBOM and provenance.

use std::collections::BTreeMap;

/// One attestation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attest {
    /// `sbom` or `provenance`.
    pub kind: String,
    /// True if it is turned off.
    pub disabled: bool,
    /// Everything else.
    pub attributes: BTreeMap<String, String>,
}
