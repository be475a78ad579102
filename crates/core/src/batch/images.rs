//! Sources of base images for a translation: a lock, or none.

use std::sync::Arc;

use crate::lock::{Lock, LookupError};
use crate::oci::Platform;
use crate::translate::{ImageFailure, ImageRequest, ResolvedImage, SourceRequest, SourceTime};

/// Answers the requests of a translation.
pub trait Images {
    /// Returns the images of one round, in the order of the requests. `default` is the platform of
    /// requests that name none.
    fn images(
        &self,
        requests: &[ImageRequest],
        default: &Platform,
    ) -> Vec<Result<ResolvedImage, ImageFailure>>;

    /// Returns the creation time of a git or HTTP source.
    ///
    /// # Errors
    /// If the time is not known.
    fn time(&self, request: &SourceRequest) -> Result<SourceTime, ImageFailure>;
}

impl Images for Lock {
    fn images(
        &self,
        requests: &[ImageRequest],
        default: &Platform,
    ) -> Vec<Result<ResolvedImage, ImageFailure>> {
        requests
            .iter()
            .map(|request| {
                self.answer(request, default)
                    .map_err(LookupError::into_failure)
            })
            .collect()
    }

    fn time(&self, request: &SourceRequest) -> Result<SourceTime, ImageFailure> {
        Lock::time(self, request).map_err(LookupError::into_failure)
    }
}

/// Resolves no image and uses no network.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offline;

/// The error of every request to [`Offline`].
#[derive(Debug, thiserror::Error)]
#[error("nothing is looked up offline, and no lock is given")]
struct NotLookedUp;

impl Images for Offline {
    fn images(
        &self,
        requests: &[ImageRequest],
        _: &Platform,
    ) -> Vec<Result<ResolvedImage, ImageFailure>> {
        requests
            .iter()
            .map(|_| Err(Arc::new(NotLookedUp) as ImageFailure))
            .collect()
    }

    fn time(&self, _: &SourceRequest) -> Result<SourceTime, ImageFailure> {
        Err(Arc::new(NotLookedUp))
    }
}
