//! Selects the requested targets from the declarations.
//!
//! Names and patterns select groups and targets; inheritance, `--set` and links complete them.

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

/// The complete targets to build, and the groups that were requested.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The selected groups. `default` has the requested names.
    pub groups: BTreeMap<String, Group>,
    /// The targets, including those that others link to.
    pub targets: BTreeMap<String, Target>,
}
