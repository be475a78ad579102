//! The fields that are unknown before the daemon is asked, and the requests for them.

use std::collections::BTreeSet;

use crate::source::Source;

const IMAGE_CONFIG: &[&str] = &["labels", "user", "volumes", "workingDir", "env"];
const IMAGE_CHAIN: &[&str] = &["hasProvenance", "provenance", "signatures"];
const GIT: &[&str] = &[
    "tagName",
    "branch",
    "ref",
    "checksum",
    "isAnnotatedTag",
    "commitChecksum",
    "isSHA256",
    "tag",
    "commit",
];

/// True if a field with this name can be unknown in any kind of source.
pub(crate) fn may_be_unknown(name: &str) -> bool {
    IMAGE_CONFIG.contains(&name) || IMAGE_CHAIN.contains(&name) || GIT.contains(&name)
}

/// True if a daemon can be asked for this field.
pub(crate) fn is_resolvable(field: &str) -> bool {
    let Some((kind, name)) = field.split_once('.') else {
        return false;
    };
    let first = name.split(['.', '[']).next().unwrap_or_default();
    match kind {
        "image" => {
            name == "checksum"
                || IMAGE_CONFIG.contains(&name)
                || name == "hasProvenance"
                || name == "signatures"
                || first == "provenance"
        }
        "git" => GIT.contains(&name),
        "http" => name == "checksum",
        _ => false,
    }
}

/// Returns the unknown fields of an image of which nothing is known yet.
pub(crate) fn of_image(config: bool, chain: bool) -> Vec<String> {
    let config = IMAGE_CONFIG.iter().filter(|_| !config);
    let chain = IMAGE_CHAIN.iter().filter(|_| !chain);
    config
        .chain(chain)
        .map(|name| format!("image.{name}"))
        .collect()
}

/// The request to the daemon for information about a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// True for the image's config.
    pub image_config: bool,
    /// True for the image's attestation chain.
    pub attestations: bool,
    /// True for the provenance in that chain.
    pub provenance: bool,
    /// True for the git ref's commit.
    pub git: bool,
    /// True for the commit and tag objects themselves.
    pub git_objects: bool,
    /// True for the download's checksum.
    pub http: bool,
    /// A digest over the download and a suffix, for a detached signature.
    pub checksum: Option<ChecksumRequest>,
}

/// A digest over a download and a suffix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChecksumRequest {
    /// The algorithm.
    pub algorithm: HashAlgorithm,
    /// The bytes to hash after the content.
    pub suffix: Vec<u8>,
}

/// The algorithms of [`ChecksumRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// Returns the name in digests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }
}

impl Request {
    /// Returns the request for these fields (`image.labels`, `git.commit` …). It includes the
    /// information in `known`, because the daemon's next answer replaces the previous one.
    pub fn new(fields: &BTreeSet<String>, known: &Source) -> Self {
        let mut request = Self::default();
        for field in fields {
            request.add(field);
        }
        let is_image = request.image_config || request.attestations;
        if let Some(image) = known.image.as_ref().filter(|_| is_image) {
            request.image_config |= image.config.is_some();
            request.attestations |= image.chain.is_some();
            request.provenance |= image.chain.is_some();
        }
        if let Some(git) = known.git.as_ref().filter(|_| request.git) {
            request.git_objects |= !git.commit_object.is_empty();
        }
        request
    }

    fn add(&mut self, field: &str) {
        let Some((kind, name)) = field.split_once('.') else {
            return;
        };
        let name = name.split(['.', '[']).next().unwrap_or_default();
        match (kind, name) {
            ("image", "provenance") => (self.attestations, self.provenance) = (true, true),
            ("image", "hasProvenance" | "signatures") => self.attestations = true,
            ("image", _) => self.image_config = true,
            ("git", "commit" | "tag") => (self.git, self.git_objects) = (true, true),
            ("git", _) => self.git = true,
            ("http", _) => self.http = true,
            _ => {}
        }
    }

    /// True if nothing is requested.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the requested kinds of metadata, as `policy test` names them.
    pub fn kinds(&self) -> Vec<&'static str> {
        let git = (self.git || self.git_objects).then_some("git");
        let image = (self.image_config || self.attestations).then_some("image");
        git.into_iter().chain(image).collect()
    }
}
