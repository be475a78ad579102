//! Creates an image from others: fetches the parts, combines them, copies what a repository lacks,
//! sets the tags.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::annotation::Annotation;
use super::combine::{Combined, Part, combine, matches};
use super::copy::copy;
use super::load::{parse, platform_of};
use super::source::{Given, Source};
use super::{Error, Location, shape};
use crate::oci::{Descriptor, Manifest, Platform, media_type};
use crate::registry::Client;
use crate::steps::{Step, Steps, end_with};
use crate::template::Value;

/// The number of concurrent requests.
const AT_ONCE: usize = 8;
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+";
const ATTESTATION: &str = "application/vnd.docker.attestation.manifest.v1+json";

/// A request to create an image.
#[derive(Debug, Clone, Default)]
pub struct CreateRequest {
    /// The parts, in the order of the new index.
    pub sources: Vec<Source>,
    /// The tags of the new image; the default tag is `latest`.
    pub tags: Vec<Location>,
    /// Annotations of the new index and its descriptors.
    pub annotations: Vec<Annotation>,
    /// Keep only these platforms; all if empty.
    pub platforms: Vec<Platform>,
    /// Create an index even for a single manifest, instead of copying it.
    pub prefer_index: bool,
}

/// A new image that is not pushed yet.
#[derive(Debug)]
pub struct Created {
    client: Client,
    tags: Vec<Location>,
    combined: Combined,
}

/// Fetches the parts and creates an image. A single index without annotations stays unchanged, byte
/// for byte.
///
/// # Errors
/// [`Error::NoRepository`] if the repository of a digest is ambiguous; [`Error::NoPlatform`], which
/// lists the existing platforms; [`Error::SchemaOne`]; others if a registry cannot be read.
pub async fn create(client: &Client, request: CreateRequest) -> Result<Created, Error> {
    let default = place(&request.sources, &request.tags);
    let default = default.as_ref();
    // Boxed: otherwise rustc cannot infer that the caller's future is `Send`.
    let parts: Vec<Part> = stream::iter(&request.sources)
        .map(|source| look_up(client, source, default))
        .buffered(AT_ONCE)
        .boxed()
        .try_collect()
        .await?;
    let mut combined = combine(&parts, &request.annotations, request.prefer_index)?;
    if !combined.is_index() {
        check_platform(&combined.descriptor, &request.platforms)?;
    } else {
        combined = combined.filtered(&request.platforms)?;
        let found = attestations(client, &combined).await?;
        combined = combined.with_attestations(found)?;
    }
    Ok(Created {
        client: client.clone(),
        tags: request.tags,
        combined,
    })
}

impl Created {
    /// Returns the new index or manifest, byte for byte.
    pub fn bytes(&self) -> &Bytes {
        &self.combined.bytes
    }

    /// Returns its descriptor.
    pub fn descriptor(&self) -> &Descriptor {
        &self.combined.descriptor
    }

    /// Returns true if the request's annotations were omitted, as in buildx: all manifests are in
    /// docker's format, and docker's manifest list has no annotations.
    pub fn is_unannotated(&self) -> bool {
        self.combined.unannotated
    }

    /// Returns the platforms that several manifests of the index have, in order, without
    /// attestations. Clients choose one of these manifests.
    pub fn repeated_platforms(&self) -> Vec<Platform> {
        let mut seen = BTreeSet::new();
        let mut repeated = BTreeSet::new();
        for (entry, _) in &self.combined.manifests {
            let platform = entry.platform.as_ref().map(Platform::normalized);
            if let Some(platform) = platform.filter(|platform| platform.os != "unknown")
                && !seen.insert(platform.clone())
            {
                repeated.insert(platform);
            }
        }
        repeated.into_iter().collect()
    }

    /// Returns the content of `--metadata-file`: the descriptor and the repositories' names.
    pub fn metadata(&self) -> Value {
        let names: BTreeSet<String> = self.tags.iter().map(Location::name).collect();
        let names: Vec<String> = names.into_iter().collect();
        let fields = [
            (
                "containerimage.descriptor".to_owned(),
                shape::descriptor(self.descriptor()),
            ),
            ("image.name".to_owned(), Value::from(names.join(","))),
        ];
        Value::Map(fields.into())
    }

    /// Copies missing content to each repository, then sets its tags. Blobs of the same registry
    /// are mounted, others are streamed.
    ///
    /// # Errors
    /// [`Error::Copy`] with the repository; the tags of other repositories may be set already.
    pub async fn push(&self, steps: &dyn Steps) -> Result<(), Error> {
        let mut repositories: BTreeMap<String, Vec<&Location>> = BTreeMap::new();
        for tag in &self.tags {
            repositories.entry(tag.name()).or_default().push(tag);
        }
        // Boxed as above.
        stream::iter(repositories)
            .map(|(name, tags)| async move {
                let step = steps.begin(format!("[internal] pushing {name}"));
                let pushed = self.push_to(&tags, &*step).await;
                end_with(step, &pushed);
                pushed.map_err(|source| Error::Copy {
                    to: name,
                    source: Box::new(source),
                })
            })
            .buffer_unordered(AT_ONCE)
            .boxed()
            .try_collect()
            .await
    }

    async fn push_to(&self, tags: &[&Location], step: &dyn Step) -> Result<(), Error> {
        let Some(first) = tags.first() else {
            return Ok(());
        };
        for (entry, from) in &self.combined.manifests {
            let to = first.name();
            step.log(format!("copying {} from {from} to {to}", entry.digest));
        }
        copy(&self.client, &self.combined.manifests, first, step).await?;
        let descriptor = self.descriptor();
        for tag in tags {
            step.log(format!("pushing {} to {tag}", descriptor.digest));
            tag.put_image(&self.client, descriptor, self.bytes().clone())
                .await?;
        }
        Ok(())
    }
}

/// Returns the location of digests and descriptors: the only repository or folder that the request
/// names.
fn place(sources: &[Source], tags: &[Location]) -> Option<Location> {
    let named = sources.iter().filter_map(|source| match source {
        Source::Name(name) => Some(name.clone()),
        _ => None,
    });
    let mut all = named.chain(tags.iter().cloned());
    let first = all.next()?;
    let name = first.name();
    all.all(|other| other.name() == name).then_some(first)
}

async fn look_up(
    client: &Client,
    source: &Source,
    default: Option<&Location>,
) -> Result<Part, Error> {
    let inferred = |digest| match default {
        Some(place) => Ok(place.without_tag().at(digest)),
        None => Err(Error::NoRepository {
            digest: digest.clone(),
        }),
    };
    let (from, given) = match source {
        Source::Name(name) => (name.clone(), None),
        Source::Digest(digest) => (inferred(digest)?, None),
        Source::Descriptor(given) => (inferred(&given.digest)?, Some(given)),
    };
    let fetched = from.manifest(client).await?;
    let mut part = Part {
        descriptor: fetched.descriptor,
        bytes: fetched.bytes,
        from,
    };
    if let Some(given) = given {
        part.merge(given)?;
    }
    let kind = part.descriptor.media_type.as_str();
    if kind.starts_with(SCHEMA_1) {
        return Err(Error::SchemaOne {
            reference: part.from.to_string(),
        });
    }
    if matches!(kind, media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST) {
        part.complete_platform(client).await?;
    }
    Ok(part)
}

impl Part {
    /// Applies the fields that a descriptor sets; a different size is an error.
    fn merge(&mut self, given: &Given) -> Result<(), Error> {
        if given.size != 0 && given.size != self.descriptor.size {
            return Err(crate::registry::Error::SizeMismatch {
                of: self.from.to_string(),
                expected: given.size,
                actual: self.descriptor.size,
            }
            .into());
        }
        if !given.media_type.is_empty() {
            self.descriptor.media_type.clone_from(&given.media_type);
        }
        if !given.artifact_type.is_empty() {
            self.descriptor
                .artifact_type
                .clone_from(&given.artifact_type);
        }
        self.descriptor
            .annotations
            .extend(given.annotations.clone());
        self.descriptor.platform.clone_from(&given.platform);
        Ok(())
    }

    /// Completes the platform of a manifest from its config.
    async fn complete_platform(&mut self, client: &Client) -> Result<(), Error> {
        let mut platform = self.descriptor.platform.clone().unwrap_or_default();
        if platform.os.is_empty() || platform.architecture.is_empty() {
            let manifest: Manifest = parse(&self.from, "manifest of an image", &self.bytes)?;
            let config = self.from.blob(client, &manifest.config).await?;
            let found = platform_of(&parse(&self.from, "image config", &config)?).normalized();
            if platform.architecture.is_empty() {
                platform.architecture = found.architecture;
                if platform.variant.is_empty() {
                    platform.variant = found.variant;
                }
            }
            if platform.os.is_empty() {
                platform.os = found.os;
            }
        }
        self.descriptor.platform = Some(platform);
        Ok(())
    }
}

/// Checks that a single manifest is for one of the requested platforms.
fn check_platform(descriptor: &Descriptor, wanted: &[Platform]) -> Result<(), Error> {
    let Some(offered) = descriptor.platform.as_ref() else {
        return Ok(());
    };
    if wanted.is_empty() || wanted.iter().any(|wanted| matches(wanted, offered)) {
        return Ok(());
    }
    Err(Error::NoPlatform {
        wanted: wanted.iter().map(ToString::to_string).collect(),
        available: vec![offered.to_string()],
    })
}

/// Returns the attestations that registries list as referrers, for manifests without one in the
/// index.
async fn attestations(
    client: &Client,
    combined: &Combined,
) -> Result<Vec<(crate::oci::Digest, Descriptor, Location)>, Error> {
    let found: Vec<_> = stream::iter(combined.unattested().into_iter().map(
        |(digest, from)| async move {
            let referrers = from.referrers(client, &digest).await?;
            let first = referrers
                .into_iter()
                .find(|entry| entry.artifact_type == ATTESTATION);
            Ok::<_, Error>(first.map(|entry| (digest, entry, from)))
        },
    ))
    .buffered(AT_ONCE)
    .try_collect()
    .await?;
    Ok(found.into_iter().flatten().collect())
}
