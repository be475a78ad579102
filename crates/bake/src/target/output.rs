//! `output`: what becomes of a build's result.

use std::collections::BTreeMap;

/// One output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The exporter: `image`, `registry`, `local`, `tar`, `oci`, `docker`, `cacheonly`.
    pub kind: String,
    /// `dest`: a path, `-` for stdout, empty if there is none.
    pub destination: String,
    /// Everything else.
    pub attributes: BTreeMap<String, String>,
}
