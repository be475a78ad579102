//! The base directories of a target's relative contexts.

use std::collections::BTreeMap;

/// The base directories of a target's contexts: with `BUILDX_BAKE_FILE_RELATIVE_PATHS`, relative
/// paths are relative to the directory of the file that sets them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextBase {
    /// The directory of the file that declares the target; for a target without `context`.
    pub default: Option<String>,
    /// True if the context of a target without `context` is `default`.
    pub uses_default: bool,
    /// The directory of the file that sets `context`.
    pub context: Option<String>,
    /// The target that `context` refers to: `context = target.x.context`.
    pub context_of: Option<String>,
    /// The directory of the file that sets a named context, by name.
    pub contexts: BTreeMap<String, String>,
}
