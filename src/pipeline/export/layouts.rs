//! Local OCI layouts that a build reads or writes: named contexts, local caches, outputs with
//! `type=oci,tar=false`. The daemon transfers the blobs over the session; this client reads the
//! indexes before the build and writes them after it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::causes;
use crate::client::CacheEntry;
use crate::layout::{self, Layout, Name};
use crate::oci::{Descriptor, Digest, Reference};
use crate::pipeline::inputs::named;
use crate::pipeline::request::cache::ON_FAILURE;
use crate::pipeline::request::output::is_true;
use crate::pipeline::{BuildRequest, Destination, Error, Inputs, Output};
use crate::session::{ContentStores, Elsewhere, printable};

/// The default tag of a cache.
const DEFAULT_TAG: &str = "latest";
/// The store that the daemon writes the images of outputs to; it supports only one.
const EXPORT: &str = "export";

/// The layouts of one build.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct Layouts {
    /// The stores that the session serves.
    pub(in crate::pipeline) stores: ContentStores,
    /// The caches to import, with the digests of the local ones.
    pub(in crate::pipeline) cache_from: Vec<CacheEntry>,
    /// The caches to export to.
    pub(in crate::pipeline) cache_to: Vec<CacheEntry>,
    /// The caches of `cache_to` that a failed build exports too.
    pub(in crate::pipeline) of_failure: Vec<CacheEntry>,
    /// Reasons why local caches are not imported. A missing cache is not an error: the first build
    /// of a CI job has none.
    pub(in crate::pipeline) notes: Vec<String>,
    targets: Vec<Target>,
}

/// A layout whose index is written when the build is done.
#[derive(Debug, Clone)]
struct Target {
    layout: Layout,
    store_id: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Cache {
        tag: String,
        ignore_error: bool,
        /// Also exported if the build fails.
        on_failure: bool,
        /// Remove blobs that no entry of the index needs after the export.
        reset: bool,
    },
    /// The names of the image, if they are known before the build.
    Image { names: Vec<Name> },
}

/// Adds the layouts of named contexts.
pub(in crate::pipeline) fn contexts(inputs: &Inputs, stores: ContentStores) -> ContentStores {
    named::layouts(&inputs.named).fold(stores, |stores, (id, folder)| {
        stores.with(format!("oci:{id}"), folder)
    })
}

/// The caches that are not local.
pub(in crate::pipeline) fn elsewhere(caches: &[CacheEntry]) -> Vec<CacheEntry> {
    let caches = caches.iter().filter(|entry| entry.kind != "local");
    caches.cloned().collect()
}

/// Opens the layouts of a build with these outputs. Blocking.
pub(in crate::pipeline) fn open(
    request: &BuildRequest,
    outputs: &[Output],
) -> Result<Layouts, Error> {
    let mut layouts = Layouts::default();
    for entry in &request.cache_from {
        layouts.import(entry.clone());
    }
    for entry in &request.cache_to {
        layouts.export(entry.clone())?;
    }
    for output in outputs.iter().filter(|output| output.is_layout()) {
        if let Some(Destination::Path(folder)) = &output.destination {
            let names = request.names(output).into_iter().map(Name::Image).collect();
            layouts.target(EXPORT.to_owned(), folder, Kind::Image { names });
        }
    }
    Ok(layouts)
}

impl Layouts {
    /// Skips the blobs of outputs that `elsewhere` has.
    pub(in crate::pipeline) fn without(mut self, elsewhere: Option<Arc<dyn Elsewhere>>) -> Self {
        if let Some(elsewhere) = elsewhere {
            self.stores = self.stores.with_elsewhere(EXPORT, elsewhere);
        }
        self
    }

    fn import(&mut self, mut entry: CacheEntry) {
        if entry.kind == "local" {
            let given = entry.attrs.get("src").cloned().unwrap_or_default();
            let found = absolute(&given).and_then(|folder| {
                let digest = imported(&folder, &entry.attrs)?;
                Ok((folder, digest))
            });
            let (folder, digest) = match found {
                Ok(found) => found,
                Err(error) => {
                    let reason = causes::in_one_line(&error);
                    let note = format!("cache of {given} is not imported: {reason}");
                    return self.notes.push(note);
                }
            };
            let name = name_of(&folder);
            let stores = std::mem::take(&mut self.stores);
            self.stores = stores.with(format!("local:{name}"), folder);
            entry.attrs.insert("src".to_owned(), name);
            entry.attrs.insert("digest".to_owned(), digest.to_string());
        }
        self.cache_from.push(entry);
    }

    fn export(&mut self, mut entry: CacheEntry) -> Result<(), Error> {
        // This attribute is not sent to the daemon.
        let on_failure = entry.attrs.remove(ON_FAILURE);
        let on_failure = on_failure.is_some_and(|value| is_true(&value));
        if entry.kind == "local" {
            let attr = |key: &str| entry.attrs.get(key).map(String::as_str);
            let folder = absolute(attr("dest").unwrap_or_default())?;
            let is_set = |key: &str| attr(key).is_some_and(is_true);
            let kind = Kind::Cache {
                tag: attr("tag").unwrap_or(DEFAULT_TAG).to_owned(),
                ignore_error: is_set("ignore-error"),
                on_failure,
                reset: is_set("reset"),
            };
            let name = name_of(&folder);
            self.target(format!("local:{name}"), &folder, kind);
            entry.attrs.insert("dest".to_owned(), name);
        }
        if on_failure {
            self.of_failure.push(entry.clone());
        }
        self.cache_to.push(entry);
        Ok(())
    }

    /// Keeps only the caches that a failed build exports.
    pub(in crate::pipeline) fn of_failed_build(&self) -> Self {
        let is_kept = |target: &&Target| {
            matches!(
                target.kind,
                Kind::Cache {
                    on_failure: true,
                    ..
                }
            )
        };
        Self {
            stores: self.stores.clone(),
            targets: self.targets.iter().filter(is_kept).cloned().collect(),
            ..Self::default()
        }
    }

    fn target(&mut self, store_id: String, folder: &Path, kind: Kind) {
        let stores = std::mem::take(&mut self.stores);
        self.stores = stores.with_writable(store_id.clone(), folder);
        self.targets.push(Target {
            layout: Layout::new(folder),
            store_id,
            kind,
        });
    }

    /// Adds the written images and caches to the indexes. Blocking.
    ///
    /// # Errors
    /// A file cannot be written, unless errors of that cache are ignored.
    pub(in crate::pipeline) fn finish(
        &self,
        response: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        for target in &self.targets {
            let last = self.stores.last_written(&target.store_id);
            let written = match &target.kind {
                Kind::Cache { tag, .. } => {
                    let reported = response.get("cache.manifest").map(String::as_bytes);
                    target.put(last, reported, &[Name::Tag(tag.clone())])
                }
                Kind::Image { names } => {
                    let reported = response.get("containerimage.descriptor");
                    let reported = reported.and_then(|text| BASE64.decode(text).ok());
                    target.put(
                        last,
                        reported.as_deref(),
                        &names_or_reported(names, response),
                    )
                }
            };
            match (written, &target.kind) {
                (Err(_), Kind::Cache { ignore_error, .. }) if *ignore_error => {}
                (written, _) => written?,
            }
        }
        self.reset()
    }

    /// Removes unused blobs after all indexes are written: several caches can share a folder.
    fn reset(&self) -> Result<(), Error> {
        for target in &self.targets {
            let Kind::Cache {
                reset: true,
                ignore_error,
                ..
            } = target.kind
            else {
                continue;
            };
            match target.layout.sweep() {
                Err(_) if ignore_error => {}
                // Nothing was exported to this folder yet.
                Err(layout::Error::NoIndex { .. }) => {}
                swept => drop(swept?),
            }
        }
        Ok(())
    }
}

impl Target {
    /// Several exporters share one answer: use it only if it describes the image that was written
    /// here.
    fn put(
        &self,
        last: Option<Digest>,
        reported: Option<&[u8]>,
        names: &[Name],
    ) -> Result<(), layout::Error> {
        let reported: Option<Descriptor> =
            reported.and_then(|text| serde_json::from_slice(text).ok());
        let image = match (reported, last) {
            (reported, None) => reported,
            (Some(reported), Some(last)) if reported.digest == last => Some(reported),
            (_, Some(last)) => self.layout.descriptor(&last)?,
        };
        match image {
            Some(image) => self.layout.put(&image, names),
            None => Ok(()),
        }
    }
}

/// The given names; without any (`name=*`) those that the daemon reports, or `latest`.
fn names_or_reported(given: &[Name], response: &BTreeMap<String, String>) -> Vec<Name> {
    if !given.is_empty() {
        return given.to_vec();
    }
    let mut names = response
        .get("image.name")
        .map_or(Vec::new(), |it| parsed(it));
    if names.is_empty() {
        names.push(Name::Tag(DEFAULT_TAG.to_owned()));
    }
    names
}

fn parsed(names: &str) -> Vec<Name> {
    let names = names
        .split(',')
        .filter_map(|name| Reference::parse(name).ok());
    names
        .map(|name| Name::Image(name.with_default_tag()))
        .collect()
}

/// The digest of a cache that must exist.
fn imported(folder: &Path, attrs: &BTreeMap<String, String>) -> Result<Digest, layout::Error> {
    let layout = Layout::new(folder);
    let digest = match attrs.get("digest").and_then(|it| Digest::parse(it).ok()) {
        Some(digest) => digest,
        None => layout.find(attrs.get("tag").map_or(DEFAULT_TAG, String::as_str))?,
    };
    match layout.blob(&digest)? {
        Some(_) => Ok(digest),
        None => Err(layout::Error::File {
            action: "read",
            path: layout.blob_path(&digest),
            source: std::io::ErrorKind::NotFound.into(),
        }),
    }
}

fn absolute(path: &str) -> Result<PathBuf, layout::Error> {
    std::path::absolute(path).map_err(|source| layout::Error::File {
        action: "find",
        path: path.into(),
        source,
    })
}

/// The folder's name for the daemon. It is sent in a header, which must be ASCII.
fn name_of(folder: &Path) -> String {
    printable(&folder.to_string_lossy())
}

#[cfg(test)]
mod tests;
