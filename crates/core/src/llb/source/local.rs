//! Folders of the client.

use super::super::caps::Cap;
use super::super::go_json::go_json;
use super::super::metadata::Constraints;
use super::super::state::State;
use super::SourceOp;

/// The options for transferring a folder of the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// The session that serves the folder; empty for the definition's unique id.
    pub session: String,
    /// Only matching files are transferred; empty means all.
    pub include_patterns: Vec<String>,
    /// Only these paths and the targets of their symlinks are transferred; empty means all.
    pub follow_paths: Vec<String>,
    /// Matching files are not transferred.
    pub exclude_patterns: Vec<String>,
    /// A key that lets folders share earlier transfers.
    pub shared_key_hint: String,
    /// True to transfer all files, without comparing to an earlier transfer.
    pub no_differ: bool,
    /// Transfers names, modes and times, but no contents.
    pub metadata_only: Option<MetadataOnly>,
}

/// A transfer without contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataOnly {
    /// The files whose contents are transferred anyway.
    pub exceptions: Vec<String>,
}

/// Returns the folder that the client serves as `name`.
pub fn local(name: &str, local: &Local, constraints: Constraints) -> State {
    let mut source = SourceOp::new(format!("local://{name}"), Cap::SourceLocal);
    let lists = [
        (
            "local.includepattern",
            &local.include_patterns,
            Cap::SourceLocalIncludePatterns,
        ),
        (
            "local.followpaths",
            &local.follow_paths,
            Cap::SourceLocalFollowPaths,
        ),
        (
            "local.excludepatterns",
            &local.exclude_patterns,
            Cap::SourceLocalExcludePatterns,
        ),
    ];
    for (key, list, cap) in lists {
        if !list.is_empty() {
            source.set_needing(key, go_json(list), cap);
        }
    }
    if !local.session.is_empty() {
        source.set_needing("local.session", &local.session, Cap::SourceLocalSessionId);
    }
    if !local.shared_key_hint.is_empty() {
        source.set_needing(
            "local.sharedkeyhint",
            &local.shared_key_hint,
            Cap::SourceLocalSharedKeyHint,
        );
    }
    if local.no_differ {
        source.set("local.differ", "none");
    }
    if let Some(only) = &local.metadata_only {
        let cap = Cap::SourceMetadataTransfer;
        source.set_needing("local.metadatatransfer", "true", cap);
        if !only.exceptions.is_empty() {
            source.set("local.metadatatransferexclude", go_json(&only.exceptions));
        }
    }
    source.into_state(constraints)
}
