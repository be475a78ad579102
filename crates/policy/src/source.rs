//! A source of a build with the daemon's information about it, and the input document for it
//! (`sourceToInput` in the reference).

use std::collections::BTreeMap;

use serde::Deserialize;
use solvekit_core::oci::{Platform, Reference};

use crate::escapes::{percent_decoded, query_values};
use crate::facts::{GitFacts, HttpFacts, ImageFacts};
use crate::git::{self, GitAddress};
use crate::input::{Git, Http, Image, Input, Local};
use crate::{field, provenance};

/// The attribute with a git repository's original address.
const FULL_URL: &str = "git.fullurl";
/// The attribute that names the secret sent with a download.
const HTTP_SECRET: &str = "http.authheadersecret";

/// A source, and the information about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Its identifier: `docker-image://docker.io/library/alpine:latest`.
    pub identifier: String,
    /// Its attributes.
    pub attrs: BTreeMap<String, String>,
    /// The information about an image, if it was requested.
    pub image: Option<ImageFacts>,
    /// The information about a git repository, if it was requested.
    pub git: Option<GitFacts>,
    /// The information about a download, if it was requested.
    pub http: Option<HttpFacts>,
}

/// The reason a source cannot be described.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The identifier has no scheme.
    #[error("the source identifier {identifier:?} has no scheme")]
    NoScheme {
        /// The identifier.
        identifier: String,
    },
    /// Policies do not support this kind of source.
    #[error("policies cannot decide about {scheme}:// sources")]
    Scheme {
        /// The kind.
        scheme: String,
    },
    /// The image's reference is invalid.
    #[error("the image source has an invalid reference")]
    Reference(#[source] solvekit_core::oci::Error),
    /// The image's config is not JSON.
    #[error("the config of {image} is not valid JSON")]
    Config {
        /// The image.
        image: String,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// The image has no platform.
    #[error("the daemon did not say for which platform {image} is used")]
    NoPlatform {
        /// The image.
        image: String,
    },
    /// The address or objects of a git repository are invalid.
    #[error(transparent)]
    Git(#[from] git::GitError),
    /// The provenance of images is nested too deeply, perhaps in a cycle.
    #[error("the materials of the provenance are more than {limit} deep")]
    TooDeep {
        /// The most levels.
        limit: usize,
    },
}

/// An input document, its unknown fields, and if it has unverified signatures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// The document.
    pub input: Input,
    /// The unknown fields: `image.labels`, `image.provenance.materials[0].image.labels` …
    pub unknown: Vec<String>,
    /// True if the image has signatures, which are not verified here.
    pub has_unverified_signatures: bool,
}

impl Source {
    /// Returns a source of which only the identifier is known.
    pub fn new(identifier: impl Into<String>) -> Self {
        Self {
            identifier: identifier.into(),
            ..Self::default()
        }
    }

    /// Returns the input document, with an empty `env`.
    ///
    /// # Errors
    /// [`SourceError`] if no policy can decide about the source.
    pub fn describe(&self, platform: Option<&Platform>) -> Result<Described, SourceError> {
        let mut described = self.describe_alone(platform)?;
        provenance::add_materials(self, platform, &mut described)?;
        Ok(described)
    }

    /// Returns the document without the materials of its provenance.
    pub(crate) fn describe_alone(
        &self,
        platform: Option<&Platform>,
    ) -> Result<Described, SourceError> {
        let Some((scheme, rest)) = self.identifier.split_once("://") else {
            return Err(SourceError::NoScheme {
                identifier: self.identifier.clone(),
            });
        };
        match scheme {
            "http" | "https" => Ok(self.http(scheme, rest)),
            "git" => self.git(rest),
            "docker-image" => self.image(rest, platform),
            "local" => Ok(Described {
                input: Input {
                    local: Some(Local {
                        name: rest.to_owned(),
                    }),
                    ..Input::default()
                },
                ..Described::default()
            }),
            _ => Err(SourceError::Scheme {
                scheme: scheme.to_owned(),
            }),
        }
    }

    fn http(&self, scheme: &str, rest: &str) -> Described {
        let rest = rest.split('#').next().unwrap_or_default();
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match address.find('/') {
            Some(place) => address.split_at(place),
            None => (address, ""),
        };
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let http = Http {
            url: self.identifier.clone(),
            schema: scheme.to_owned(),
            host: host.to_owned(),
            path: percent_decoded(path),
            query: query_values(query),
            has_auth: self.attrs.contains_key(HTTP_SECRET),
            checksum: self
                .http
                .as_ref()
                .map_or_else(String::new, |h| h.checksum.clone()),
        };
        let unknown = http.checksum.is_empty().then(|| "http.checksum".to_owned());
        Described {
            input: Input {
                http: Some(http),
                ..Input::default()
            },
            unknown: unknown.into_iter().collect(),
            has_unverified_signatures: false,
        }
    }

    fn git(&self, rest: &str) -> Result<Described, SourceError> {
        let address = GitAddress::parse(rest)?;
        let mut git = Git {
            schema: address.scheme,
            host: address.host,
            remote: address.remote,
            sub_dir: address.sub_dir,
            ..Git::default()
        };
        if let Some(full) = self.attrs.get(FULL_URL) {
            let written = GitAddress::parse(full)?;
            (git.schema, git.remote, git.host) = (written.scheme, written.remote, written.host);
            git.full_url = written.text;
        }
        let mut unknown = Vec::new();
        match &self.git {
            None => git::describe_unresolved(&mut git, &address.reference, &mut unknown),
            Some(facts) => {
                git::describe_resolved(&mut git, &address.reference, facts, &mut unknown)?
            }
        }
        git.is_sha256 = git.checksum.len() == 64;
        Ok(Described {
            input: Input {
                git: Some(git),
                ..Input::default()
            },
            unknown: unknown.iter().map(|name| format!("git.{name}")).collect(),
            has_unverified_signatures: false,
        })
    }

    fn image(&self, rest: &str, platform: Option<&Platform>) -> Result<Described, SourceError> {
        let reference = Reference::parse(rest).map_err(SourceError::Reference)?;
        let platform = platform.ok_or_else(|| SourceError::NoPlatform {
            image: reference.to_string(),
        })?;
        let mut image = Image {
            reference: reference.to_string(),
            host: reference.domain().to_owned(),
            repo: reference.clone().repository().familiar(),
            full_repo: reference.name(),
            tag: reference.tag().unwrap_or_default().to_owned(),
            platform: platform.to_string(),
            os: platform.os.clone(),
            arch: platform.architecture.clone(),
            variant: platform.variant.clone(),
            ..Image::default()
        };
        if let Some(digest) = reference.digest() {
            image.checksum = digest.to_string();
            image.is_canonical = true;
        }
        let mut described = Described::default();
        let facts = self.image.as_ref();
        if facts.is_none() && !image.is_canonical {
            described.unknown.push("image.checksum".to_owned());
        }
        let config = facts.and_then(|facts| facts.config.as_deref());
        let chain = facts.and_then(|facts| facts.chain.as_ref());
        if let Some(facts) = facts {
            image.checksum.clone_from(&facts.digest);
        }
        if let Some(config) = config {
            read_config(&mut image, config)?;
        }
        if let Some(chain) = chain {
            image.provenance = provenance::read(chain).map(|found| found.provenance);
            image.has_provenance =
                !chain.attestation_manifest.is_empty() || image.provenance.is_some();
            described.has_unverified_signatures = !chain.signature_manifests.is_empty();
        }
        let unknown = field::of_image(config.is_some(), chain.is_some());
        described.unknown.extend(unknown);
        described.input.image = Some(image);
        Ok(described)
    }
}

/// The parts of an image's config that a policy reads.
#[derive(Deserialize, Default)]
#[serde(default)]
struct ImageJson {
    created: Option<String>,
    config: Option<ConfigJson>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct ConfigJson {
    user: Option<String>,
    env: Option<Vec<String>>,
    volumes: Option<BTreeMap<String, serde_json::Value>>,
    working_dir: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

fn read_config(image: &mut Image, config: &[u8]) -> Result<(), SourceError> {
    let read: ImageJson = serde_json::from_slice(config).map_err(|source| SourceError::Config {
        image: image.reference.clone(),
        source,
    })?;
    image.created_time = read
        .created
        .as_deref()
        .map(whole_seconds)
        .unwrap_or_default();
    let config = read.config.unwrap_or_default();
    image.labels = config.labels.unwrap_or_default();
    image.env = config.env.unwrap_or_default();
    image.user = config.user.unwrap_or_default();
    image.volumes = config.volumes.unwrap_or_default().into_keys().collect();
    image.working_dir = config.working_dir.unwrap_or_default();
    Ok(())
}

/// Returns an RFC 3339 time without fractions of a second.
pub(crate) fn whole_seconds(time: &str) -> String {
    let Some((whole, fraction)) = time.split_once('.') else {
        return time.to_owned();
    };
    let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{whole}{zone}")
}
