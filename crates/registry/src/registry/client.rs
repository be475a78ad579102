//! The distribution API as one client: manifests by tag and digest. Blobs are in `download` and `upload`.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use reqwest::Response;
use serde::Deserialize;

use super::access::Access;
use super::answer::{Deed, content_type, has_length, header, is_web_page, read_all};
use super::remote::{Ask, Payload, Remote, Target};
use super::retry::Retries;
use super::verify::check;
use super::{ClientOptions, Credentials, Error};
use crate::oci::{Descriptor, Digest, Index, Reference, media_type};

/// Reads from registries and writes to them. Clones share connections, tokens, and what was learnt of each registry.
///
/// A registry is asked without credentials first; when it asks for them they come from [`Credentials`], by token or by name
/// and password. Registries of this machine may speak plain HTTP, others only where [`ClientOptions::insecure`] names them.
/// A registry that limits how often it is asked (429) is waited for as it says, and passing failures are tried again, as
/// [`ClientOptions::retries`] has it. Credentials go to the registry's own scheme, host and port, and to the token server that it
/// names; redirects and uploads elsewhere get none, and nothing goes from TLS to plain HTTP.
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
    schema_version: serde_json::Value,
    media_type: Option<String>,
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
        let mut retries = self.remote.waits.retries();
        loop {
            let answer = self.ask_manifest(Method::GET, of, &mut retries).await?;
            let may_be_cut = !has_length(&answer);
            match self.read_manifest(of, answer).await {
                Err(error) if may_be_cut && is_cut(&error) => match retries.after_cut() {
                    Some(wait) => self.remote.waits.wait(of.domain(), &wait).await,
                    None => return Err(error),
                },
                Err(error) => match retries.after_error(&error) {
                    Some(wait) => self.remote.waits.wait(of.domain(), &wait).await,
                    None => return Err(error),
                },
                read => return read,
            }
        }
    }

    async fn read_manifest(&self, of: &Reference, answer: Response) -> Result<Fetched, Error> {
        let named = content_type(&answer).to_owned();
        let told = header(&answer, "docker-content-digest").map(Digest::parse);
        let may_be_cut = !has_length(&answer);
        let bytes = Bytes::from(read_all(of, answer).await?);
        if may_be_cut && serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err() {
            return Err(Error::CutOff { of: of.to_string() });
        }
        let digest = match (of.digest(), told) {
            (Some(digest), _) => digest.clone(),
            (None, Some(Ok(told))) => told,
            (None, _) => Digest::sha256(&bytes),
        };
        check(&of.to_string(), &digest, &bytes)?;
        let media_type = media_type_of(&named, &bytes);
        if matches!(media_type.as_str(), SCHEMA_1 | SCHEMA_1_SIGNED) {
            return Err(Error::SchemaOne {
                reference: of.to_string(),
            });
        }
        let descriptor = Descriptor::new(media_type, digest, bytes.len() as u64);
        Ok(Fetched { descriptor, bytes })
    }

    /// The descriptor of what a reference points to, without the bytes where the registry tells it without them.
    ///
    /// # Errors
    /// As [`Client::manifest`].
    pub async fn head(&self, of: &Reference) -> Result<Descriptor, Error> {
        let mut retries = self.remote.waits.retries();
        let answer = self.ask_manifest(Method::HEAD, of, &mut retries).await;
        let answer = match answer {
            // An answer to HEAD has no body that would say why, and some registries do not know it.
            Err(Error::Refused(_) | Error::NotARegistry { .. }) => {
                return Ok(self.manifest(of).await?.descriptor);
            }
            answer => answer?,
        };
        let digest = header(&answer, "docker-content-digest").map(Digest::parse);
        let size = header(&answer, "content-length").and_then(|text| text.parse().ok());
        // Some say 0 where they do not know; what they compress has another size.
        let size = size.filter(|size| *size > 0 && header(&answer, "content-encoding").is_none());
        let named = content_type(&answer);
        match (digest, size) {
            (Some(Ok(digest)), Some(size))
                if is_supported(named) && of.digest().is_none_or(|of| *of == digest) =>
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
        self.has(of, digest, path).await
    }

    /// Asks by HEAD, or by GET where the registry does not know that. Asked in order to write most
    /// of the time: one token for both.
    pub(super) async fn has(
        &self,
        of: &Reference,
        digest: &Digest,
        path: String,
    ) -> Result<bool, Error> {
        let mut ask = Ask::new(Method::HEAD, Target::Path(path), Access::push(of));
        ask.headers.insert(ACCEPT, accept());
        let mut answer = self.remote.send(&ask).await?;
        if answer.status() == StatusCode::METHOD_NOT_ALLOWED {
            ask.method = Method::GET;
            answer = self.remote.send(&ask).await?;
        }
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        let deed = deed("give", of, digest.as_str(), &ask.access);
        deed.succeeded(answer).await.map(|_| true)
    }

    /// Writes a manifest or an index, by the reference's tag if it has one, else by its digest, else as `latest`. What it
    /// refers to has to be there already. A tag that may not be changed and has that digest already is no error.
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
        if matches!(answer.status().as_u16(), 400 | 409 | 412) {
            let refused = deed.refused(answer).await;
            return match self.head(to).await {
                Ok(there) if there.digest == digest => Ok(digest),
                _ => Err(refused),
            };
        }
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

    async fn ask_manifest(
        &self,
        method: Method,
        of: &Reference,
        retries: &mut Retries,
    ) -> Result<Response, Error> {
        let name = match of.digest() {
            Some(digest) => digest.as_str(),
            None => of.tag().unwrap_or("latest"),
        };
        let path = format!("{}/manifests/{name}", of.path());
        let mut ask = Ask::new(method, Target::Path(path), Access::pull(of));
        ask.headers.insert(ACCEPT, accept());
        let answer = self.remote.send_with(&ask, retries).await?;
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

/// True if the bytes may be the beginning only.
fn is_cut(error: &Error) -> bool {
    matches!(error, Error::CutOff { .. } | Error::DigestMismatch { .. })
}

fn is_supported(text: &str) -> bool {
    media_type::is_index(text)
        || matches!(text, media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST)
}

fn is_manifest_type(text: &str) -> bool {
    is_supported(text) || matches!(text, SCHEMA_1 | SCHEMA_1_SIGNED)
}

const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+json";
const SCHEMA_1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// The type that the registry says, else the one in the text, else by the form: some serve everything as JSON.
fn media_type_of(named: &str, bytes: &[u8]) -> String {
    if is_manifest_type(named) {
        return named.to_owned();
    }
    let form: Form = serde_json::from_slice(bytes).unwrap_or_default();
    match (form.media_type, form.manifests) {
        (Some(own), _) if !own.is_empty() => own,
        _ if form.schema_version == 1 => SCHEMA_1.to_owned(),
        (_, Some(_)) => media_type::OCI_INDEX.to_owned(),
        (_, None) => media_type::OCI_MANIFEST.to_owned(),
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

    /// True if the registry itself, or its token server, denies access to this user. A refusal that
    /// can be a gateway's, on the way from here, does not count.
    pub fn is_own_denial(&self) -> bool {
        match self {
            Self::Refused(refusal) => self.is_denied() && refusal.says_denied,
            Self::TokenRefused { .. } => self.is_denied(),
            _ => false,
        }
    }

    /// Whether the registry says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == StatusCode::NOT_FOUND)
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod hostile_tests;

#[cfg(test)]
mod fault_tests;

#[cfg(test)]
mod peculiar_tests;
