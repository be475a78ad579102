//! Sources of files: images, blobs, the client's folders, git, HTTP, OCI layouts.

mod git;
mod http;
mod image;
mod local;

pub use git::{Bundle, Git, GitAuth, GitSignature, git};
pub use http::{Blob, Http, HttpSignature, http, image_blob, oci_layout_blob};
pub use image::{Image, OciLayout, ResolveMode, image, oci_layout};
pub use local::{Local, MetadataOnly, local};

use std::borrow::Cow;

use super::caps::{Cap, CapSet};
use super::metadata::Constraints;
use super::state::State;
use super::vertex::{Kind, Vertex};

/// Identifier and attributes of a source op.
#[derive(Debug)]
pub(crate) struct SourceOp {
    pub(super) identifier: String,
    /// The attributes, sorted by key.
    pub(super) attributes: Vec<(Cow<'static, str>, String)>,
    pub(super) caps: CapSet,
}

impl SourceOp {
    fn new(identifier: String, cap: Cap) -> Self {
        Self {
            identifier,
            attributes: Vec::new(),
            caps: CapSet::EMPTY.with(cap),
        }
    }

    fn set(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        let (key, value) = (key.into(), value.into());
        match self
            .attributes
            .binary_search_by(|(known, _)| known.cmp(&key))
        {
            Ok(at) => self.attributes[at].1 = value,
            Err(at) => self.attributes.insert(at, (key, value)),
        }
    }

    fn set_needing(
        &mut self,
        key: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
        cap: Cap,
    ) {
        self.set(key, value);
        self.caps.insert(cap);
    }

    /// Sets the session and store of the client's OCI layout; both may be empty.
    fn set_store(&mut self, session: &str, store: &str) {
        for (key, value) in [("oci.session", session), ("oci.store", store)] {
            if !value.is_empty() {
                self.set(key, value);
            }
        }
    }

    /// Only images have a platform on the wire.
    pub(super) fn has_platform(&self) -> bool {
        self.identifier.starts_with("docker-image://")
            || self.identifier.starts_with("oci-layout://")
    }

    pub(super) fn is_local_without_session(&self) -> bool {
        self.identifier.starts_with("local://")
            && !self
                .attributes
                .iter()
                .any(|(key, _)| key == "local.session")
    }

    fn into_state(self, constraints: Constraints) -> State {
        let platform = constraints.platform.clone();
        let state = State::on(Vertex::output(Kind::Source(self), constraints));
        match platform {
            Some(platform) => state.with_platform(&platform),
            None => state,
        }
    }
}

#[cfg(test)]
mod tests;
