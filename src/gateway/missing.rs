//! Finds capabilities that a daemon lacks before it is called, and reports them in Dockerfile
//! terms.

use std::collections::HashSet;
use std::fmt;

use prost::Message;

use super::{Bridge, Capabilities, Error, caps};
use crate::llb::{Cap, CapSet, DefinedVertex, Definition, Location};
use crate::proto::pb;

/// A required capability that the daemon lacks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MissingCapability {
    /// The capability's id on the wire.
    pub id: String,
    /// A description of the feature.
    pub feature: &'static str,
    /// The daemon, with its version if known: `BuildKit v0.13.2`.
    pub daemon: String,
    /// The source lines that need it.
    pub locations: Vec<Location>,
}

impl fmt::Display for MissingCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            feature,
            daemon,
            ..
        } = self;
        write!(f, "{daemon} does not know {feature} (capability {id})")
    }
}

/// These options change a step's result, but a daemon that lacks them silently ignores them, and
/// the reference does not declare them in definitions. Required source paths are not among them:
/// without that option a copy takes the existing files.
const OF_FILES: CapSet = CapSet::EMPTY
    .with(Cap::FileCopyIncludeExcludePatterns)
    .with(Cap::FileCopyModeString)
    .with(Cap::FileCopyAlwaysReplaceExistingDestPaths)
    .with(Cap::FileSymlinkCreate);

/// The capability of image exporters to include attestations.
const EXPORTED_ATTESTATIONS: &str = "exporter.image.attestations";

impl Bridge {
    /// Returns an error if the daemon lacks a gateway capability.
    pub(super) async fn need(&self, id: &str) -> Result<(), Error> {
        match self.capabilities().has(id) {
            true => Ok(()),
            false => Err(self.lacks(id, feature(id), Vec::new()).await),
        }
    }

    /// Returns an error if the daemon cannot export attestations.
    ///
    /// # Errors
    /// [`Error::MissingCapability`]
    pub(crate) async fn need_attestations(&self) -> Result<(), Error> {
        match self.capabilities().has_llb(EXPORTED_ATTESTATIONS) {
            true => Ok(()),
            false => Err(self
                .lacks(EXPORTED_ATTESTATIONS, "attestations", Vec::new())
                .await),
        }
    }

    /// Returns an error if the daemon lacks a capability of the definition.
    pub(super) async fn need_all(&self, definition: &Definition) -> Result<(), Error> {
        match missing(self.capabilities(), definition) {
            None => Ok(()),
            Some((cap, lines)) => Err(self.lacks(cap.as_str(), cap.feature(), lines).await),
        }
    }

    async fn lacks(&self, id: &str, feature: &'static str, locations: Vec<Location>) -> Error {
        Error::MissingCapability(Box::new(MissingCapability {
            id: id.to_owned(),
            feature,
            daemon: self.daemon().await,
            locations,
        }))
    }
}

/// Returns the first missing capability, with the source lines that need it.
fn missing(capabilities: &Capabilities, definition: &Definition) -> Option<(Cap, Vec<Location>)> {
    let known = capabilities.llb;
    let files = OF_FILES.iter().any(|cap| !known.contains(cap));
    let mut vertices = definition.vertices().iter();
    let (vertex, cap) = vertices.find_map(|vertex| {
        let mut needed = vertex.caps();
        if files {
            needed = needed.union(of_files(vertex));
        }
        let cap = needed.iter().find(|cap| !known.contains(*cap))?;
        Some((vertex, cap))
    })?;
    Some((cap, lines(vertex, vertices)))
}

/// Returns a vertex's source lines; if it has none, those of the first later vertex that needs the
/// capability.
fn lines<'d>(
    vertex: &'d DefinedVertex,
    later: impl Iterator<Item = &'d DefinedVertex>,
) -> Vec<Location> {
    let mut without = HashSet::from([vertex.digest_str()]);
    let users = std::iter::once(vertex).chain(later.filter(|later| {
        let op = pb::Op::decode(later.op().clone()).unwrap_or_default();
        let uses = op
            .inputs
            .iter()
            .any(|input| without.contains(input.digest.as_str()));
        if uses {
            without.insert(later.digest_str());
        }
        uses
    }));
    let mut located = users.map(|user| user.locations().to_vec());
    located
        .find(|locations| !locations.is_empty())
        .unwrap_or_default()
}

fn of_files(vertex: &DefinedVertex) -> CapSet {
    // This program's own ops always decode; others are checked by the daemon.
    let op = pb::Op::decode(vertex.op().clone()).unwrap_or_default();
    let Some(pb::op::Op::File(file)) = op.op else {
        return CapSet::EMPTY;
    };
    let actions = file.actions.into_iter().filter_map(|action| action.action);
    actions.fold(CapSet::EMPTY, |caps, action| caps.union(of_action(&action)))
}

fn of_action(action: &pb::file_action::Action) -> CapSet {
    let copy = match action {
        pb::file_action::Action::Symlink(_) => return CapSet::EMPTY.with(Cap::FileSymlinkCreate),
        pb::file_action::Action::Copy(copy) => copy,
        _ => return CapSet::EMPTY,
    };
    let patterns = !copy.include_patterns.is_empty() || !copy.exclude_patterns.is_empty();
    let needed = [
        (patterns, Cap::FileCopyIncludeExcludePatterns),
        (!copy.mode_str.is_empty(), Cap::FileCopyModeString),
        (
            copy.always_replace_existing_dest_paths,
            Cap::FileCopyAlwaysReplaceExistingDestPaths,
        ),
    ];
    let needed = needed.into_iter().filter(|(needed, _)| *needed);
    needed.map(|(_, cap)| cap).collect()
}

/// Describes a gateway capability.
fn feature(id: &str) -> &'static str {
    match id {
        caps::RETURN => "builds whose result a client hands over (BuildKit 0.6 does)",
        caps::RETURN_MAP => "results of several platforms",
        caps::ATTESTATIONS => "attestations",
        caps::SOURCE_META => "looking at sources other than images",
        caps::READ_DIR => "listing folders of a result",
        caps::EXEC => "containers on results of a build",
        caps::EXEC_EXTRA_HOSTS => "host names of containers on results",
        caps::EXEC_SECRET_ENV => "secrets as variables of processes on results",
        caps::EXEC_SIGNALS => "signals to processes on results",
        caps::EXEC_FILES => "reading files of a container",
        caps::STAT_FILE => "looking at files of a result",
        _ => "a call that is needed here",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::llb::{
        Constraints, Copy, File, MarshalOptions, Mode, Position, Range, SourceFile, State,
    };

    fn with(caps: CapSet) -> Capabilities {
        let mut found = Capabilities::default();
        found.llb = caps;
        found
    }

    #[test]
    fn a_step_that_an_older_daemon_would_do_differently_is_found_with_its_lines() {
        let line = Range {
            start: Position {
                line: 3,
                character: 0,
            },
            end: Position {
                line: 3,
                character: 0,
            },
        };
        let at = Location {
            file: Arc::new(SourceFile::default()),
            ranges: [line].into(),
        };
        let copy = Copy {
            mode: Some(Mode::Symbolic("u=rwX".into())),
            ..Copy::default()
        };
        let base = crate::llb::local("context", &Default::default(), Constraints::new());
        let copied = State::scratch().file(
            File::new().copy(&base, "/a", "/b", copy),
            Constraints::new().at(at),
        );
        let definition = copied.marshal(&MarshalOptions::default()).unwrap();
        assert!(missing(&with(CapSet::all()), &definition).is_none());
        let older = CapSet::all().without(Cap::FileCopyModeString);
        let (cap, lines) = missing(&with(older), &definition).unwrap();
        assert_eq!(cap, Cap::FileCopyModeString);
        assert_eq!(lines[0].ranges[0].start.line, 3);
        let oldest = CapSet::all().without(Cap::FileBase);
        let (cap, _) = missing(&with(oldest), &definition).unwrap();
        assert_eq!(cap, Cap::FileBase);
    }

    #[test]
    fn what_is_missing_is_reported_with_the_version() {
        let missing = MissingCapability {
            id: "mergeop".into(),
            feature: Cap::MergeOp.feature(),
            daemon: "BuildKit v0.13.2".into(),
            locations: Vec::new(),
        };
        assert_eq!(
            missing.to_string(),
            "BuildKit v0.13.2 does not know merging file systems (COPY --link) (capability mergeop)"
        );
    }
}
