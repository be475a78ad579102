//! Resolves sources: an image's digest and config, a branch's commit, a download's checksum.

use std::{collections::BTreeMap, time::SystemTime};

use bytes::Bytes;

use super::{Bridge, Error, caps};
use crate::client::{AnswerProblem, time_of};
use crate::{
    client::{SourcePolicy, failed, platform_to_proto},
    llb::ResolveMode,
    oci::{Digest, Platform},
    policy::{Request, Source},
    proto::{moby::buildkit::v1::frontend as proto, pb},
    session,
};

const CALL: &str = "resolving a source";
const IMAGE: &str = "docker-image://";
const LAYOUT: &str = "oci-layout://";

/// A query for an image.
#[derive(Debug, Clone, Default)]
pub struct ImageQuery<'a> {
    /// The normalised reference, for example `docker.io/library/alpine:latest`.
    pub reference: &'a str,
    /// The platform of the config; `None` is the daemon's.
    pub platform: Option<&'a Platform>,
    /// The resolve mode: if the registry is asked.
    pub mode: ResolveMode,
    /// The step's name in progress, for example `[internal] load metadata for …`.
    pub log_name: &'a str,
    /// Set if the image is in a content store of the client, not in a registry.
    pub layout: Option<OciLayout<'a>>,
}

/// A content store that a session serves.
#[derive(Debug, Clone, Copy, Default)]
pub struct OciLayout<'a> {
    /// The session; empty for the build's own.
    pub session_id: &'a str,
    /// The store's id in the session.
    pub store_id: &'a str,
}

/// A resolved image.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolvedImage {
    /// The reference to use; a source policy may have changed it.
    pub reference: String,
    /// The digest of the index or manifest. `None` for an image in the older store of a Docker
    /// engine, which keeps no manifests.
    pub digest: Option<Digest>,
    /// The config's JSON for the platform.
    pub config: Bytes,
}

/// A query for a source of any kind.
#[derive(Debug, Clone, Default)]
pub struct SourceQuery<'a> {
    /// The identifier, for example `git://github.com/moby/buildkit.git#v0.32.0`.
    pub identifier: &'a str,
    /// The source's attributes.
    pub attrs: BTreeMap<String, String>,
    /// The platform, for images.
    pub platform: Option<&'a Platform>,
    /// The resolve mode, for images.
    pub mode: ResolveMode,
    /// The step's name in progress.
    pub log_name: &'a str,
    /// Source policies in addition to the build's.
    pub policies: Vec<SourcePolicy>,
    /// True to return a git repository's commit object too. Older daemons omit it.
    pub commit_object: bool,
}

/// A resolved source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolvedSource {
    /// The identifier to use; a source policy may have changed it.
    pub identifier: String,
    /// The attributes to use.
    pub attrs: BTreeMap<String, String>,
    /// The digest, if it has one (see [`ResolvedImage::digest`]), and config JSON of an image.
    pub image: Option<(Option<Digest>, Bytes)>,
    /// The result for a git repository.
    pub git: Option<GitSource>,
    /// The result for a download.
    pub http: Option<HttpSource>,
}

/// A resolved git repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GitSource {
    /// The object that the ref names: a commit, or an annotated tag.
    pub checksum: String,
    /// The full name of the ref.
    pub reference: String,
    /// The commit, if `checksum` is a tag.
    pub commit: String,
    /// The commit object as `git cat-file` prints it, if requested.
    pub commit_object: Vec<u8>,
}

/// A resolved download.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpSource {
    /// The content's digest.
    pub digest: Digest,
    /// The file name.
    pub filename: String,
    /// The modification time that the server sent.
    pub last_modified: Option<SystemTime>,
}

impl Bridge {
    /// Returns the digest and config of an image. Calls can run concurrently.
    ///
    /// # Errors
    /// [`Error::Client`] if the image does not exist or cannot be reached; [`Error::NotAnImage`] if
    /// a policy replaced it.
    pub async fn resolve_image(&self, query: &ImageQuery<'_>) -> Result<ResolvedImage, Error> {
        if !self.capabilities().has(caps::SOURCE_META) {
            return self.resolve_image_config(query).await;
        }
        let (scheme, attrs) = match query.layout {
            None => (IMAGE, BTreeMap::new()),
            Some(layout) => (LAYOUT, layout_attrs(layout)),
        };
        let source = SourceQuery {
            identifier: &format!("{scheme}{}", query.reference),
            attrs,
            platform: query.platform,
            mode: query.mode,
            log_name: query.log_name,
            ..SourceQuery::default()
        };
        let found = self.resolve_source(&source).await?;
        let Some((digest, config)) = found.image else {
            return Err(Error::NotAnImage {
                reference: query.reference.to_owned(),
                replacement: found.identifier,
            });
        };
        let identifier = found.identifier.as_str();
        let reference = identifier
            .strip_prefix(IMAGE)
            .or(identifier.strip_prefix(LAYOUT))
            .unwrap_or(query.reference);
        Ok(ResolvedImage {
            reference: reference.to_owned(),
            digest,
            config,
        })
    }

    /// Resolves a source without fetching it.
    ///
    /// # Errors
    /// [`Error::MissingCapability`] with BuildKit before 0.12; [`Error::Client`] if the source does
    /// not exist.
    pub async fn resolve_source(&self, query: &SourceQuery<'_>) -> Result<ResolvedSource, Error> {
        self.need(caps::SOURCE_META).await?;
        let request = proto::ResolveSourceMetaRequest {
            source: Some(pb::SourceOp {
                identifier: query.identifier.to_owned(),
                attrs: query.attrs.clone(),
            }),
            platform: query.platform.map(platform_to_proto),
            log_name: query.log_name.to_owned(),
            resolve_mode: query.mode.as_str().to_owned(),
            git: query
                .commit_object
                .then_some(proto::ResolveSourceGitRequest {
                    return_object: true,
                }),
            source_policies: query
                .policies
                .iter()
                .cloned()
                .map(SourcePolicy::into_proto)
                .collect(),
            ..Default::default()
        };
        let answer = self
            .calls()
            .resolve_source_meta(self.request(request))
            .await
            .map_err(failed(CALL))?;
        let answer = answer.into_inner();
        let source = answer
            .source
            .ok_or_else(|| Error::invalid(CALL, AnswerProblem::Missing { part: "source" }))?;
        Ok(ResolvedSource {
            identifier: source.identifier,
            attrs: source.attrs,
            image: answer
                .image
                .map(|image| Ok::<_, Error>((image_digest(&image.digest)?, image.config)))
                .transpose()?,
            git: answer.git.map(GitSource::from),
            http: answer.http.map(HttpSource::try_from).transpose()?,
        })
    }

    /// Returns the facts about a source that a policy needs.
    ///
    /// # Errors
    /// As [`Bridge::resolve_source`].
    pub async fn source_facts(
        &self,
        source: &Source,
        platform: Option<&Platform>,
        facts: &Request,
    ) -> Result<Source, Error> {
        self.need(caps::SOURCE_META).await?;
        let op = pb::SourceOp {
            identifier: source.identifier.clone(),
            attrs: source.attrs.clone(),
        };
        let request = session::policy::ask(op, platform.map(platform_to_proto), facts);
        let answer = self
            .calls()
            .resolve_source_meta(self.request(request))
            .await
            .map_err(failed(CALL))?;
        Ok(session::policy::source(answer.into_inner()))
    }

    /// Makes the older call, which supports images only.
    async fn resolve_image_config(&self, query: &ImageQuery<'_>) -> Result<ResolvedImage, Error> {
        let layout = query.layout.unwrap_or_default();
        let request = proto::ResolveImageConfigRequest {
            r#ref: query.reference.to_owned(),
            platform: query.platform.map(platform_to_proto),
            resolve_mode: query.mode.as_str().to_owned(),
            log_name: query.log_name.to_owned(),
            resolver_type: query.layout.is_some().into(),
            session_id: layout.session_id.to_owned(),
            store_id: layout.store_id.to_owned(),
            source_policies: Vec::new(),
        };
        let answer = self
            .calls()
            .resolve_image_config(self.request(request))
            .await
            .map_err(failed(CALL))?;
        let answer = answer.into_inner();
        // Daemons before 0.12 do not send the reference.
        let reference = if answer.r#ref.is_empty() {
            query.reference.to_owned()
        } else {
            answer.r#ref
        };
        Ok(ResolvedImage {
            reference,
            digest: image_digest(&answer.digest)?,
            config: answer.config,
        })
    }
}

fn layout_attrs(layout: OciLayout<'_>) -> BTreeMap<String, String> {
    let attrs = [
        ("oci.session", layout.session_id),
        ("oci.store", layout.store_id),
    ]
    .into_iter();
    attrs
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn image_digest(text: &str) -> Result<Option<Digest>, Error> {
    (!text.is_empty()).then(|| digest(text)).transpose()
}

fn digest(text: &str) -> Result<Digest, Error> {
    Digest::parse(text).map_err(|error| Error::invalid(CALL, error))
}

impl From<proto::ResolveSourceGitResponse> for GitSource {
    fn from(found: proto::ResolveSourceGitResponse) -> Self {
        Self {
            checksum: found.checksum,
            reference: found.r#ref,
            commit: found.commit_checksum,
            commit_object: found.commit_object,
        }
    }
}

impl TryFrom<proto::ResolveSourceHttpResponse> for HttpSource {
    type Error = Error;

    fn try_from(found: proto::ResolveSourceHttpResponse) -> Result<Self, Error> {
        Ok(Self {
            digest: digest(&found.checksum)?,
            filename: found.filename,
            last_modified: time_of(found.last_modified),
        })
    }
}
