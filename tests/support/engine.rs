//! The environment variables that `tests/engine up` prints.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

/// The daemon and the registries under test.
#[derive(Debug)]
pub struct Engine {
    /// The daemon's address, for `BUILDKIT_HOST`.
    pub host: String,
    /// The address of a second daemon (`tests/engine up second`), or the same one if there is only
    /// one.
    pub second: String,
    /// `host:port` of the registry with plain HTTP and the base images.
    pub registry: String,
    /// `host:port` of the registry with TLS and a password.
    pub registry_tls: String,
    /// The certificate authority of `registry_tls`, PEM.
    pub ca: PathBuf,
    /// The user name for `registry_tls`.
    pub user: String,
    /// The password.
    pub password: String,
}

impl Engine {
    /// The engine of this run.
    ///
    /// Panics, which fails the test, if it is not up: a skipped test proves nothing.
    pub fn get() -> &'static Engine {
        static ENGINE: OnceLock<Engine> = OnceLock::new();
        ENGINE.get_or_init(|| Engine {
            host: variable("BUILDKIT_HOST"),
            second: std::env::var("BUILDKIT_HOST_2").unwrap_or_else(|_| variable("BUILDKIT_HOST")),
            registry: variable("REGISTRY"),
            registry_tls: variable("REGISTRY_TLS"),
            ca: variable("REGISTRY_CA").into(),
            user: variable("REGISTRY_USER"),
            password: variable("REGISTRY_PASSWORD"),
        })
    }

    /// An image name in the plain registry that no other test uses, without a tag.
    pub fn name(&self, what: &str) -> String {
        format!("{}/test/{what}-{}", self.registry, unique())
    }

    /// The same in the registry with TLS and a password.
    pub fn name_tls(&self, what: &str) -> String {
        format!("{}/test/{what}-{}", self.registry_tls, unique())
    }
}

/// Held while the cache is pruned, and by tests that need what they have just built.
static CACHE: RwLock<()> = RwLock::new(());

/// Keeps other tests from pruning the cache. After a prune BuildKit forgets each result that it
/// cannot open at that moment, also of builds that the prune did not name.
pub fn keep_cache() -> RwLockReadGuard<'static, ()> {
    CACHE.read().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for the tests that [keep the cache](keep_cache), and keeps others from starting.
pub fn prune_alone() -> RwLockWriteGuard<'static, ()> {
    CACHE.write().unwrap_or_else(PoisonError::into_inner)
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: this test needs a real BuildKit. Run `export $(tests/engine \
                up)` first, or `make test`"
        )
    })
}

/// A word that is different for each call, machine and run.
pub fn unique() -> String {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("the clock is set");
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    format!("{:x}-{}-{call}", now.as_nanos(), std::process::id())
}
