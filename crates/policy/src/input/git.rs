//! Git repositories in the input document, with their commits and tags.

use serde::{Deserialize, Serialize};

use super::is_default;

/// A git repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Git {
    /// The protocol.
    #[serde(skip_serializing_if = "is_default")]
    pub schema: String,
    /// The host, with its port.
    #[serde(skip_serializing_if = "is_default")]
    pub host: String,
    /// The address without ref and folder.
    #[serde(skip_serializing_if = "is_default")]
    pub remote: String,
    /// The original address.
    #[serde(rename = "fullURL", skip_serializing_if = "is_default")]
    pub full_url: String,
    /// The tag that the ref names.
    #[serde(skip_serializing_if = "is_default")]
    pub tag_name: String,
    /// The branch that the ref names.
    #[serde(skip_serializing_if = "is_default")]
    pub branch: String,
    /// The full ref.
    #[serde(rename = "ref", skip_serializing_if = "is_default")]
    pub reference: String,
    /// The folder in the repository.
    #[serde(rename = "subDir", skip_serializing_if = "is_default")]
    pub sub_dir: String,
    /// True if the ref is a commit, not a branch or tag.
    #[serde(skip_serializing_if = "is_default")]
    pub is_commit_ref: bool,
    /// True if the checksum is SHA-256.
    #[serde(rename = "isSHA256", skip_serializing_if = "is_default")]
    pub is_sha256: bool,
    /// The object that the ref points to: a commit or an annotated tag.
    #[serde(skip_serializing_if = "is_default")]
    pub checksum: String,
    /// The commit.
    #[serde(skip_serializing_if = "is_default")]
    pub commit_checksum: String,
    /// True if the ref points to an annotated tag.
    #[serde(skip_serializing_if = "is_default")]
    pub is_annotated_tag: bool,
    /// The tag object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// The commit object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
}

/// The author of a commit or tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Actor {
    /// The name.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The e-mail address.
    #[serde(skip_serializing_if = "is_default")]
    pub email: String,
    /// The time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// A commit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Commit {
    /// Its tree.
    #[serde(skip_serializing_if = "is_default")]
    pub tree: String,
    /// Its parents.
    #[serde(skip_serializing_if = "is_default")]
    pub parents: Vec<String>,
    /// Its author.
    #[serde(skip_serializing_if = "is_default")]
    pub author: Actor,
    /// Its committer.
    #[serde(skip_serializing_if = "is_default")]
    pub committer: Actor,
    /// Its message.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
    /// Its PGP signature, not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pgp_signature: Option<PgpSignature>,
    /// Its SSH signature, not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh_signature: Option<SshSignature>,
    /// The text that the signature covers, for its verification.
    #[serde(skip)]
    pub(crate) signed: SignedObject,
}

/// An annotated tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tag {
    /// The object that it points to.
    #[serde(skip_serializing_if = "is_default")]
    pub object: String,
    /// The kind of that object.
    #[serde(rename = "type", skip_serializing_if = "is_default")]
    pub kind: String,
    /// Its name.
    #[serde(skip_serializing_if = "is_default")]
    pub tag: String,
    /// Its author.
    #[serde(skip_serializing_if = "is_default")]
    pub tagger: Actor,
    /// Its message.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
    /// Its PGP signature, not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pgp_signature: Option<PgpSignature>,
    /// Its SSH signature, not verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh_signature: Option<SshSignature>,
    /// The text that the signature covers, for its verification.
    #[serde(skip)]
    pub(crate) signed: SignedObject,
}

/// The text of a git object without its signature, and the signature.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SignedObject {
    pub(crate) text: String,
    /// The armored signature; empty if there is none.
    pub(crate) signature: String,
}

/// The metadata of a PGP signature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PgpSignature {
    /// The version of its packet.
    #[serde(skip_serializing_if = "is_default")]
    pub version: u32,
    /// The key's id in hexadecimal.
    #[serde(rename = "keyID", skip_serializing_if = "is_default")]
    pub key_id: String,
}

/// The metadata of an SSH signature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SshSignature {
    /// Its version.
    #[serde(skip_serializing_if = "is_default")]
    pub version: u32,
    /// The key's SHA-256 fingerprint.
    #[serde(skip_serializing_if = "is_default")]
    pub pub_key: String,
}
