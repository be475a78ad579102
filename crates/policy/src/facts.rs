//! What the daemon found out about the sources of a build.

/// What the daemon found out about an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// The digest of what the reference names.
    pub digest: String,
    /// The config's JSON, if it was asked for.
    pub config: Option<Vec<u8>>,
    /// The attestation chain, if it was asked for.
    pub chain: Option<Chain>,
}

/// The blobs from an index to the signatures of its attestation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// The digest of the attestation manifest; empty if there is none.
    pub attestation_manifest: String,
    /// The digests of the signatures of the attestation manifest.
    pub signature_manifests: Vec<String>,
    /// Predicate type and content of the attestations that were asked for.
    pub attestations: Vec<(String, Vec<u8>)>,
}

/// What the daemon found out about a git ref.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitFacts {
    /// The object that the ref names: a commit or an annotated tag.
    pub checksum: String,
    /// The full ref.
    pub reference: String,
    /// The commit, if the ref names a tag.
    pub commit_checksum: String,
    /// The commit object; empty if it was not asked for.
    pub commit_object: Vec<u8>,
    /// The tag object; empty if there is none.
    pub tag_object: Vec<u8>,
}

/// What the daemon found out about a download.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpFacts {
    /// The digest of the content.
    pub checksum: String,
    /// The digest over content and suffix, if it was asked for.
    pub suffixed: Option<SuffixedDigest>,
}

/// A digest over a download and a suffix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuffixedDigest {
    /// The digest.
    pub digest: String,
    /// The suffix.
    pub suffix: Vec<u8>,
}
