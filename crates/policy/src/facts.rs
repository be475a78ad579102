//! The daemon's information about the sources of a build.

/// The daemon's information about an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// The digest that the reference points to.
    pub digest: String,
    /// The JSON of the config, if it was requested.
    pub config: Option<Vec<u8>>,
    /// The attestation chain, if it was requested.
    pub chain: Option<Chain>,
}

/// The blobs from an index to the signatures of its attestation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// The digest of the attestation manifest; empty if there is none.
    pub attestation_manifest: String,
    /// The digests of the signatures of the attestation manifest.
    pub signature_manifests: Vec<String>,
    /// Predicate type and content of the requested attestations.
    pub attestations: Vec<(String, Vec<u8>)>,
}

/// The daemon's information about a git ref.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitFacts {
    /// The object that the ref points to: a commit or an annotated tag.
    pub checksum: String,
    /// The full ref.
    pub reference: String,
    /// The commit, if the ref points to a tag.
    pub commit_checksum: String,
    /// The commit object; empty if it was not requested.
    pub commit_object: Vec<u8>,
    /// The tag object; empty if there is none.
    pub tag_object: Vec<u8>,
}

/// The daemon's information about a download.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpFacts {
    /// The digest of the content.
    pub checksum: String,
    /// The digest over content and suffix, if it was requested.
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
