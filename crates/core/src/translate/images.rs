//! The requests of a translation and their answers: image configs, and times of sources.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::sync::Arc;

use super::Outcome;
use super::options::NamedContext;
use crate::llb::ResolveMode;
use crate::oci::{Digest, Image, Platform, Reference};

/// An image whose config a translation needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRequest {
    /// The image, normalised, with a tag or digest.
    pub reference: Reference,
    /// The platform; `None` for the daemon's default.
    pub platform: Option<Platform>,
    /// The policy for looking the image up in the registry.
    pub mode: ResolveMode,
    /// The store of the image.
    pub kind: ImageKind,
    /// The name of the request in the progress.
    pub log_name: String,
}

/// The store of an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageKind {
    /// In a registry.
    Registry,
    /// In an OCI layout that a session serves.
    OciLayout {
        /// The session.
        session_id: String,
        /// The layout's name there.
        store_id: String,
    },
}

/// A resolved image.
#[derive(Clone, Debug)]
pub struct ResolvedImage {
    /// The reference that a policy replaced the requested one by.
    pub reference: Option<Reference>,
    /// The digest of the index or manifest.
    pub digest: Option<Digest>,
    /// The config.
    pub config: Arc<Image>,
}

impl ResolvedImage {
    /// Parses an image config in JSON, for an image with this digest.
    ///
    /// # Errors
    /// If the JSON is malformed or not an image config.
    pub fn parse(digest: Option<Digest>, config: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(Self {
            reference: None,
            digest,
            config: Arc::new(serde_json::from_slice(config)?),
        })
    }
}

/// The reason an image could not be resolved, from the caller.
pub type ImageFailure = Arc<dyn StdError + Send + Sync>;

/// The answer to a request.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// The image.
    Image(ResolvedImage),
    /// It could not be found.
    Failure(ImageFailure),
    /// A policy replaced the image by another kind of source. A named context becomes that source;
    /// a base image fails with the second value.
    Context(Box<NamedContext>, ImageFailure),
}

/// Information that a translation misses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Images.
    Images(Vec<ImageRequest>),
    /// The time of a source.
    Time(SourceRequest),
}

impl<T> From<Needs> for Outcome<T> {
    fn from(needs: Needs) -> Self {
        match needs {
            Needs::Images(requests) => Self::NeedsImages(requests),
            Needs::Time(request) => Self::NeedsTime(request),
        }
    }
}

/// The answers to requests so far.
#[derive(Clone, Debug, Default)]
pub struct ResolvedImages {
    images: BTreeMap<ImageRequest, Answer>,
    times: BTreeMap<String, Result<SourceTime, ImageFailure>>,
}

impl ResolvedImages {
    /// Returns an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a resolved image.
    pub fn insert(&mut self, request: ImageRequest, image: ResolvedImage) {
        self.images.insert(request, Answer::Image(image));
    }

    /// Adds the failure to resolve an image. The translation then fails at the line that uses the
    /// image.
    pub fn insert_failure(&mut self, request: ImageRequest, failure: ImageFailure) {
        self.images.insert(request, Answer::Failure(failure));
    }

    /// Adds that a policy replaced an image by `context`. A named context becomes that; a base
    /// image fails with `failure`.
    pub fn insert_context(
        &mut self,
        request: ImageRequest,
        context: NamedContext,
        failure: ImageFailure,
    ) {
        let answer = Answer::Context(Box::new(context), failure);
        self.images.insert(request, answer);
    }

    /// Adds the time of a source, by the identifier of the [`SourceRequest`].
    pub fn insert_time(&mut self, identifier: impl Into<String>, time: SourceTime) {
        self.times.insert(identifier.into(), Ok(time));
    }

    /// Adds the failure to find the time of a source. The translation then fails with it.
    pub fn insert_time_failure(&mut self, identifier: impl Into<String>, failure: ImageFailure) {
        self.times.insert(identifier.into(), Err(failure));
    }

    /// True if an image has ONBUILD triggers.
    pub fn have_triggers(&self) -> bool {
        self.images.values().any(|answer| match answer {
            Answer::Image(image) => !image.config.config.on_build.is_empty(),
            Answer::Failure(_) => false,
            // The content of the replacement becomes known later.
            Answer::Context(..) => true,
        })
    }

    /// True if there is an answer for `request`.
    pub fn contains(&self, request: &ImageRequest) -> bool {
        self.images.contains_key(request)
    }

    pub(super) fn answer(&self, request: &ImageRequest) -> Option<&Answer> {
        self.images.get(request)
    }

    /// Returns the image or the failure; any other kind of source is a failure too.
    pub(super) fn image(
        &self,
        request: &ImageRequest,
    ) -> Option<Result<&ResolvedImage, &ImageFailure>> {
        Some(match self.images.get(request)? {
            Answer::Image(image) => Ok(image),
            Answer::Failure(failure) | Answer::Context(_, failure) => Err(failure),
        })
    }

    pub(super) fn time(&self, identifier: &str) -> Option<&Result<SourceTime, ImageFailure>> {
        self.times.get(identifier)
    }
}

/// A git or HTTP source whose time `SOURCE_DATE_EPOCH` uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRequest {
    /// The op's identifier, `git://…` or `http(s)://…`.
    pub identifier: String,
    /// The op's attributes, sorted by key.
    pub attributes: Vec<(String, String)>,
    /// The name of the request in the progress.
    pub log_name: String,
}

/// The creation time of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceTime {
    /// It has no time.
    Unknown,
    /// The git commit object, as `git cat-file` prints it; its committer time is used.
    GitCommit(Vec<u8>),
    /// The time of an HTTP source in seconds since 1970: `Last-Modified`, or the newest file of the
    /// archive.
    Seconds(i64),
}
