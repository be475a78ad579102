//! Finding out what a source is now: an image's digest and config, a branch's commit, a download's checksum.

use std::{collections::BTreeMap, time::SystemTime};

use bytes::Bytes;

use super::{Bridge, Error, caps};
use crate::{
    client::{SourcePolicy, failed, platform_to_proto},
    llb::ResolveMode,
    oci::{Digest, Platform},
    proto::{moby::buildkit::v1::frontend as proto, pb},
};

const CALL: &str = "resolving a source";
const IMAGE: &str = "docker-image://";
const LAYOUT: &str = "oci-layout://";

/// An image to find out about.
#[derive(Debug, Clone, Default)]
pub struct ImageQuery<'a> {
    /// Its normalised reference, for example `docker.io/library/alpine:latest`.
    pub reference: &'a str,
    /// The platform whose config is wanted; `None` is the daemon's.
    pub platform: Option<&'a Platform>,
    /// Whether to ask the registry.
    pub mode: ResolveMode,
    /// The name of the step that progress shows, for example `[internal] load metadata for …`.
    pub log_name: &'a str,
    /// It is in a content store of the client rather than in a registry.
    pub layout: Option<OciLayout<'a>>,
}

/// A content store that a session serves.
#[derive(Debug, Clone, Copy, Default)]
pub struct OciLayout<'a> {
    /// The session; empty is the build's own.
    pub session_id: &'a str,
    /// The store's id in the session.
    pub store_id: &'a str,
}

/// An image as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolvedImage {
    /// The reference to use: another than the one asked for if a source policy says so.
    pub reference: String,
    /// The digest of what the reference names: an index or a manifest.
    pub digest: Digest,
    /// The config's JSON for the platform.
    pub config: Bytes,
}

/// A source of any kind to find out about.
#[derive(Debug, Clone, Default)]
pub struct SourceQuery<'a> {
    /// Its identifier, for example `git://github.com/moby/buildkit.git#v0.32.0`.
    pub identifier: &'a str,
    /// Its attributes.
    pub attrs: BTreeMap<String, String>,
    /// The platform, for images.
    pub platform: Option<&'a Platform>,
    /// Whether to ask the registry, for images.
    pub mode: ResolveMode,
    /// The name of the step that progress shows.
    pub log_name: &'a str,
    /// Rules besides those of the build.
    pub policies: Vec<SourcePolicy>,
    /// Of a git repository, the commit object too. Older daemons leave it out.
    pub commit_object: bool,
}

/// A source as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolvedSource {
    /// The identifier to use: another than the one asked for if a source policy says so.
    pub identifier: String,
    /// The attributes to use.
    pub attrs: BTreeMap<String, String>,
    /// What it is, if it is an image: digest and config JSON.
    pub image: Option<(Digest, Bytes)>,
    /// What it is, if it is a git repository.
    pub git: Option<GitSource>,
    /// What it is, if it is a download.
    pub http: Option<HttpSource>,
}

/// A git repository as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GitSource {
    /// The object that the ref names: a commit, or an annotated tag.
    pub checksum: String,
    /// The full name of the ref.
    pub reference: String,
    /// The commit, if `checksum` is a tag's.
    pub commit: String,
    /// The commit object as `git cat-file` prints it, if it was asked for.
    pub commit_object: Vec<u8>,
}

/// A download as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpSource {
    /// The digest of its content.
    pub digest: Digest,
    /// Its file name.
    pub filename: String,
    /// When the server says it was changed.
    pub last_modified: Option<SystemTime>,
}

impl Bridge {
    /// The digest and config of an image. Concurrent calls for several platforms or images are welcome.
    ///
    /// # Errors
    /// [`Error::Client`] when there is no such image or it cannot be reached, [`Error::NotAnImage`] when a policy replaced it.
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

    /// What a source is now, without fetching it.
    ///
    /// # Errors
    /// [`Error::MissingCapability`] with BuildKit before 0.12; [`Error::Client`] when there is no such source.
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
            .ok_or_else(|| Error::invalid(CALL, "there is no source in it"))?;
        Ok(ResolvedSource {
            identifier: source.identifier,
            attrs: source.attrs,
            image: answer
                .image
                .map(|image| Ok::<_, Error>((digest(&image.digest)?, image.config)))
                .transpose()?,
            git: answer.git.map(GitSource::from),
            http: answer.http.map(HttpSource::try_from).transpose()?,
        })
    }

    /// The older call, which knows images only.
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
        // Daemons before 0.12 do not say the reference.
        let reference = if answer.r#ref.is_empty() {
            query.reference.to_owned()
        } else {
            answer.r#ref
        };
        Ok(ResolvedImage {
            reference,
            digest: digest(&answer.digest)?,
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

fn digest(text: &str) -> Result<Digest, Error> {
    Digest::parse(text).map_err(|error| Error::invalid(CALL, error.to_string()))
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
            last_modified: found
                .last_modified
                .and_then(|time| SystemTime::try_from(time).ok()),
        })
    }
}
