//! The settings and the result of a job: plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::Semaphore;

use super::{Error, FoundImages, Graphs, Hook, Link};
use crate::client::CacheEntry;
use crate::dockerfile::Finding;
use crate::gateway::BuildResult;
use crate::llb::Definition;
use crate::lock::Lock;
use crate::oci::Platform;
use crate::translate::{Context, NamedContext};

/// The settings of a job.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// The id of the session that serves the client's folders.
    pub session_id: String,
    /// The daemon's platforms, its own first; the first one is `BUILDPLATFORM`. If empty, this
    /// machine's.
    pub build_platforms: Vec<Platform>,
    /// The patterns that `.dockerignore` excludes from the main context.
    pub excludes: Vec<String>,
    /// The most platforms that are solved at once; `None` for all.
    pub parallel: Option<usize>,
    /// If a platform fails, continue with the others; the result has those that succeeded.
    pub keep_going: bool,
    /// Compute the result before it is returned. A failure then belongs to a platform, and nothing
    /// is exported.
    pub evaluate: bool,
    /// The caches to import from.
    pub cache_imports: Vec<CacheEntry>,
    /// Named graphs for contexts, which a frontend in the daemon can get in place of folders.
    pub inputs: BTreeMap<String, Definition>,
    /// The main context; overrides the attributes.
    pub context: Option<Context>,
    /// Named contexts; they override those of the same name in the attributes.
    pub contexts: BTreeMap<String, NamedContext>,
    /// Named contexts that other Dockerfiles create.
    pub links: Vec<Link>,
    /// Translate only these of several platforms; empty means all.
    pub only_platforms: Vec<Platform>,
    /// Base images that jobs on the same daemon have resolved.
    pub found: Arc<FoundImages>,
    /// Limits what several jobs solve at once, in place of `parallel`.
    pub places: Option<Arc<Semaphore>>,
    /// The lock of base images to use instead of asking a registry.
    pub lock: Option<ImageLock>,
    /// The build's entitlements. A step that needs another one fails the build before anything is
    /// solved. `None` leaves that to the daemon.
    pub entitlements: Option<Vec<String>>,
    /// Fail the build before anything is solved if a process would be emulated.
    pub require_native: bool,
    /// Fail the build before anything is solved if the daemon cannot run the programs of a
    /// process's platform. Platforms that it does not list are tried with a small program. A build
    /// with imported caches is left to the daemon, because its steps may be cached.
    pub try_platforms: bool,
    /// The main context's folder. A missing file that COPY names fails the build before anything is
    /// solved. `None` leaves that to the daemon.
    pub context_folder: Option<PathBuf>,
    /// Add the request to full provenance as a document, because the daemon only knows its own
    /// frontends' attributes.
    pub with_request: bool,
    /// The name of the build among several that run together, for the hook.
    pub target: Option<String>,
    /// The embedding program's part in the build.
    pub hook: Option<Arc<dyn Hook>>,
    /// Replaces the single call that solves a platform's graph, also when the hook makes it.
    pub solver: Option<Arc<dyn Hook>>,
    /// The digest of the step that read the Dockerfile, to which warnings are attached.
    pub warn_at: String,
    /// Collects the graphs as they are sent.
    pub graphs: Option<Graphs>,
    /// The digests of steps that failed because the daemon has lost files of an input. They and
    /// their inputs are built without the cache.
    pub lost_files: BTreeSet<String>,
    /// Becomes true before the graphs are sent if no base image has `ONBUILD` triggers: then the
    /// steps are those of the Dockerfiles.
    pub no_triggers: Arc<AtomicBool>,
}

/// The lock of a build.
#[derive(Debug, Clone)]
pub struct ImageLock {
    /// The images.
    pub lock: Arc<Lock>,
    /// True to resolve images that are missing in the lock; otherwise they are an error.
    pub resolve_missing: bool,
}

/// The result of a job.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finished {
    /// For the daemon's exporters.
    pub result: BuildResult,
    /// The lint findings of one platform. Another frontend reports them only to the daemon.
    pub findings: Vec<Finding>,
    /// The platforms in the result; empty if another frontend created it.
    pub built: Vec<Platform>,
    /// The platforms that failed while the others continued; they are not in the result.
    pub failed: Vec<PlatformFailure>,
}

/// One of several platforms, which failed.
#[derive(Debug)]
#[non_exhaustive]
pub struct PlatformFailure {
    /// The platform.
    pub platform: Platform,
    /// The error.
    pub error: Error,
}
