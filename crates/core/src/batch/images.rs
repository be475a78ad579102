//! Where base images are looked up.

use std::sync::Arc;

use crate::lock::{Lock, LookupError};
use crate::oci::Platform;
use crate::translate::{ImageFailure, ImageRequest, ResolvedImage, SourceRequest, SourceTime};

/// Answers what a translation asks for.
pub trait Images {
    /// The images of one round, in the order of the requests. `default` is the platform of a
    /// request that names none.
    fn images(
        &self,
        requests: &[ImageRequest],
        default: &Platform,
    ) -> Vec<Result<ResolvedImage, ImageFailure>>;

    /// When a git or http source was made.
    ///
    /// # Errors
    /// When it is not known.
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

/// Knows no image: nothing is asked over the network.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offline;

/// What [`Offline`] says.
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
