//! The sources of base images for commands without a daemon: a lock, registries, or none.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use solvekit::batch::{self, Offline};
use solvekit::files::read_at_most;
use solvekit::lock::Lock;
use solvekit::oci::{Platform, Reference};
use solvekit::registry::{self, Images};
use solvekit::translate::{
    ImageFailure, ImageKind, ImageRequest, ResolvedImage, SourceRequest, SourceTime,
};
use tokio::runtime::Runtime;

use super::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::usage::LockUsage;
use crate::cli::report::{Failure, daemon_text};

/// The largest lock that is read, in bytes. It contains the configs of all its images.
pub(crate) const MAX_LOCK: u64 = 64 << 20;

/// Reads a lock. Errors name its path.
pub(crate) fn read_lock(path: &Path) -> Result<Lock, Failure> {
    let text = read_at_most(path, MAX_LOCK).map_err(|source| LockUsage::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let lock = Lock::parse(&text).map_err(|source| LockUsage::Invalid {
        path: path.to_owned(),
        source,
    })?;
    Ok(lock)
}

/// The source of images according to `--lock` and `--offline`.
pub(crate) fn lookup(
    lock: Option<&PathBuf>,
    offline: bool,
    registries: &RegistryArgs,
    environment: &Environment,
) -> Result<Lookup, Failure> {
    let place: Box<dyn batch::Images> = match (lock, offline) {
        (Some(path), _) => Box::new(read_lock(path)?),
        (None, true) => Box::new(Offline),
        (None, false) => Box::new(Registries::new(registries, environment)?),
    };
    Ok(Lookup {
        place,
        is_offline: offline && lock.is_none(),
        failed: RefCell::default(),
    })
}

/// A source of images that remembers if a look-up failed: the answers of a batch are only text.
pub(crate) struct Lookup {
    place: Box<dyn batch::Images>,
    is_offline: bool,
    failed: RefCell<Option<ImageFailure>>,
}

impl Lookup {
    /// True if an image was needed, but may not be looked up.
    pub(crate) fn lacks_a_lock(&self) -> bool {
        self.is_offline && self.failed.borrow().is_some()
    }

    /// The hint for the image that could not be looked up, if any.
    pub(crate) fn advice(&self) -> Option<String> {
        daemon_text::for_error(&**self.failed.borrow().as_ref()?)
    }

    fn remember(&self, error: Option<&ImageFailure>) {
        if let Some(error) = error {
            self.failed.replace(Some(Arc::clone(error)));
        }
    }
}

impl batch::Images for Lookup {
    fn images(
        &self,
        requests: &[ImageRequest],
        default: &Platform,
    ) -> Vec<Result<ResolvedImage, ImageFailure>> {
        let found = self.place.images(requests, default);
        self.remember(found.iter().find_map(|found| found.as_ref().err()));
        found
    }

    fn time(&self, request: &SourceRequest) -> Result<SourceTime, ImageFailure> {
        let found = self.place.time(request);
        self.remember(found.as_ref().err());
        found
    }
}

/// Runs work that waits for registries on its own thread: a runtime cannot block within another
/// one.
pub(crate) fn on_own_thread<T: Send>(
    work: impl FnOnce() -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    std::thread::scope(|scope| {
        let ended = scope.spawn(work).join();
        ended.unwrap_or_else(|_| {
            Err(Failure::new(
                "the look-up of base images ended by a mistake of the program; please report it",
            ))
        })
    })
}

/// Registries; all images of a round are requested at once.
pub(crate) struct Registries {
    runtime: Runtime,
    images: Images,
}

impl Registries {
    pub(crate) fn new(
        registries: &RegistryArgs,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(format!("cannot start the runtime: {error}")))?;
        Ok(Self {
            runtime,
            images: Images::with_client(registries.client(environment)?),
        })
    }

    /// The images with their configs, in the order of the questions.
    pub(crate) fn find(
        &self,
        questions: Vec<(Reference, Platform)>,
    ) -> Vec<Result<registry::FoundImage, registry::Error>> {
        self.runtime.block_on(async {
            let mut tasks = Vec::new();
            for (reference, platform) in questions {
                let images = self.images.clone();
                tasks.push(tokio::spawn(async move {
                    images.find(&reference, &platform).await
                }));
            }
            let mut found = Vec::new();
            for task in tasks {
                // The tasks are never aborted and do not panic.
                if let Ok(image) = task.await {
                    found.push(image);
                }
            }
            found
        })
    }
}

/// Sources that cannot be looked up in registries.
#[derive(Debug, thiserror::Error)]
enum NotAsked {
    #[error("an OCI layout is looked up by a build only, or in a lock")]
    Layout,
    #[error("the time of {0} is looked up by a build only, or in a lock")]
    Time(String),
}

impl batch::Images for Registries {
    fn images(
        &self,
        requests: &[ImageRequest],
        default: &Platform,
    ) -> Vec<Result<ResolvedImage, ImageFailure>> {
        let questions = requests.iter().map(|request| {
            let platform = request.platform.as_ref().unwrap_or(default);
            (request.reference.clone(), platform.clone())
        });
        let found = self.find(questions.collect());
        let answers = requests.iter().zip(found).map(|(request, found)| {
            if request.kind != ImageKind::Registry {
                return Err(Arc::new(NotAsked::Layout) as ImageFailure);
            }
            let found = found.map_err(|error| Arc::new(error) as ImageFailure)?;
            ResolvedImage::parse(Some(found.digest), &found.config)
                .map_err(|error| Arc::new(error) as ImageFailure)
        });
        answers.collect()
    }

    fn time(&self, request: &SourceRequest) -> Result<SourceTime, ImageFailure> {
        Err(Arc::new(NotAsked::Time(request.identifier.clone())))
    }
}
