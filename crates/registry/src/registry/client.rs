//! The client of the distribution API: manifests by tag and digest. Blobs are in `download` and
//! `upload`.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use reqwest::Response;
use serde::Deserialize;

use super::RefusedAction;
use super::access::Access;
use super::answer::{Operation, content_type, has_length, header, is_web_page, read_all};
use super::manifest_type::{accept, is_schema_1, is_supported, media_type_of};
use super::remote::{Ask, Payload, Remote, Target};
use super::retry::Retries;
use super::verify::check;
use super::{ClientOptions, ContentProblem, Credentials, Error};
use crate::oci::{Descriptor, Digest, Index, Reference, media_type};

/// Reads from registries and writes to them. Clones share connections, tokens, and each registry's
/// learnt scheme.
///
/// A registry is first asked without credentials. If it demands them, they come from
/// [`Credentials`]: a token, or name and password. Local registries may speak plain HTTP, others
/// only if [`ClientOptions::insecure`] names them. The client honours `Retry-After` (429) and
/// retries transient failures, as set in [`ClientOptions::retries`]. Credentials are sent only to
/// the registry's own scheme, host and port, and to its token server. Redirects and uploads to
/// other hosts get none, and nothing goes from TLS to plain HTTP.
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

/// A manifest or an index, byte for byte as the registry has it.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The media type, digest and size.
    pub descriptor: Descriptor,
    /// The bytes.
    pub bytes: Bytes,
}

#[derive(Default, Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Client {
    /// Creates a client with these credentials.
    pub fn new(credentials: Arc<Credentials>, options: ClientOptions) -> Self {
        Self {
            remote: Arc::new(Remote::new(credentials, &options)),
        }
    }

    /// Fetches the manifest or index of a reference: by digest if it has one, else by tag, else
    /// `latest`.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`] if the bytes do not match the reference's digest;
    /// [`Error::Refused`] with status and scope if the registry refuses; [`Error::NotARegistry`] if
    /// the answer is a web page; others if the registry cannot be reached.
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
        let header_digest = header(&answer, "docker-content-digest").map(Digest::parse);
        let may_be_cut = !has_length(&answer);
        let bytes = Bytes::from(read_all(of, answer).await?);
        if may_be_cut && serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err() {
            return Err(Error::CutOff { of: of.to_string() });
        }
        let digest = match (of.digest(), header_digest) {
            (Some(digest), _) => digest.clone(),
            (None, Some(Ok(header_digest))) => header_digest,
            (None, _) => Digest::sha256(&bytes),
        };
        check(&of.to_string(), &digest, &bytes)?;
        let media_type = media_type_of(&named, &bytes);
        if is_schema_1(&media_type) {
            return Err(Error::SchemaOne {
                reference: of.to_string(),
            });
        }
        let descriptor = Descriptor::new(media_type, digest, bytes.len() as u64);
        Ok(Fetched { descriptor, bytes })
    }

    /// Returns the descriptor of a reference's manifest. It is read without the body if the
    /// registry allows that.
    ///
    /// # Errors
    /// As [`Client::manifest`].
    pub async fn head(&self, of: &Reference) -> Result<Descriptor, Error> {
        let mut retries = self.remote.waits.retries();
        let answer = self.ask_manifest(Method::HEAD, of, &mut retries).await;
        let answer = match answer {
            // An answer to HEAD has no body with a reason, and some registries do not support HEAD.
            Err(Error::Refused(_) | Error::NotARegistry { .. }) => {
                return Ok(self.manifest(of).await?.descriptor);
            }
            answer => answer?,
        };
        let digest = header(&answer, "docker-content-digest").map(Digest::parse);
        let size = header(&answer, "content-length").and_then(|text| text.parse().ok());
        // Some registries send 0 if they do not know the size. A compressed answer has another
        // size.
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

    /// Returns true if a repository has a manifest or index with this digest.
    ///
    /// # Errors
    /// [`Error::Refused`] if the registry does not answer the question.
    pub async fn has_manifest(&self, of: &Reference, digest: &Digest) -> Result<bool, Error> {
        let path = format!("{}/manifests/{digest}", of.path());
        self.has(of, digest, path).await
    }

    /// Asks by HEAD, or by GET if the registry does not support HEAD. A write usually follows, so
    /// this asks for a token that allows both.
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
        let operation = operation(RefusedAction::Pull, of, digest.as_str(), &ask.access);
        operation.succeeded(answer).await.map(|_| true)
    }

    /// Writes a manifest or an index: by the reference's tag if it has one, else by its digest,
    /// else as `latest`. Everything it refers to must exist already. An immutable tag that already
    /// has this digest is not an error.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`] if the reference's digest is another one, or the registry received
    /// other bytes; [`Error::Refused`] with status and scope.
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
            reason: ContentProblem::MediaType {
                media_type: media_type.to_owned(),
            },
        })?;
        ask.headers.insert(CONTENT_TYPE, kind);
        ask.payload = Payload::Bytes(bytes);
        let answer = self.remote.send(&ask).await?;
        let operation = operation(RefusedAction::Push, to, name, &ask.access);
        if matches!(answer.status().as_u16(), 400 | 409 | 412) {
            let refused = operation.refused(answer).await;
            return match self.head(to).await {
                Ok(there) if there.digest == digest => Ok(digest),
                _ => Err(refused),
            };
        }
        let answer = operation.succeeded(answer).await?;
        match header(&answer, "docker-content-digest").map(Digest::parse) {
            Some(Ok(header_digest))
                if header_digest.algorithm() == digest.algorithm() && header_digest != digest =>
            {
                Err(Error::DigestMismatch {
                    of: to.to_string(),
                    expected: digest,
                    actual: header_digest,
                })
            }
            _ => Ok(digest),
        }
    }

    /// Lists the manifests that refer to this digest, such as signatures and attestations. Uses the
    /// OCI referrers API or its fallback tag; the list is empty if the registry supports neither.
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
        // A registry without a referrers API may answer with anything.
        Ok(serde_json::from_slice::<Index>(&bytes)
            .map_or_else(|_| Vec::new(), |index| index.manifests))
    }

    /// Returns some tags of a repository, in the registry's order.
    ///
    /// # Errors
    /// As [`Client::manifest`].
    pub async fn tags(&self, of: &Reference) -> Result<Vec<String>, Error> {
        let path = format!("{}/tags/list?n=100", of.path());
        let ask = Ask::new(Method::GET, Target::Path(path), Access::pull(of));
        let answer = self.remote.send(&ask).await?;
        let operation = operation(RefusedAction::Pull, of, "the tags", &ask.access);
        let answer = operation.succeeded(answer).await?;
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
        let operation = operation(RefusedAction::Pull, of, name, &ask.access);
        let answer = operation.succeeded(answer).await?;
        match is_web_page(&answer) {
            true => Err(operation.not_a_registry(&answer)),
            false => Ok(answer),
        }
    }
}

pub(super) fn operation<'a>(
    action: RefusedAction,
    of: &'a Reference,
    what: &'a str,
    access: &'a Access,
) -> Operation<'a> {
    Operation {
        action,
        of,
        what,
        access,
    }
}

/// True if the body may have been cut off.
fn is_cut(error: &Error) -> bool {
    matches!(error, Error::CutOff { .. } | Error::DigestMismatch { .. })
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod hostile_tests;

#[cfg(test)]
mod fault_tests;

#[cfg(test)]
mod peculiar_tests;
