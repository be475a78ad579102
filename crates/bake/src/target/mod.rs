//! Groups and targets with typed attributes.

mod attest;
mod base;
mod cache;
mod csv;
mod error;
mod fields;
mod merge;
mod names;
pub(crate) mod object_values;
mod output;
mod policy;
mod resources;
mod secret;
mod size;
mod ssh;
pub(crate) mod values;

use std::collections::BTreeMap;

pub use attest::Attest;
pub use base::ContextBase;
pub use cache::Cache;
pub(crate) use csv::csv_fields_by;
pub use csv::{CsvError, csv_fields};
pub use error::{AttributeError, parse_bool};
pub use names::{NAME_CHARACTERS, is_valid_name, sanitize_name};
pub use output::Output;
pub use policy::{LogLevel, Policy};
pub use resources::Resources;
pub use secret::Secret;
pub use ssh::Ssh;

/// Groups and targets as files declare them, before targets are selected.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definition {
    /// Groups, in the order of the files.
    pub groups: Vec<Group>,
    /// Targets, in the order of the files.
    pub targets: Vec<Target>,
}

/// A name for several targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The name.
    pub name: String,
    /// The purpose of the group, for people.
    pub description: String,
    /// Its targets and groups.
    pub targets: Vec<String>,
    /// True if no file sets the targets of the group: a compose project that builds nothing.
    pub is_unset: bool,
}

/// A build target with its attributes.
///
/// An attribute is an `Option` if `None` and an empty list differ: `Some` of an empty list clears
/// the inherited value.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Target {
    /// The name.
    pub name: String,
    /// The purpose of the target, for people.
    pub description: String,
    /// Targets whose attributes this one inherits; empty once resolved.
    pub inherits: Vec<String>,
    /// `annotations`, such as `index:key=value`.
    pub annotations: Vec<String>,
    /// `attest`
    pub attest: Vec<Attest>,
    /// `context`
    pub context: Option<String>,
    /// `contexts`: named contexts.
    pub contexts: BTreeMap<String, String>,
    /// `dockerfile`
    pub dockerfile: Option<String>,
    /// `dockerfile-inline`
    pub dockerfile_inline: Option<String>,
    /// `args`
    pub args: BTreeMap<String, String>,
    /// `labels`
    pub labels: BTreeMap<String, String>,
    /// `tags`
    pub tags: Option<Vec<String>>,
    /// `cache-from`
    pub cache_from: Option<Vec<Cache>>,
    /// `cache-to`
    pub cache_to: Option<Vec<Cache>>,
    /// `target`: the stage to build.
    pub target: Option<String>,
    /// `secret`
    pub secrets: Vec<Secret>,
    /// `ssh`
    pub ssh: Vec<Ssh>,
    /// `platforms`
    pub platforms: Option<Vec<String>>,
    /// `output`
    pub outputs: Option<Vec<Output>>,
    /// `pull`
    pub pull: Option<bool>,
    /// `no-cache`
    pub no_cache: Option<bool>,
    /// `network`
    pub network: Option<String>,
    /// `no-cache-filter`
    pub no_cache_filter: Vec<String>,
    /// `shm-size`
    pub shm_size: Option<String>,
    /// `ulimits`
    pub ulimits: Vec<String>,
    /// `resources`
    pub resources: Option<Resources>,
    /// `call`: the frontend method, `build` if absent.
    pub call: Option<String>,
    /// `entitlements`
    pub entitlements: Vec<String>,
    /// `extra-hosts`
    pub extra_hosts: BTreeMap<String, String>,
    /// `policy`
    pub policy: Vec<Policy>,
    /// True if the target was not requested, but another target links to it.
    pub linked: bool,
    /// The base directories of relative contexts, for `BUILDX_BAKE_FILE_RELATIVE_PATHS`.
    pub context_base: ContextBase,
}
