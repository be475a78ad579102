//! What a job is run with, and what it gives: plain data.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{Error, FoundImages, Link};
use crate::client::CacheEntry;
use crate::dockerfile::Finding;
use crate::gateway::BuildResult;
use crate::llb::Definition;
use crate::lock::Lock;
use crate::oci::Platform;
use crate::translate::{Context, NamedContext};

/// Where and how a job is run.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// The session that serves the client's folders.
    pub session_id: String,
    /// The platforms of the daemon, its own first; `BUILDPLATFORM` is the first. Empty means this machine's.
    pub build_platforms: Vec<Platform>,
    /// What `.dockerignore` excludes from the main context.
    pub excludes: Vec<String>,
    /// How many platforms are solved at the same time; `None` is all of them.
    pub parallel: Option<usize>,
    /// When a platform fails, the others are not cancelled, and the result has those that succeeded.
    pub keep_going: bool,
    /// Compute the result before it is handed over, so that a failure belongs to a platform and nothing is exported yet.
    pub evaluate: bool,
    /// Caches that the daemon looks into before it runs a step.
    pub cache_imports: Vec<CacheEntry>,
    /// Named graphs that stand for contexts: what a frontend in the daemon may be given instead of folders.
    pub inputs: BTreeMap<String, Definition>,
    /// The main context instead of the one that the attributes name.
    pub context: Option<Context>,
    /// Named contexts instead of those of the same names in the attributes.
    pub contexts: BTreeMap<String, NamedContext>,
    /// Named contexts that other Dockerfiles make.
    pub links: Vec<Link>,
    /// Of several platforms, only these are translated; empty means all.
    pub only_platforms: Vec<Platform>,
    /// Base images that other jobs on the same daemon have looked up.
    pub found: Arc<FoundImages>,
    /// Limits what several jobs solve at the same time, in place of `parallel`.
    pub places: Option<Arc<Semaphore>>,
    /// Base images to use as they are locked, instead of asking a registry.
    pub lock: Option<ImageLock>,
    /// The entitlements that the build was given; a step that needs another one fails the build before anything is solved.
    /// `None` leaves that to the daemon.
    pub entitlements: Option<Vec<String>>,
    /// A process that the daemon's machine would emulate fails the build before anything is solved.
    pub require_native: bool,
    /// A process of a platform whose programs the daemon cannot run fails the build before anything is solved. Platforms that the
    /// daemon does not list are tried for that with a small program. A build that imports caches is left to the daemon: its steps may be there.
    pub try_platforms: bool,
    /// The main context's folder: a file that COPY names and that is not there fails the build
    /// before anything is solved. `None` leaves that to the daemon.
    pub context_folder: Option<PathBuf>,
    /// The request goes along in full provenance, as a document: the daemon knows the attributes of its own frontends only.
    pub with_request: bool,
    /// The step that warnings are shown at: the digest of the one that read the Dockerfile.
    pub warn_at: String,
}

/// A lock of a build.
#[derive(Debug, Clone)]
pub struct ImageLock {
    /// The images.
    pub lock: Arc<Lock>,
    /// Images that it does not have are looked up as without a lock; else they are an error.
    pub resolve_missing: bool,
}

/// What a job gives.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finished {
    /// For the daemon's exporters.
    pub result: BuildResult,
    /// What the lint rules found, of one platform. Another frontend reports to the daemon only.
    pub findings: Vec<Finding>,
    /// The platforms that are in the result; none when another frontend made it.
    pub built: Vec<Platform>,
    /// The platforms that failed while the others were kept going; the result is without them.
    pub failed: Vec<PlatformFailure>,
}

/// A platform that failed, of several.
#[derive(Debug)]
#[non_exhaustive]
pub struct PlatformFailure {
    /// The platform.
    pub platform: Platform,
    /// Why.
    pub error: Error,
}
