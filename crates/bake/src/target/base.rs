//! The directories at which the relative contexts of a target start.

use std::collections::BTreeMap;

/// Which file set a target's contexts: with `BUILDX_BAKE_FILE_RELATIVE_PATHS`, relative paths start
/// at the directory of that file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextBase {
    /// The directory of the file that declares the target: for a target without `context`.
    pub default: Option<String>,
    /// True if the context of a target without `context` is `default`.
    pub uses_default: bool,
    /// The directory of the file that sets `context`.
    pub context: Option<String>,
    /// The target whose `context` this one's `context` refers to: `context = target.x.context`.
    pub context_of: Option<String>,
    /// The directory of the file that sets a named context.
    pub contexts: BTreeMap<String, String>,
}
