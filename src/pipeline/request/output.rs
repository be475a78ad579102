//! Outputs: `-o type=image,name=…,push=true`, `-o type=local,dest=PATH` and their short forms.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use super::value::ValueError;
use crate::dockerfile::go_bool;
use crate::pipeline::Error;
use crate::text::csv_fields;

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

/// The exporters that an [`Output`] can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputKind {
    /// An image in the daemon's store, pushed when the attribute `push` is `true`.
    Image,
    /// The files, in a local folder; with several platforms each has a subfolder.
    Local,
    /// The files, in a tar archive.
    Tar,
    /// An OCI image layout in a tar archive.
    Oci,
    /// A tar archive for `docker load`. Without a destination the image is loaded into the engine
    /// that builds.
    Docker,
    /// Nothing: the result stays in the cache.
    CacheOnly,
}

impl OutputKind {
    const ALL: [(&'static str, Self); 7] = [
        ("image", Self::Image),
        ("registry", Self::Image),
        ("local", Self::Local),
        ("tar", Self::Tar),
        ("oci", Self::Oci),
        ("docker", Self::Docker),
        ("cacheonly", Self::CacheOnly),
    ];

    /// The name of the exporter on the daemon.
    pub(in crate::pipeline) fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, kind)| *kind == self);
        found.map_or("", |(name, _)| name)
    }

    fn attributes(self) -> &'static [&'static str] {
        match self {
            Self::Image | Self::Oci | Self::Docker => IMAGE_ATTRIBUTES,
            Self::Local | Self::Tar => &["platform-split", "attestation-prefix"],
            Self::CacheOnly => &[],
        }
    }
}

/// The docker context that an image is loaded into.
const ENGINE_CONTEXT: &str = "context";
/// Selects the digest that is the image's id.
const PREFER_DIGEST: &str = "prefer-image-digest";

/// The attributes of the image exporter that buildx knows.
const IMAGE_ATTRIBUTES: &[&str] = &[
    "name",
    "push",
    "push-by-digest",
    "registry.insecure",
    "dangling-name-prefix",
    "danging-name-empty-only",
    "name-canonical",
    "unpack",
    "store",
    "compression",
    "compression-level",
    "force-compression",
    "rewrite-timestamp",
    "oci-mediatypes",
    "oci-artifact",
    "attestation-inline",
    "prefer-image-digest",
    "prefer-nondist-layers",
    "buildinfo",
    "buildinfo-attrs",
];

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

impl FromStr for Output {
    type Err = Error;

    /// Parses `type=…,dest=…,key=value,…` as one CSV record: a field with commas is quoted
    /// (`"name=a,b"`). A single path means `type=local,dest=PATH`, a single `-` a tar archive on
    /// the standard output.
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |source| Error::Output {
            input: text.to_owned(),
            source: Box::new(source),
        };
        let fields = csv_fields(text).map_err(|error| invalid(error.into()))?;
        if let ([field], false) = (fields.as_slice(), text.starts_with("type="))
            && field == text
            && !text.is_empty()
        {
            let kind = if text == "-" {
                OutputKind::Tar
            } else {
                OutputKind::Local
            };
            return Ok(Self::to(kind, text));
        }
        let (mut kind, mut destination) = (None, None);
        let mut attributes = BTreeMap::new();
        for field in fields {
            let Some((key, value)) = field.split_once('=') else {
                return Err(invalid(ValueError::form(&field, "key=value")));
            };
            match key.trim().to_ascii_lowercase().as_str() {
                "type" => kind = Some(value.to_owned()),
                "dest" => destination = Some(value.to_owned()),
                "" => return Err(invalid(ValueError::NoKey { field })),
                key => {
                    attributes.insert(key.to_owned(), value.to_owned());
                }
            }
        }
        let name = kind.ok_or_else(|| invalid(missing("type", "for example type=image")))?;
        Self::of(&name, attributes, destination).map_err(invalid)
    }
}

impl Output {
    /// Makes an output from the name of its type, which may be `registry`.
    ///
    /// # Errors
    /// [`Error::Output`] for an unknown type, and for a destination that the type does not support.
    pub fn new(
        name: &str,
        attributes: BTreeMap<String, String>,
        destination: Option<String>,
    ) -> Result<Self, Error> {
        Self::of(name, attributes, destination).map_err(|source| Error::Output {
            input: format!("type={name}"),
            source: Box::new(source),
        })
    }

    fn of(
        name: &str,
        mut attributes: BTreeMap<String, String>,
        destination: Option<String>,
    ) -> Result<Self, ValueError> {
        let found = OutputKind::ALL.iter().find(|(known, _)| *known == name);
        let kind = found.map(|(_, kind)| *kind).ok_or_else(|| {
            let names: Vec<&'static str> = OutputKind::ALL.iter().map(|(name, _)| *name).collect();
            ValueError::unknown("type", name, &names)
        })?;
        if name == "registry" {
            let push = attributes.entry("push".to_owned()).or_default();
            // buildx pushes whatever the value is; an explicit false is respected here.
            if go_bool(push) != Some(false) {
                *push = "true".to_owned();
            }
        }
        check_attributes(kind, &attributes)?;
        let destination = match is_layout(kind, &attributes) {
            true => folder_of(destination),
            false => destination_of(kind, destination),
        };
        let destination = destination?;
        Ok(Self {
            kind,
            attributes,
            destination,
        })
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

fn folder_of(given: Option<String>) -> Result<Option<Destination>, ValueError> {
    match given.as_deref() {
        None | Some("") => Err(missing("dest", "the folder for the image (tar=false)")),
        Some("-") => Err(ValueError::NotToStandardOutput {
            what: "a folder (tar=false)",
            instead: "tar=true",
        }),
        Some(path) => Ok(Some(Destination::Path(PathBuf::from(path)))),
    }
}

/// Archives go to the standard output by default, as in buildx; an image for docker is loaded.
fn destination_of(
    kind: OutputKind,
    given: Option<String>,
) -> Result<Option<Destination>, ValueError> {
    let given = given.filter(|path| !path.is_empty());
    match (kind, given.as_deref()) {
        (OutputKind::Image | OutputKind::CacheOnly, Some(_)) => {
            Err(ValueError::NoDestination { kind: kind.name() })
        }
        (OutputKind::Image | OutputKind::CacheOnly | OutputKind::Docker, None) => Ok(None),
        (OutputKind::Local, None) => Err(missing("dest", "the folder for the files")),
        (OutputKind::Local, Some("-")) => Err(ValueError::NotToStandardOutput {
            what: "files",
            instead: "type=tar",
        }),
        (_, None | Some("-")) => Ok(Some(Destination::StandardOutput)),
        (_, Some(path)) => Ok(Some(Destination::Path(PathBuf::from(path)))),
    }
}

fn missing(key: &'static str, why: &str) -> ValueError {
    ValueError::Missing {
        key,
        why: why.to_owned(),
    }
}

/// Checks the values that this client reads. Unknown attributes are sent to the daemon, which
/// ignores them: see [`Output::unknown_attributes`].
fn check_attributes(
    kind: OutputKind,
    attributes: &BTreeMap<String, String>,
) -> Result<(), ValueError> {
    for (key, value) in attributes {
        let expected = match (kind, key.as_str()) {
            (OutputKind::Local, "mode") if !matches!(value.as_str(), "" | "copy" | "delete") => {
                "copy nor delete"
            }
            (OutputKind::Oci | OutputKind::Docker, "tar") | (OutputKind::Image, "push")
                if !value.is_empty() && go_bool(value).is_none() =>
            {
                "true nor false"
            }
            _ => continue,
        };
        return Err(ValueError::neither(key, value, expected));
    }
    Ok(())
}

/// True for attributes that are not in the list of the kind: those of this client, and annotations.
fn is_other_attribute(kind: OutputKind, key: &str) -> bool {
    match kind {
        OutputKind::Image => key.starts_with("annotation"),
        OutputKind::Oci => key == "tar" || key.starts_with("annotation"),
        OutputKind::Docker => {
            key == "tar" || key == ENGINE_CONTEXT || key.starts_with("annotation")
        }
        OutputKind::Local => key == "mode",
        OutputKind::Tar | OutputKind::CacheOnly => false,
    }
}

#[cfg(test)]
mod tests;
