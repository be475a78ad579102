//! Single files: downloads, and blobs of registries and OCI layouts.

use super::super::caps::Cap;
use super::super::metadata::Constraints;
use super::super::state::State;
use super::SourceOp;

/// The options of a download.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Http {
    /// The name of the file; empty for the last part of the URL.
    pub filename: String,
    /// The required digest; empty for any.
    pub checksum: String,
    /// Permission bits; 0 is 0600.
    pub mode: u32,
    /// The user id of the owner.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
    /// The secret with an `Authorization` header; empty for none.
    pub auth_header_secret: String,
    /// The `Accept` header; empty for none.
    pub accept: String,
    /// The `User-Agent` header; empty for the daemon's.
    pub user_agent: String,
    /// The required signature of the file.
    pub signature: Option<HttpSignature>,
}

impl Http {
    /// Returns options with a file name.
    pub fn named(filename: impl Into<String>) -> Self {
        Self {
            filename: filename.into(),
            ..Self::default()
        }
    }

    /// Sets the required digest; empty for any.
    #[must_use]
    pub fn with_checksum(mut self, checksum: impl Into<String>) -> Self {
        self.checksum = checksum.into();
        self
    }
}

/// A detached signature of a download.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpSignature {
    /// Armored OpenPGP public keys.
    pub public_keys: String,
    /// The armored signature.
    pub signature: String,
}

/// Returns one file downloaded from `url`.
pub fn http(url: &str, http: &Http, constraints: Constraints) -> State {
    let mut source = SourceOp::new(url.to_owned(), Cap::SourceHttp);
    if !http.filename.is_empty() {
        source.set("http.filename", &http.filename);
    }
    if http.mode & 0o777 != 0 {
        let mode = octal(http.mode);
        source.set_needing("http.perm", mode, Cap::SourceHttpPerm);
    }
    for (key, id) in [("http.uid", http.uid), ("http.gid", http.gid)] {
        if id != 0 {
            source.set_needing(key, id.to_string(), Cap::SourceHttpUidGid);
        }
    }
    let texts = [
        ("http.checksum", &http.checksum, Cap::SourceHttpChecksum),
        (
            "http.authheadersecret",
            &http.auth_header_secret,
            Cap::SourceHttpAuth,
        ),
        ("http.header.accept", &http.accept, Cap::SourceHttpHeader),
        (
            "http.header.user-agent",
            &http.user_agent,
            Cap::SourceHttpHeader,
        ),
    ];
    for (key, text, cap) in texts {
        if !text.is_empty() {
            source.set_needing(key, text, cap);
        }
    }
    if let Some(signature) = &http.signature {
        let cap = Cap::SourceHttpSignatureVerify;
        source.set_needing("http.sig.pubkey", &signature.public_keys, cap);
        source.set_needing("http.sig.signature", &signature.signature, cap);
    }
    source.into_state(constraints)
}

/// The options of a blob that becomes a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob {
    /// The name of the file; empty for the daemon's choice.
    pub filename: String,
    /// Permission bits; 0 is 0600.
    pub mode: u32,
    /// The user id of the owner.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
}

/// Returns a blob of a registry's repository as a file. `reference` is `NAME@DIGEST`, normalised.
pub fn image_blob(reference: &str, blob: &Blob, constraints: Constraints) -> State {
    blob_source(format!("docker-image+blob://{reference}"), blob).into_state(constraints)
}

/// Returns a blob of an OCI layout as a file. `session` and `store` may be empty, as in
/// [`OciLayout`](super::OciLayout).
pub fn oci_layout_blob(
    reference: &str,
    session: &str,
    store: &str,
    blob: &Blob,
    constraints: Constraints,
) -> State {
    let mut source = blob_source(format!("oci-layout+blob://{reference}"), blob);
    source.set_store(session, store);
    source.into_state(constraints)
}

/// The attributes have the same names as those of downloads, but need no capabilities.
fn blob_source(identifier: String, blob: &Blob) -> SourceOp {
    let mut source = SourceOp::new(identifier, Cap::SourceImageBlob);
    if !blob.filename.is_empty() {
        source.set("http.filename", &blob.filename);
    }
    if blob.mode & 0o777 != 0 {
        source.set("http.perm", octal(blob.mode));
    }
    for (key, id) in [("http.uid", blob.uid), ("http.gid", blob.gid)] {
        if id != 0 {
            source.set(key, id.to_string());
        }
    }
    source
}

fn octal(mode: u32) -> String {
    format!("0{:o}", mode & 0o777)
}
