//! The environment that `tests/engine up` prints.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

/// The daemon and the registries under test.
#[derive(Debug)]
pub struct Engine {
    /// The daemon's address, as `BUILDKIT_HOST`.
    pub host: String,
    /// The address of another daemon (`tests/engine up second`), or the same where there is only
    /// one.
    pub second: String,
    /// `host:port` of the registry that speaks plain HTTP and holds the base images.
    pub registry: String,
    /// `host:port` of the registry with TLS and a password.
    pub registry_tls: String,
    /// The certificate authority of `registry_tls`, PEM.
    pub ca: PathBuf,
    /// The name that `registry_tls` lets in.
    pub user: String,
    /// Its password.
    pub password: String,
}

impl Engine {
    /// The engine of this run.
    ///
    /// Panics, which fails the test, where it has not been brought up: a test that is skipped
    /// proves nothing.
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

    /// An image name in the plain registry that no other test uses, without tag.
    pub fn name(&self, what: &str) -> String {
        format!("{}/test/{what}-{}", self.registry, unique())
    }

    /// The same in the registry with TLS and a password.
    pub fn name_tls(&self, what: &str) -> String {
        format!("{}/test/{what}-{}", self.registry_tls, unique())
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: this test needs a real BuildKit. Run `export $(tests/engine \
                up)` first, or `make test`"
        )
    })
}

/// A word that differs at each call, on each machine, in each run.
pub fn unique() -> String {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("the clock is set");
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    format!("{:x}-{}-{call}", now.as_nanos(), std::process::id())
}
