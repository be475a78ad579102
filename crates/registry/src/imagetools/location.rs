//! The location of an image.

use std::fmt;

use bytes::Bytes;

use super::Error;
use crate::layout::{Layout, LayoutReference};
use crate::oci::{Descriptor, Digest, Reference};
use crate::registry::{self, BlobSource, Client, Fetched};
use crate::task::blocking;

/// The largest part that is read into memory, in bytes; registries have the same limit.
const LIMIT: u64 = 8 << 20;

/// The location of an image: in a registry, or in a local OCI layout.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// In a registry.
    Registry(Reference),
    /// In a layout's folder.
    Layout(LayoutReference),
}

impl Location {
    /// Parses `[REGISTRY/]REPOSITORY[:TAG][@DIGEST]` or `oci-layout://PATH[:TAG][@DIGEST]`; the
    /// default tag is `latest`.
    ///
    /// # Errors
    /// [`Error::Source`] if the text is malformed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |reason| Error::Source {
            input: text.to_owned(),
            reason: Box::new(reason),
        };
        if LayoutReference::is_one(text) {
            return LayoutReference::parse(text)
                .map(Self::Layout)
                .map_err(|error| invalid(error.into()));
        }
        Reference::parse(text)
            .map(|name| Self::Registry(name.with_default_tag()))
            .map_err(|error| invalid(error.into()))
    }

    /// Returns the short form of the name.
    pub(super) fn familiar(&self) -> String {
        match self {
            Self::Registry(name) => name.familiar(),
            Self::Layout(layout) => layout.to_string(),
        }
    }

    /// Returns the repository or folder.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Registry(name) => name.name(),
            Self::Layout(layout) => LayoutReference {
                tag: None,
                digest: None,
                ..layout.clone()
            }
            .to_string(),
        }
    }

    /// Returns the location without tag and digest; a digest must follow.
    pub(super) fn without_tag(&self) -> Self {
        match self {
            Self::Registry(name) => Self::Registry(name.without_tag()),
            Self::Layout(layout) => Self::Layout(layout.clone()),
        }
    }

    /// Returns the location of a digest in the same repository or folder.
    pub(super) fn at(&self, digest: &Digest) -> Self {
        match self {
            Self::Registry(name) => Self::Registry(name.clone().with_digest(digest.clone())),
            Self::Layout(layout) => Self::Layout(LayoutReference {
                tag: None,
                is_default_tag: false,
                digest: Some(digest.clone()),
                path: layout.path.clone(),
            }),
        }
    }

    /// Fetches the index or manifest.
    pub(super) async fn manifest(&self, client: &Client) -> Result<Fetched, Error> {
        let layout = match self {
            Self::Registry(name) => return Ok(client.manifest(name).await?),
            Self::Layout(layout) => layout.clone(),
        };
        let name = self.to_string();
        blocking(move || {
            let digest = layout.resolve()?;
            let descriptor = Layout::new(&layout.path).descriptor(&digest)?;
            let descriptor = descriptor.ok_or_else(|| missing(&name, &digest))?;
            let bytes = read(&layout, &name, &digest)?;
            Ok(Fetched { descriptor, bytes })
        })
        .await
    }

    /// Returns the referrers of a digest; a layout's are entries of its index.
    pub(super) async fn referrers(
        &self,
        client: &Client,
        digest: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        match self {
            Self::Registry(name) => Ok(client.referrers(name, digest).await?),
            Self::Layout(layout) => {
                let (layout, digest) = (Layout::new(&layout.path), digest.clone());
                blocking(move || Ok(layout.referrers(&digest)?)).await
            }
        }
    }

    /// Returns the source of a blob, for [`Client::push_blob`].
    pub(super) fn source(&self, client: &Client, digest: &Digest) -> BlobSource {
        match self {
            Self::Registry(name) => BlobSource::Repository(Box::new(client.clone()), name.clone()),
            Self::Layout(layout) => BlobSource::File {
                path: Layout::new(&layout.path).blob_path(digest),
                offset: 0,
            },
        }
    }

    /// Reads a whole blob and verifies it.
    pub(super) async fn blob(
        &self,
        client: &Client,
        descriptor: &Descriptor,
    ) -> Result<Bytes, Error> {
        let layout = match self {
            Self::Registry(name) => return Ok(client.small_blob(name, descriptor).await?),
            Self::Layout(layout) => layout.clone(),
        };
        let (name, digest) = (self.to_string(), descriptor.digest.clone());
        blocking(move || read(&layout, &name, &digest)).await
    }
}

fn read(layout: &LayoutReference, name: &str, digest: &Digest) -> Result<Bytes, Error> {
    let bytes = Layout::new(&layout.path).read(digest, LIMIT)?;
    let bytes = bytes.ok_or_else(|| missing(name, digest))?;
    registry::check(name, digest, &bytes)?;
    Ok(bytes.into())
}

fn missing(name: &str, digest: &Digest) -> Error {
    Error::Missing {
        layout: name.to_owned(),
        digest: digest.clone(),
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(name) => name.fmt(f),
            Self::Layout(layout) => layout.fmt(f),
        }
    }
}

impl From<Reference> for Location {
    /// Converts a name in a registry; the default tag is `latest`.
    fn from(name: Reference) -> Self {
        Self::Registry(name.with_default_tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_and_layouts_are_distinguished() {
        for (text, shown) in [
            ("alpine", "docker.io/library/alpine:latest"),
            ("oci-layout://a/b", "oci-layout://a/b:latest"),
            ("oci-layout:///a:1", "oci-layout:///a:1"),
        ] {
            assert_eq!(Location::parse(text).unwrap().to_string(), shown, "{text}");
        }
        let digest = Digest::sha256(b"");
        let layout = Location::parse("oci-layout://a:1").unwrap();
        assert_eq!(
            layout.at(&digest).to_string(),
            format!("oci-layout://a@{digest}")
        );
        for text in ["oci-layout://", "Upper"] {
            assert!(Location::parse(text).is_err(), "{text}");
        }
    }
}
