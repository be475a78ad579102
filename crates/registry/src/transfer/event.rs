//! How a transfer is done, and what is told of it.

use std::fmt;
use std::sync::Arc;

use crate::oci::{Descriptor, Digest, Reference};

/// How many blobs go at once unless another number is given.
const JOBS: usize = 4;

/// Settings of a transfer.
#[derive(Clone)]
pub struct Options {
    /// How many blobs go at once; at least one.
    pub jobs: usize,
    observer: Option<Observer>,
}

/// Is told what happens.
type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// So many bytes of a blob have gone over until now; fewer than before when it had to begin again.
    Progress {
        /// The blob.
        digest: Digest,
        /// Bytes.
        bytes: u64,
    },
    /// A blob is where it belongs.
    Blob {
        /// Which.
        descriptor: Descriptor,
        /// How it got there.
        how: How,
    },
    /// A manifest or index is there.
    Manifest {
        /// Which.
        descriptor: Descriptor,
        /// Its name, if it got one.
        name: Option<Reference>,
    },
}

/// How a blob got to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It was there.
    Existed,
    /// The registry took it from another of its repositories.
    Mounted,
    /// It was copied.
    Copied,
    /// Part of it was there, the rest was copied.
    Resumed,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            jobs: JOBS,
            observer: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("jobs", &self.jobs)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// Calls this with everything that happens, from any thread.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    pub(super) fn tell(&self, event: &Event) {
        if let Some(observer) = &self.observer {
            observer(event);
        }
    }

    pub(super) fn jobs(&self) -> usize {
        self.jobs.max(1)
    }
}
