//! `cache-from` and `cache-to`.

use std::collections::BTreeMap;

/// One cache to import or export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cache {
    /// `registry`, `local`, `gha`, `s3`, `azblob`, `inline`.
    pub kind: String,
    /// Everything else.
    pub attributes: BTreeMap<String, String>,
}
