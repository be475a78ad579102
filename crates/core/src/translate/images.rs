//! What a translation asks its caller for, and the answers: image configs, and times of sources.

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
    /// The image, normalised, with tag or digest.
    pub reference: Reference,
    /// The platform; none means the daemon's default.
    pub platform: Option<Platform>,
    /// Whether the registry has to be asked.
    pub mode: ResolveMode,
    /// Where the image is.
    pub kind: ImageKind,
    /// What progress shows for the request.
    pub log_name: String,
}

/// Where an image is.
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

/// An image as it was found.
#[derive(Clone, Debug)]
pub struct ResolvedImage {
    /// The reference instead of the requested one, when a policy changed it.
    pub reference: Option<Reference>,
    /// The digest of the index or manifest.
    pub digest: Option<Digest>,
    /// The config.
    pub config: Arc<Image>,
}

impl ResolvedImage {
    /// An image with this digest and config, the latter as JSON.
    ///
    /// # Errors
    /// When the config is not one.
    pub fn parse(digest: Option<Digest>, config: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(Self {
            reference: None,
            digest,
            config: Arc::new(serde_json::from_slice(config)?),
        })
    }
}

/// Why an image could not be found, in the caller's words.
pub type ImageFailure = Arc<dyn StdError + Send + Sync>;

/// The answer to a request.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// The image.
    Image(ResolvedImage),
    /// It could not be found.
    Failure(ImageFailure),
    /// A policy put something that is not an image in its place: a named context is that, a base
    /// image fails with the second.
    Context(Box<NamedContext>, ImageFailure),
}

/// What has to be known first.
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
    /// No answer yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an image that was found.
    pub fn insert(&mut self, request: ImageRequest, image: ResolvedImage) {
        self.images.insert(request, Answer::Image(image));
    }

    /// Adds that an image was not found: the translation fails there, with the line that asks for
    /// the image.
    pub fn insert_failure(&mut self, request: ImageRequest, failure: ImageFailure) {
        self.images.insert(request, Answer::Failure(failure));
    }

    /// Adds that a policy put `context` in the place of an image. A named context is that then; a
    /// base image fails with `failure`.
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

    /// Adds that the time of a source could not be found: the translation fails with it.
    pub fn insert_time_failure(&mut self, identifier: impl Into<String>, failure: ImageFailure) {
        self.times.insert(identifier.into(), Err(failure));
    }

    /// True if an image has ONBUILD triggers.
    pub fn have_triggers(&self) -> bool {
        self.images.values().any(|answer| match answer {
            Answer::Image(image) => !image.config.config.on_build.is_empty(),
            Answer::Failure(_) => false,
            // What it is becomes known later.
            Answer::Context(..) => true,
        })
    }

    /// Is there an answer for `request`?
    pub fn contains(&self, request: &ImageRequest) -> bool {
        self.images.contains_key(request)
    }

    pub(super) fn answer(&self, request: &ImageRequest) -> Option<&Answer> {
        self.images.get(request)
    }

    /// The image or the failure; anything else that stands in its place is a failure too.
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

/// A git or http source whose time `SOURCE_DATE_EPOCH` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRequest {
    /// The op's identifier, `git://…` or `http(s)://…`.
    pub identifier: String,
    /// The op's attributes, sorted by key.
    pub attributes: Vec<(String, String)>,
    /// What progress shows for the request.
    pub log_name: String,
}

/// When a source was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceTime {
    /// It has no time.
    Unknown,
    /// The git commit object (as `git cat-file` prints it), whose committer time counts.
    GitCommit(Vec<u8>),
    /// The time of an http source: `Last-Modified` or the newest file of the archive; seconds
    /// since 1970.
    Seconds(i64),
}
