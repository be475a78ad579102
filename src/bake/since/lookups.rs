//! Looks up base images for the translation of several targets: each only once. Records those that
//! are referenced by tag. Linked targets count as images.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::batch::Images;
use crate::oci::{Digest, Image, Platform, Reference};
use crate::translate::{
    ImageFailure, ImageRequest, ResolvedImage, SourceRequest, SourceTime, Translation,
};

/// The domain of linked targets; no registry can have it (RFC 2606).
const DOMAIN: &str = "linked.invalid";

type Found = Result<ResolvedImage, ImageFailure>;

/// Looks each image up once.
pub(super) struct Lookups<'a> {
    images: &'a dyn Images,
    known: RefCell<BTreeMap<(ImageRequest, String), Found>>,
}

/// A base image that is referenced without a digest.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) reference: Reference,
    /// The image's creation time, in seconds since the Unix epoch.
    pub(super) created: Option<i64>,
}

/// The results of linked targets.
#[derive(Debug, Default)]
pub(super) struct Links {
    names: Vec<String>,
    results: Vec<Vec<(Platform, Arc<Image>)>>,
}

impl Links {
    pub(super) fn add(&mut self, target: &str, translations: Vec<Translation>) {
        self.names.push(target.to_owned());
        let results = translations.into_iter();
        self.results.push(
            results
                .map(|it| (it.platform.normalized(), Arc::new(it.image)))
                .collect(),
        );
    }

    /// The image reference of a linked target in translations.
    pub(super) fn reference(&self, target: &str) -> Option<String> {
        let at = self.names.iter().position(|name| name == target)?;
        Some(format!("{DOMAIN}/target:{at}"))
    }

    fn find(&self, reference: &Reference, platform: &Platform) -> Option<ResolvedImage> {
        if reference.domain() != DOMAIN {
            return None;
        }
        let at: usize = reference.tag()?.parse().ok()?;
        let results = self.results.get(at)?;
        let platform = platform.normalized();
        let same = results.iter().find(|(of, _)| *of == platform);
        let (_, image) = same.or(results.first())?;
        let digest = Digest::sha256(reference.to_string().as_bytes());
        ResolvedImage::parse(Some(digest), &image.to_json()).ok()
    }
}

impl<'a> Lookups<'a> {
    pub(super) fn new(images: &'a dyn Images) -> Self {
        Self {
            images,
            known: RefCell::default(),
        }
    }

    /// Looks up images for the translation of one target.
    pub(super) fn with<'b>(&'b self, links: &'b Links) -> Noting<'b> {
        Noting {
            lookups: self,
            links,
            seen: RefCell::default(),
        }
    }

    fn find(&self, requests: &[ImageRequest], default: &Platform) -> Vec<Found> {
        let key = |request: &ImageRequest| (request.clone(), default.to_string());
        let mut known = self.known.borrow_mut();
        let unknown: Vec<ImageRequest> = requests
            .iter()
            .filter(|request| !known.contains_key(&key(request)))
            .cloned()
            .collect();
        let found = self.images.images(&unknown, default);
        known.extend(unknown.iter().map(key).zip(found));
        let answers = requests
            .iter()
            .filter_map(|request| known.get(&key(request)));
        answers.cloned().collect()
    }
}

/// Looks up images for one target, and records those that are referenced by tag.
pub(super) struct Noting<'a> {
    lookups: &'a Lookups<'a>,
    links: &'a Links,
    seen: RefCell<Vec<Seen>>,
}

impl Noting<'_> {
    pub(super) fn into_seen(self) -> Vec<Seen> {
        self.seen.into_inner()
    }

    fn note(&self, reference: &Reference, found: &Found) {
        let mut seen = self.seen.borrow_mut();
        if reference.digest().is_some() || seen.iter().any(|it| it.reference == *reference) {
            return;
        }
        let created = found
            .as_ref()
            .ok()
            .and_then(|it| it.config.created.as_deref());
        seen.push(Seen {
            reference: reference.clone(),
            created: created.and_then(seconds),
        });
    }
}

/// Parses seconds since the Unix epoch. Reproducible builds omit the time or set it to the epoch.
fn seconds(text: &str) -> Option<i64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(time.unix_timestamp()).filter(|seconds| *seconds > 0)
}

impl Images for Noting<'_> {
    fn images(&self, requests: &[ImageRequest], default: &Platform) -> Vec<Found> {
        let linked = |request: &ImageRequest| {
            let platform = request.platform.as_ref().unwrap_or(default);
            self.links.find(&request.reference, platform)
        };
        let asked: Vec<ImageRequest> = requests
            .iter()
            .filter(|request| linked(request).is_none())
            .cloned()
            .collect();
        let mut found = self.lookups.find(&asked, default).into_iter();
        let answers = requests.iter().filter_map(|request| match linked(request) {
            Some(image) => Some(Ok(image)),
            None => {
                let found = found.next()?;
                self.note(&request.reference, &found);
                Some(found)
            }
        });
        answers.collect()
    }

    fn time(&self, request: &SourceRequest) -> Result<SourceTime, ImageFailure> {
        self.lookups.images.time(request)
    }
}
