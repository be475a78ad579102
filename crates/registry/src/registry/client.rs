//! The distribution API as one client: manifests by tag and digest. Blobs are in `download` and `upload`.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use reqwest::Response;
use serde::Deserialize;

use super::access::Access;
use super::answer::{Deed, content_type, header, is_web_page, read_all};
use super::remote::{Ask, Payload, Remote, Target};
use super::verify::check;
use super::{ClientOptions, Credentials, Error};
use crate::oci::{Descriptor, Digest, Index, Reference, media_type};

/// Reads from registries and writes to them. Clones share connections, tokens, and what was learnt of each registry.
///
/// A registry is asked without credentials first; when it asks for them they come from [`Credentials`], by token or by name
/// and password. Registries of this machine may speak plain HTTP, others only where [`ClientOptions::insecure`] names them.
/// A registry that limits how often it is asked (429) is waited for as it says, for three minutes at most.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use solvekit_core::oci::Reference;
/// use solvekit_registry::{registry::{Client, ClientOptions, Credentials}};
///
/// let client = Client::new(Credentials::new("/home/me/.docker").into(), ClientOptions::default());
/// let image = client.manifest(&Reference::parse("alpine:3.20")?).await?;
/// let copy = Reference::parse("localhost:5000/alpine:3.20")?;
/// client.put_manifest(&copy, &image.descriptor.media_type, image.bytes).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) remote: Arc<Remote>,
}

/// A manifest or an index, as the registry has it.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Media type, digest and size.
    pub descriptor: Descriptor,
    /// The bytes of that digest.
    pub bytes: Bytes,
}

#[derive(Default, Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// The form of a manifest, where its type is not said.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Form {
    media_type: String,
    manifests: Option<serde::de::IgnoredAny>,
}

impl Client {
    /// A client with these credentials.
    pub fn new(credentials: Arc<Credentials>, options: ClientOptions) -> Self {
        Self {
            remote: Arc::new(Remote::new(credentials, &options)),
        }
    }

    /// What a reference points to: its digest if it has one, else its tag, else `latest`.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`] when the bytes are not those of the reference's digest; [`Error::Refused`] with the status
    /// and the scope when the registry does not give it; [`Error::NotARegistry`] when the answer is a web page; others when
    /// it cannot be asked.
    pub async fn manifest(&self, of: &Reference) -> Result<Fetched, Error> {
        let answer = self.ask_manifest(Method::GET, of).await?;
        let named = content_type(&answer).to_owned();
        let told = header(&answer, "docker-content-digest").map(Digest::parse);
        let bytes = Bytes::from(read_all(of, answer).await?);
        let digest = match (of.digest(), told) {
            (Some(digest), _) => digest.clone(),
            (None, Some(Ok(told))) => told,
            (None, _) => Digest::sha256(&bytes),
        };
        check(&of.to_string(), &digest, &bytes)?;
        let media_type = media_type_of(&named, &bytes);
        let descriptor = Descriptor::new(media_type, digest, bytes.len() as u64);
        Ok(Fetched { descriptor, bytes })
    }

    /// The descriptor of what a reference points to, without the bytes where the registry tells it without them.
    ///
    /// # Errors
    /// As [`Client::manifest`].
    pub async fn head(&self, of: &Reference) -> Result<Descriptor, Error> {
        let answer = self.ask_manifest(Method::HEAD, of).await;
        let answer = match answer {
            // An answer to HEAD has no body that would say why.
            Err(Error::Refused(_)) => return Ok(self.manifest(of).await?.descriptor),
            answer => answer?,
        };
        let digest = header(&answer, "docker-content-digest").map(Digest::parse);
        let size = header(&answer, "content-length").and_then(|text| text.parse().ok());
        let named = content_type(&answer);
        match (digest, size) {
            (Some(Ok(digest)), Some(size))
                if is_manifest_type(named) && of.digest().is_none_or(|of| *of == digest) =>
            {
                Ok(Descriptor::new(named, digest, size))
            }
            _ => Ok(self.manifest(of).await?.descriptor),
        }
    }

    /// Whether a repository has a manifest or index of this digest.
    ///
    /// # Errors
    /// [`Error::Refused`] when the registry does not say.
    pub async fn has_manifest(&self, of: &Reference, digest: &Digest) -> Result<bool, Error> {
        let path = format!("{}/manifests/{digest}", of.path());
        // Asked in order to write it most of the time: one token for both.
        let mut ask = Ask::new(Method::HEAD, Target::Path(path), Access::push(of));
        ask.headers.insert(ACCEPT, accept());
        let answer = self.remote.send(&ask).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        let deed = deed("give", of, digest.as_str(), &ask.access);
        deed.succeeded(answer).await.map(|_| true)
    }

    /// Writes a manifest or an index, by the reference's tag if it has one, else by its digest, else as `latest`. What it
    /// refers to has to be there already.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`] when the reference has a digest of other bytes, or the registry got other bytes;
    /// [`Error::Refused`] with the status and the scope.
    pub async fn put_manifest(
        &self,
        to: &Reference,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<Digest, Error> {
        let digest = match to.digest() {
            Some(digest) => {
                check(&to.to_string(), digest, &bytes)?;
                digest.clone()
            }
            None => Digest::sha256(&bytes),
        };
        let name = match (to.tag(), to.digest()) {
            (Some(tag), _) => tag,
            (None, Some(digest)) => digest.as_str(),
            (None, None) => "latest",
        };
        let path = format!("{}/manifests/{name}", to.path());
        let mut ask = Ask::new(Method::PUT, Target::Path(path), Access::push(to));
        let kind = HeaderValue::from_str(media_type).map_err(|_| Error::BadContent {
            reference: to.to_string(),
            reason: format!("{media_type:?} is no media type"),
        })?;
        ask.headers.insert(CONTENT_TYPE, kind);
        ask.payload = Payload::Bytes(bytes);
        let answer = self.remote.send(&ask).await?;
        let deed = deed("take", to, name, &ask.access);
        let answer = deed.succeeded(answer).await?;
        match header(&answer, "docker-content-digest").map(Digest::parse) {
            Some(Ok(told)) if told.algorithm() == digest.algorithm() && told != digest => {
                Err(Error::DigestMismatch {
                    of: to.to_string(),
                    expected: digest,
                    actual: told,
                })
            }
            _ => Ok(digest),
        }
    }

    /// The manifests that refer to one of this digest, such as signatures and attestations, as the specification's
    /// referrers API or its fallback tag lists them; none where the registry knows neither.
    ///
    /// # Errors
    /// As [`Client::manifest`].
    pub async fn referrers(
        &self,
        of: &Reference,
        digest: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        let path = format!("{}/referrers/{digest}", of.path());
        let mut ask = Ask::new(Method::GET, Target::Path(path), Access::pull(of));
        ask.headers
            .insert(ACCEPT, HeaderValue::from_static(media_type::OCI_INDEX));
        let answer = self.remote.send(&ask).await?;
        let bytes = if answer.status().is_success() && !is_web_page(&answer) {
            Bytes::from(read_all(of, answer).await?)
        } else {
            let tag = format!("{}-{}", digest.algorithm(), digest.hex());
            match self.manifest(&of.clone().with_tag(tag)).await {
                Ok(fetched) => fetched.bytes,
                Err(Error::Refused(_) | Error::NotARegistry { .. }) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        };
        // A registry that knows no referrers may answer with anything.
        Ok(serde_json::from_slice::<Index>(&bytes)
            .map_or_else(|_| Vec::new(), |index| index.manifests))
    }

    /// Some tags of a repository, in the registry's order.
    ///
    /// # Errors
    /// As [`Client::manifest`].
    pub async fn tags(&self, of: &Reference) -> Result<Vec<String>, Error> {
        let path = format!("{}/tags/list?n=100", of.path());
        let ask = Ask::new(Method::GET, Target::Path(path), Access::pull(of));
        let answer = self.remote.send(&ask).await?;
        let deed = deed("give", of, "the tags", &ask.access);
        let answer = deed.succeeded(answer).await?;
        let bytes = read_all(of, answer).await?;
        let tags: Tags = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(tags.tags.unwrap_or_default())
    }

    async fn ask_manifest(&self, method: Method, of: &Reference) -> Result<Response, Error> {
        let name = match of.digest() {
            Some(digest) => digest.as_str(),
            None => of.tag().unwrap_or("latest"),
        };
        let path = format!("{}/manifests/{name}", of.path());
        let mut ask = Ask::new(method, Target::Path(path), Access::pull(of));
        ask.headers.insert(ACCEPT, accept());
        let answer = self.remote.send(&ask).await?;
        let deed = deed("give", of, name, &ask.access);
        let answer = deed.succeeded(answer).await?;
        match is_web_page(&answer) {
            true => Err(deed.not_a_registry(&answer)),
            false => Ok(answer),
        }
    }
}

pub(super) fn deed<'a>(
    verb: &'static str,
    of: &'a Reference,
    what: &'a str,
    access: &'a Access,
) -> Deed<'a> {
    Deed {
        verb,
        of,
        what,
        access,
    }
}

fn accept() -> HeaderValue {
    HeaderValue::from_static(
        "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
         application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, */*",
    )
}

fn is_manifest_type(text: &str) -> bool {
    media_type::is_index(text)
        || matches!(
            text,
            media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST | SCHEMA_1 | SCHEMA_1_SIGNED
        )
}

const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+json";
const SCHEMA_1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// The type that the registry says, else the one in the text, else by the form: some serve everything as JSON.
fn media_type_of(named: &str, bytes: &[u8]) -> String {
    if is_manifest_type(named) {
        return named.to_owned();
    }
    let form: Form = serde_json::from_slice(bytes).unwrap_or_default();
    match (form.media_type.is_empty(), form.manifests) {
        (false, _) => form.media_type,
        (true, Some(_)) => media_type::OCI_INDEX.to_owned(),
        (true, None) => media_type::OCI_MANIFEST.to_owned(),
    }
}

impl Error {
    /// Whether the registry, or its token server, knows the user and says no, or wants to know who it is.
    pub fn is_denied(&self) -> bool {
        let status = match self {
            Self::Refused(refusal) => refusal.status,
            Self::TokenRefused { status, .. } => *status,
            _ => return false,
        };
        matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    }

    /// Whether the registry says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == StatusCode::NOT_FOUND)
    }
}

#[cfg(test)]
mod tests;
