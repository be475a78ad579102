//! The locations of images in the notation of command lines. No I/O.

use std::fmt;
use std::path::PathBuf;

use super::{Error, PlaceProblem};
use crate::layout::LayoutReference;
use crate::oci::{Digest, Reference};

/// The location of an image, as a source or a destination.
///
/// | text | meaning |
/// |---|---|
/// | `NAME`, `docker://NAME` | an image of a registry |
/// | `oci:DIR[:TAG]`, `oci-layout://DIR[:TAG][@DIGEST]` | an image of an OCI layout |
/// | `oci-archive:FILE[:TAG]` | an image of a tar archive of an OCI layout |
/// | `docker-archive:FILE[:NAME]` | an image of an archive of `docker save` |
/// | `docker-daemon:NAME` | an image of a Docker Engine (write only) |
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A registry.
    Registry(Reference),
    /// A layout.
    Layout {
        /// The folder.
        path: PathBuf,
        /// The tag.
        tag: Option<String>,
        /// The digest.
        digest: Option<Digest>,
    },
    /// A tar archive of a layout.
    OciArchive {
        /// The file.
        path: PathBuf,
        /// The tag, or a whole name.
        tag: Option<String>,
    },
    /// An archive in the format of `docker save`.
    DockerArchive {
        /// The file.
        path: PathBuf,
        /// The name.
        name: Option<Reference>,
    },
    /// A Docker Engine.
    Engine(Reference),
}

/// Transports of skopeo that are not supported.
const UNKNOWN: [&str; 5] = ["dir", "containers-storage", "ostree", "tarball", "sif"];

impl Place {
    /// Parses one of the forms above.
    ///
    /// # Errors
    /// [`Error::Place`] if the text is malformed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |reason| Error::Place {
            input: text.to_owned(),
            reason,
        };
        let reference = |name: &str| Reference::parse(name).map_err(|error| invalid(error.into()));
        if LayoutReference::is_one(text) {
            let parsed = LayoutReference::parse_text(text);
            let parsed = parsed.map_err(|problem| invalid(problem.into()))?;
            return Ok(Self::Layout {
                tag: given_tag(text, parsed.tag),
                path: parsed.path,
                digest: parsed.digest,
            });
        }
        if let Some(name) = text.strip_prefix("docker://") {
            return Ok(Self::Registry(reference(name)?.with_default_tag()));
        }
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        let file = || match rest.is_empty() {
            true => Err(invalid(PlaceProblem::NoPath)),
            false => Ok(path_and_name(rest)),
        };
        match scheme {
            "oci" => {
                let (path, tag) = file()?;
                Ok(Self::Layout {
                    path,
                    tag,
                    digest: None,
                })
            }
            "oci-archive" => {
                let (path, tag) = file()?;
                Ok(Self::OciArchive { path, tag })
            }
            "docker-archive" => {
                let (path, name) = file()?;
                let name = name.as_deref().map(reference).transpose()?;
                let name = name.map(Reference::with_default_tag);
                Ok(Self::DockerArchive { path, name })
            }
            "docker-daemon" => Ok(Self::Engine(reference(rest)?.with_default_tag())),
            other if UNKNOWN.contains(&other) => {
                let transport = other.to_owned();
                Err(invalid(PlaceProblem::UnknownTransport { transport }))
            }
            _ => Ok(Self::Registry(reference(text)?.with_default_tag())),
        }
    }
}

/// Drops the default `latest` if it was not written in the text.
fn given_tag(text: &str, tag: Option<String>) -> Option<String> {
    tag.filter(|tag| tag != "latest" || text.ends_with(":latest"))
}

/// Splits at the first colon, as skopeo does.
fn path_and_name(text: &str) -> (PathBuf, Option<String>) {
    match text.split_once(':') {
        Some((path, name)) if !name.is_empty() => (path.into(), Some(name.to_owned())),
        Some((path, _)) => (path.into(), None),
        None => (text.into(), None),
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(name) => write!(f, "{name}"),
            Self::Layout { path, tag, digest } => {
                write!(f, "oci:{}", path.display())?;
                match (tag, digest) {
                    (Some(tag), _) => write!(f, ":{tag}"),
                    (None, Some(digest)) => write!(f, "@{digest}"),
                    (None, None) => Ok(()),
                }
            }
            Self::OciArchive { path, tag } => {
                write!(f, "oci-archive:{}", path.display())?;
                tag.as_ref().map_or(Ok(()), |tag| write!(f, ":{tag}"))
            }
            Self::DockerArchive { path, name } => {
                write!(f, "docker-archive:{}", path.display())?;
                name.as_ref().map_or(Ok(()), |name| write!(f, ":{name}"))
            }
            Self::Engine(name) => write!(f, "docker-daemon:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_distinguished() {
        for (text, shown) in [
            ("alpine", "docker.io/library/alpine:latest"),
            ("localhost:5000/a:1", "localhost:5000/a:1"),
            ("docker://a/b", "docker.io/a/b:latest"),
            ("oci:out", "oci:out"),
            ("oci:/a/out:1.0", "oci:/a/out:1.0"),
            ("oci-layout://out", "oci:out"),
            ("oci-layout://out:latest", "oci:out:latest"),
            ("oci-archive:a.tar:v1", "oci-archive:a.tar:v1"),
            (
                "docker-archive:a.tar:me/app",
                "docker-archive:a.tar:docker.io/me/app:latest",
            ),
            (
                "docker-daemon:app:1",
                "docker-daemon:docker.io/library/app:1",
            ),
        ] {
            assert_eq!(Place::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("oci:", "path is missing"),
            ("dir:/x", "not known here"),
            ("docker://A", "lower-case"),
            ("", "empty"),
            ("oci-layout://", "folder is missing"),
        ] {
            let error = Place::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
