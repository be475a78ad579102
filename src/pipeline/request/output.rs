//! Outputs: `-o type=image,name=…,push=true`, `-o type=local,dest=PATH` and their short forms.

mod kind;
mod parse;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use kind::OutputKind;
use kind::{ENGINE_CONTEXT, PREFER_DIGEST, is_other_attribute};

use super::value::ValueError;
use crate::dockerfile::go_bool;

/// An output of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exporter.
    pub kind: OutputKind,
    /// The exporter's attributes, as BuildKit names them (`name`, `push`, `compression` …).
    pub attributes: BTreeMap<String, String>,
    /// The destination of the files or the archive that the daemon sends back.
    pub destination: Option<Destination>,
}

/// The destination of files or an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A folder for [`OutputKind::Local`], a file for archives.
    Path(PathBuf),
    /// The standard output:
    /// [`Environment::standard_output`](crate::pipeline::Environment::standard_output).
    StandardOutput,
}

impl Output {
    /// An image, pushed to the registries of its names.
    pub fn push() -> Self {
        Self {
            kind: OutputKind::Image,
            attributes: BTreeMap::from([("push".to_owned(), "true".to_owned())]),
            destination: None,
        }
    }

    /// `--load`: an image for the engine that builds, or for
    /// [`Environment::load`](crate::pipeline::Environment::load).
    pub fn load() -> Self {
        Self {
            kind: OutputKind::Docker,
            attributes: BTreeMap::new(),
            destination: None,
        }
    }

    /// No output: the result stays in the daemon's cache.
    pub fn nowhere() -> Self {
        Self {
            kind: OutputKind::CacheOnly,
            attributes: BTreeMap::new(),
            destination: None,
        }
    }

    /// Files or an archive at a path; `-` is the standard output.
    pub fn to(kind: OutputKind, path: &str) -> Self {
        let destination = match path {
            "-" => Destination::StandardOutput,
            path => Destination::Path(PathBuf::from(path)),
        };
        Self {
            kind,
            attributes: BTreeMap::new(),
            destination: Some(destination),
        }
    }

    /// True if the result is an OCI image layout in a folder: `type=oci,tar=false` or
    /// `type=docker,tar=false`.
    pub fn is_layout(&self) -> bool {
        is_layout(self.kind, &self.attributes)
    }

    /// True if files that are not in the result are removed from the destination:
    /// `type=local,mode=delete`.
    pub fn deletes(&self) -> bool {
        let mode = self.attributes.get("mode").map(String::as_str);
        self.kind == OutputKind::Local && mode == Some("delete")
    }

    /// True if the output is an image, which has an id and can have annotations.
    pub fn is_image(&self) -> bool {
        matches!(
            self.kind,
            OutputKind::Image | OutputKind::Oci | OutputKind::Docker
        )
    }

    /// The docker context whose engine an image is loaded into: `type=docker,context=NAME`. An
    /// engine that builds keeps the image anyway.
    pub fn engine_context(&self) -> Option<&str> {
        let context = self.attributes.get(ENGINE_CONTEXT).map(String::as_str);
        context.filter(|name| !name.is_empty())
    }

    /// True if the image's id is the digest of its manifest instead of its config's:
    /// `prefer-image-digest=true`.
    pub(in crate::pipeline) fn prefers_digest(&self) -> bool {
        let given = self.attributes.get(PREFER_DIGEST);
        given.is_some_and(|value| is_true(value))
    }

    /// True if the output is an image that is loaded into a separate engine.
    pub(in crate::pipeline) fn is_loaded(&self) -> bool {
        let is_archive = matches!(self.kind, OutputKind::Docker | OutputKind::Oci);
        is_archive && self.destination.is_none()
    }

    /// The attributes for this client, which are not sent to the daemon.
    pub(in crate::pipeline) const OWN: [&str; 2] = [ENGINE_CONTEXT, PREFER_DIGEST];

    /// True if the result is pushed.
    pub fn pushes(&self) -> bool {
        let push = self.attributes.get("push");
        // The daemon takes an empty value for true.
        self.kind == OutputKind::Image && push.is_some_and(|v| v.is_empty() || is_true(v))
    }

    /// Attributes that the exporter does not have. The daemon ignores them.
    pub(super) fn unknown_attributes(&self) -> impl Iterator<Item = ValueError> {
        let known = self.kind.attributes();
        let is_unknown = |key: &&String| {
            !known.contains(&key.as_str()) && !is_other_attribute(self.kind, key.as_str())
        };
        let unknown = self.attributes.keys().filter(is_unknown);
        unknown.map(|key| ValueError::attribute(self.kind.name(), key, known))
    }
}

fn is_layout(kind: OutputKind, attributes: &BTreeMap<String, String>) -> bool {
    let tar = attributes.get("tar");
    matches!(kind, OutputKind::Oci | OutputKind::Docker)
        && tar.is_some_and(|tar| !tar.is_empty() && !is_true(tar))
}

/// True if the image is pushed without a name: `push-by-digest=true`.
pub(crate) fn is_by_digest(attributes: &BTreeMap<String, String>) -> bool {
    let value = attributes.get("push-by-digest");
    value.is_some_and(|value| is_true(value))
}

pub(in crate::pipeline) fn is_true(value: &str) -> bool {
    go_bool(value) == Some(true)
}

#[cfg(test)]
mod tests;
