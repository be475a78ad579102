//! Named contexts as the daemon receives them: attributes, folders of the session, ignore files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder;
use crate::layout::LayoutReference;
use crate::oci::Digest;
use crate::pipeline::{Error, NamedContext, Prepared};
use crate::session::{self, Directories};
use crate::translate::{self, LocalContext, RemoteKind, remote_kind};

/// The capability that a frontend needs for named contexts. A frontend that it forwards to does not
/// need it.
const CONTEXTS: &str = "moby.buildkit.frontend.contexts+forward";
/// The capability that a frontend needs for the query of a git URL.
pub(super) const GIT_QUERIES: &str = "moby.buildkit.frontend.gitquerystring";

/// A named context whose folder and ignore file have been read.
#[derive(Debug, Clone)]
pub(in crate::pipeline) enum NamedRead {
    Directory {
        path: PathBuf,
        excludes: Vec<String>,
        /// The path of its ignore file, if that is UTF-16.
        utf16_ignore_file: Option<PathBuf>,
    },
    Remote(String),
    /// An image in a local OCI layout, with the id of its content store.
    Layout {
        id: String,
        reference: LayoutReference,
        digest: Digest,
    },
    /// The result of another build.
    Build(Arc<Prepared>),
}

pub(in crate::pipeline) fn read(
    given: &BTreeMap<String, NamedContext>,
) -> Result<BTreeMap<String, NamedRead>, Error> {
    let read = |(name, context): (&String, &NamedContext)| {
        let read = match context {
            NamedContext::Remote(specifier) => NamedRead::Remote(specifier.clone()),
            NamedContext::Directory(path) => directory(name, path)?,
            NamedContext::Layout(reference) => layout(name, reference)?,
            NamedContext::Build(prepared) => NamedRead::Build(Arc::clone(prepared)),
            NamedContext::Stage(stage) => NamedRead::Remote(format!("target:{stage}")),
        };
        Ok((name.clone(), read))
    };
    given.iter().map(read).collect()
}

fn directory(name: &str, given: &Path) -> Result<NamedRead, Error> {
    let failed = |source| Error::NamedContext {
        name: name.to_owned(),
        source: Box::new(source),
    };
    let path = folder::context_folder(given).map_err(failed)?;
    let ignored = folder::ignore_file(&path, None).map_err(failed)?;
    let (excludes, utf16_ignore_file) = match ignored {
        Some(file) => (file.patterns, file.is_utf16.then_some(file.path)),
        None => (Vec::new(), None),
    };
    Ok(NamedRead::Directory {
        path,
        excludes,
        utf16_ignore_file,
    })
}

fn layout(name: &str, reference: &LayoutReference) -> Result<NamedRead, Error> {
    let digest = reference.resolve().map_err(|source| Error::NamedContext {
        name: name.to_owned(),
        source: Box::new(source.into()),
    })?;
    Ok(NamedRead::Layout {
        // The id takes the place of the image's name in the attribute.
        id: session::new_id()?,
        reference: reference.clone(),
        digest,
    })
}

/// The attributes `context:NAME`, with those that each context needs.
pub(in crate::pipeline) fn attributes(
    contexts: &BTreeMap<String, NamedRead>,
) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    for (name, context) in contexts {
        if let NamedRead::Directory { path, .. } = context {
            attributes.insert(format!("sharedkey:localdir:{name}"), shared_key(path));
        }
        if let Some(specifier) = specifier(name, context) {
            attributes.insert(format!("context:{name}"), specifier);
        }
    }
    attributes
}

/// The value of `context:NAME`. `None` for a build: its graph is inserted during the translation.
fn specifier(name: &str, context: &NamedRead) -> Option<String> {
    match context {
        NamedRead::Remote(specifier) => Some(specifier.clone()),
        NamedRead::Layout {
            id,
            reference,
            digest,
        } => {
            let served = LayoutReference {
                path: PathBuf::from(id),
                tag: reference.tag.clone(),
                is_default_tag: false,
                digest: Some(digest.clone()),
            };
            Some(served.to_string())
        }
        NamedRead::Directory { .. } => Some(format!("local:{}", local_name(name))),
        NamedRead::Build(_) => None,
    }
}

/// The capabilities that a frontend needs for these contexts.
pub(in crate::pipeline) fn capabilities(contexts: &BTreeMap<String, NamedRead>) -> Vec<String> {
    let queried = |context: &NamedRead| match context {
        NamedRead::Remote(url) => {
            matches!(remote_kind(url), Ok(Some(RemoteKind::Git { query: true })))
        }
        NamedRead::Directory { .. } | NamedRead::Layout { .. } | NamedRead::Build(_) => false,
    };
    let mut capabilities = Vec::new();
    if !contexts.is_empty() {
        capabilities.push(CONTEXTS.to_owned());
    }
    if contexts.values().any(queried) {
        capabilities.push(format!("{GIT_QUERIES}+forward"));
    }
    capabilities
}

/// The folders of OCI layouts, by the ids of their stores.
pub(in crate::pipeline) fn layouts(
    contexts: &BTreeMap<String, NamedRead>,
) -> impl Iterator<Item = (&str, &Path)> {
    contexts.values().filter_map(|context| match context {
        NamedRead::Layout { id, reference, .. } => Some((id.as_str(), reference.path.as_path())),
        NamedRead::Directory { .. } | NamedRead::Remote(_) | NamedRead::Build(_) => None,
    })
}

/// The builds whose results are contexts.
pub(in crate::pipeline) fn builds(
    contexts: &BTreeMap<String, NamedRead>,
) -> impl Iterator<Item = (&String, &Arc<Prepared>)> {
    contexts.iter().filter_map(|(name, context)| match context {
        NamedRead::Build(prepared) => Some((name, prepared)),
        NamedRead::Directory { .. } | NamedRead::Remote(_) | NamedRead::Layout { .. } => None,
    })
}

/// The folders, by their names in the session.
pub(in crate::pipeline) fn directories(
    contexts: &BTreeMap<String, NamedRead>,
) -> Result<Directories, Error> {
    let mut directories = Directories::new();
    for (name, path, _) in folders(contexts) {
        directories = directories.with(local_name(name), path)?;
    }
    Ok(directories)
}

/// The patterns of the folders' ignore files, by the folders' names in the session.
pub(in crate::pipeline) fn excludes(
    contexts: &BTreeMap<String, NamedRead>,
) -> BTreeMap<String, Vec<String>> {
    let excludes = folders(contexts);
    excludes
        .map(|(name, _, excludes)| (local_name(name), excludes.to_vec()))
        .collect()
}

/// The contexts for this library's translation, which reads ignore files without a daemon.
pub(in crate::pipeline) fn for_translation(
    contexts: &BTreeMap<String, NamedRead>,
) -> BTreeMap<String, translate::NamedContext> {
    let typed = contexts.iter().filter_map(|(name, context)| {
        let typed = match context {
            NamedRead::Directory { path, excludes, .. } => {
                translate::NamedContext::Local(LocalContext {
                    exclude_patterns: excludes.clone(),
                    shared_key: shared_key(path),
                    ..LocalContext::new(local_name(name))
                })
            }
            other => translate::NamedContext::from_specifier(&specifier(name, other)?),
        };
        Some((name.clone(), typed))
    });
    typed.collect()
}

/// The paths of the folders, by their names in the session.
pub(in crate::pipeline) fn paths(
    contexts: &BTreeMap<String, NamedRead>,
) -> impl Iterator<Item = (String, &Path)> {
    folders(contexts).map(|(name, path, _)| (local_name(name), path))
}

fn folders(
    contexts: &BTreeMap<String, NamedRead>,
) -> impl Iterator<Item = (&String, &Path, &[String])> {
    contexts.iter().filter_map(|(name, context)| match context {
        NamedRead::Directory { path, excludes, .. } => {
            Some((name, path.as_path(), excludes.as_slice()))
        }
        NamedRead::Remote(_) | NamedRead::Layout { .. } | NamedRead::Build(_) => None,
    })
}

/// The name of a named context's folder in a session and in `local://`. The names of the main
/// context and of the Dockerfile's folder are reserved.
pub fn local_name(name: &str) -> String {
    match name {
        "context" | "dockerfile" => format!("_{name}"),
        _ => name.to_owned(),
    }
}

fn shared_key(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
