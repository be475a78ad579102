//! Options and events of a transfer.

use std::fmt;
use std::sync::Arc;

use crate::oci::{Descriptor, Digest, Reference};

/// The default number of concurrent blobs.
const JOBS: usize = 4;

/// Settings of a transfer.
#[derive(Clone)]
pub struct Options {
    /// The number of blobs that are copied concurrently; at least one.
    pub jobs: usize,
    observer: Option<Observer>,
}

/// A callback for events.
type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// An event of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The number of bytes copied so far of a blob. It decreases when the blob restarts.
    Progress {
        /// The blob.
        digest: Digest,
        /// The number of bytes.
        bytes: u64,
    },
    /// A blob is complete.
    Blob {
        /// The blob.
        descriptor: Descriptor,
        /// The way the blob got there.
        how: How,
    },
    /// A manifest or index was written.
    Manifest {
        /// The manifest.
        descriptor: Descriptor,
        /// Its name, if any.
        name: Option<Reference>,
    },
}

/// The way a blob got to its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The blob existed already.
    Existed,
    /// The registry mounted it from another of its repositories.
    Mounted,
    /// The blob was copied.
    Copied,
    /// A part existed already; the rest was copied.
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
    /// Sets a callback for all events. It is called from any thread.
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
