//! From what files declare to the targets that were asked for.
//!
//! Names and patterns select groups and targets; inheritance, `--set` and links make them whole.

mod budget;

mod pattern;

mod overrides;

mod override_apply;

mod outputs;

mod inherit;

mod groups;

mod links;

mod leave_out;

mod select;

pub use overrides::Override;
pub(crate) use overrides::{GivenOverride, overrides_of};
pub(crate) use select::plan;

use std::collections::BTreeMap;

use crate::target::{Group, Target};

/// The targets to build, whole, and the groups they were asked for by.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The groups that were reached. `default` holds the names that were asked for.
    pub groups: BTreeMap<String, Group>,
    /// The targets, also those that others link to.
    pub targets: BTreeMap<String, Target>,
}
