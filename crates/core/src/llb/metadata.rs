//! Metadata of an op that is not part of its digest: names, cache hints, progress groups, limits,
//! source locations.

use std::borrow::Cow;
use std::sync::Arc;

use super::caps::{Cap, CapSet};
use crate::oci::Platform;

/// The description key whose value the daemon shows as the vertex's name.
pub const CUSTOM_NAME: &str = "llb.customname";

/// Metadata of a vertex that does not change its result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// True to run the vertex even if a cached result exists.
    pub ignore_cache: bool,
    /// Free texts by key, sorted by key; [`CUSTOM_NAME`] is the shown name.
    description: Vec<(Cow<'static, str>, Arc<str>)>,
    /// True to include the result in an exported cache, false to omit it; `None` for the export's
    /// default.
    pub export_cache: Option<bool>,
    /// The group of vertices that the progress shows as one.
    pub progress_group: Option<ProgressGroup>,
    /// Limits of the process.
    pub linux_resources: Option<Arc<LinuxResources>>,
}

impl Metadata {
    /// The description texts, sorted by key.
    pub fn description(&self) -> impl Iterator<Item = (&str, &str)> {
        self.description
            .iter()
            .map(|(key, value)| (key.as_ref(), value.as_ref()))
    }

    /// Returns the capabilities that the daemon needs for it.
    pub(crate) fn caps(&self) -> CapSet {
        let needed = [
            (self.ignore_cache, Cap::MetaIgnoreCache),
            (!self.description.is_empty(), Cap::MetaDescription),
            (self.export_cache.is_some(), Cap::MetaExportCache),
        ];
        needed
            .into_iter()
            .filter(|(needed, _)| *needed)
            .map(|(_, cap)| cap)
            .collect()
    }

    /// Returns the name that the daemon shows, if one is set.
    pub fn name(&self) -> Option<&str> {
        self.description()
            .find(|(key, _)| *key == CUSTOM_NAME)
            .map(|(_, name)| name)
    }

    pub(crate) fn describe(
        &mut self,
        key: impl Into<Cow<'static, str>>,
        value: impl Into<Arc<str>>,
    ) {
        let (key, value) = (key.into(), value.into());
        match self
            .description
            .binary_search_by(|(known, _)| known.cmp(&key))
        {
            Ok(at) => self.description[at].1 = value,
            Err(at) => self.description.insert(at, (key, value)),
        }
    }

    /// Adds the metadata of an equal vertex; if both set a field, `later` wins.
    pub(crate) fn merge(&mut self, later: &Self) {
        self.ignore_cache |= later.ignore_cache;
        for (key, value) in &later.description {
            self.describe(key.clone(), value.clone());
        }
        if later.export_cache.is_some() {
            self.export_cache = later.export_cache;
        }
        if later.progress_group.is_some() {
            self.progress_group.clone_from(&later.progress_group);
        }
        if later.linux_resources.is_some() {
            self.linux_resources.clone_from(&later.linux_resources);
        }
    }
}

/// A group of vertices that the progress shows as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressGroup {
    /// The id of the group, unique in a build.
    pub id: Arc<str>,
    /// The shown name.
    pub name: Arc<str>,
    /// True if the progress of this vertex does not start the group.
    pub weak: bool,
}

/// CPU and memory limits of a process; 0 and empty mean no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinuxResources {
    /// Memory in bytes.
    pub memory: i64,
    /// Memory and swap together in bytes; -1 is unlimited.
    pub memory_swap: i64,
    /// The relative CPU weight among competing processes.
    pub cpu_shares: u64,
    /// The scheduling period in microseconds.
    pub cpu_period: u64,
    /// The CPU time per period in microseconds.
    pub cpu_quota: i64,
    /// The allowed CPUs, as `0-3,5`.
    pub cpuset_cpus: String,
    /// The allowed memory nodes, as `0-3,5`.
    pub cpuset_mems: String,
}

/// The settings that every vertex can have.
#[derive(Clone, Debug, Default)]
pub struct Constraints {
    /// The platform of the vertex, if it differs from that of the state or of the whole definition.
    pub platform: Option<Arc<Platform>>,
    /// Labels that the worker must have.
    pub filter: Vec<String>,
    pub(crate) metadata: Metadata,
    pub(crate) locations: Vec<Location>,
}

impl Constraints {
    /// Returns default constraints.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the shown name.
    #[must_use]
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        self.described(CUSTOM_NAME, name)
    }

    /// Adds a description text.
    #[must_use]
    pub fn described(
        mut self,
        key: impl Into<Cow<'static, str>>,
        value: impl Into<Arc<str>>,
    ) -> Self {
        self.metadata.describe(key, value);
        self
    }

    /// Sets the platform.
    #[must_use]
    pub fn on(mut self, platform: impl Into<Arc<Platform>>) -> Self {
        self.platform = Some(platform.into());
        self
    }

    /// Adds source lines.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.locations.push(location);
        self
    }

    /// Disables cached results if `ignore` is true.
    #[must_use]
    pub fn ignoring_cache(mut self, ignore: bool) -> Self {
        self.metadata.ignore_cache |= ignore;
        self
    }

    /// Includes the result in an exported cache or omits it, overriding the export's default.
    #[must_use]
    pub fn exporting_cache(mut self, export: bool) -> Self {
        self.metadata.export_cache = Some(export);
        self
    }

    /// Adds the vertex to a progress group.
    #[must_use]
    pub fn in_group(mut self, group: ProgressGroup) -> Self {
        self.metadata.progress_group = Some(group);
        self
    }

    /// Sets CPU and memory limits.
    #[must_use]
    pub fn limited(mut self, resources: Arc<LinuxResources>) -> Self {
        self.metadata.linux_resources = Some(resources);
        self
    }
}

/// A source file of vertices, for error messages.
#[derive(Clone, Debug, Default)]
pub struct SourceFile {
    /// Its name, as messages show it.
    pub filename: String,
    /// Its language in GitHub linguist's names: `Dockerfile`.
    pub language: String,
    /// Its text.
    pub data: Vec<u8>,
    /// A definition with which the daemon can read the file again.
    pub definition: Option<Arc<super::Definition>>,
}

/// Lines of a source file.
#[derive(Clone, Debug)]
pub struct Location {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The ranges, first to last.
    pub ranges: Arc<[Range]>,
}

/// A range between two positions, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The first position.
    pub start: Position,
    /// The last position.
    pub end: Position,
}

/// A line, counted from 1, and a character in it, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: i32,
    /// The character.
    pub character: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_description_wins_and_the_rest_is_kept() {
        let mut first = Constraints::new().named("one").described("a", "x").metadata;
        let second = Constraints::new()
            .named("two")
            .ignoring_cache(true)
            .metadata;
        first.merge(&second);
        assert_eq!(first.name(), Some("two"));
        assert_eq!(
            first.description().collect::<Vec<_>>(),
            [("a", "x"), (CUSTOM_NAME, "two")]
        );
        assert!(first.ignore_cache);
    }
}
