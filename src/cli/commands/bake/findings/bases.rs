//! Base images from registries, each requested once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use solvekit::oci::Platform;
use solvekit::registry;
use solvekit::translate::{ImageFailure, ImageKind, ImageRequest, ResolvedImage};

use crate::cli::args::images::Registries;
use crate::cli::report::Failure;

/// A base image.
#[derive(Clone)]
pub(super) enum Base {
    Found(ResolvedImage),
    /// The image exists, but not for the platform.
    Lacks {
        message: String,
        failure: ImageFailure,
    },
    /// Not requested, or the registry did not answer.
    Unknown,
}

/// The base images that are known so far.
pub(super) struct Bases<'a> {
    /// `None` if registries must not be asked.
    registries: Option<&'a Registries>,
    known: BTreeMap<(String, String), Base>,
    /// Requests that failed, with their causes.
    unanswered: BTreeSet<String>,
}

impl<'a> Bases<'a> {
    pub(super) fn new(registries: Option<&'a Registries>) -> Self {
        Self {
            registries,
            known: BTreeMap::new(),
            unanswered: BTreeSet::new(),
        }
    }

    /// One line for each image whose registry did not answer.
    pub(super) fn unanswered(&self) -> impl Iterator<Item = &String> {
        self.unanswered.iter()
    }

    /// Returns the images in the order of the requests.
    pub(super) fn find(
        &mut self,
        requests: &[ImageRequest],
        platform: Option<&Platform>,
    ) -> Vec<Base> {
        let host = Platform::host();
        let default = platform.unwrap_or(&host);
        let platform = |request: &ImageRequest| {
            let platform = request.platform.as_ref().unwrap_or(default);
            platform.clone()
        };
        let key =
            |request: &ImageRequest| (request.reference.to_string(), platform(request).to_string());
        let is_new = |request: &&ImageRequest| {
            request.kind == ImageKind::Registry && !self.known.contains_key(&key(request))
        };
        let new: Vec<&ImageRequest> = requests.iter().filter(is_new).collect();
        if let Some(registries) = self.registries {
            let questions = new.iter().map(|it| (it.reference.clone(), platform(it)));
            let found = registries.find(questions.collect());
            for (request, found) in new.into_iter().zip(found) {
                let base = self.base(request, found);
                self.known.insert(key(request), base);
            }
        }
        let bases = requests.iter().map(|it| self.known.get(&key(it)).cloned());
        bases.map(|base| base.unwrap_or(Base::Unknown)).collect()
    }

    fn base(
        &mut self,
        request: &ImageRequest,
        found: Result<registry::FoundImage, registry::Error>,
    ) -> Base {
        match found {
            Ok(found) => match ResolvedImage::parse(Some(found.digest), &found.config) {
                Ok(image) => Base::Found(image),
                Err(_) => Base::Unknown,
            },
            Err(error @ registry::Error::NotForPlatform { .. }) => Base::Lacks {
                message: error.to_string(),
                failure: Arc::new(error),
            },
            Err(error) => {
                let reason = Failure::from_error(&error).into_message();
                let image = request.reference.familiar();
                self.unanswered
                    .insert(format!("{image} was not looked up: {reason}"));
                Base::Unknown
            }
        }
    }
}
