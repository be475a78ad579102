//! How a client treats registries: whose certificates it takes, which need none, through which
//! proxies it goes, how often it tries.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Proxies, RetryPolicy};

/// Settings of a [`Client`](super::Client) or a [`TokenClient`](super::TokenClient).
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Folders that hold a folder `HOST[:PORT]` for a registry, as docker has them in
    /// `/etc/docker/certs.d`: `*.crt` are certificates that are trusted besides those of the system,
    /// of authorities or of the registry itself; `NAME.cert` with `NAME.key` is what the client
    /// shows. The first folder that knows the registry counts. All are PEM. What is trusted for a
    /// registry is trusted for its token server and for the storage it redirects to as well.
    pub certificates: Vec<PathBuf>,
    /// Registries (`HOST[:PORT]`) whose certificates are not checked and that may speak plain HTTP,
    /// with their token servers and storage. The registries of this machine (`localhost`,
    /// `127.0.0.0/8`, `[::1]`) may speak plain HTTP without being named here.
    pub insecure: Vec<String>,
    /// The proxies of all requests; none by default. The command takes those of its environment.
    pub proxies: Proxies,
    /// How often requests are tried again after passing failures.
    pub retries: RetryPolicy,
    /// Is told when the client waits: for a registry that limits requests, or before it tries again.
    pub notifier: Option<Notifier>,
}

/// Is told, in a line of text, what the client does that takes time.
#[derive(Clone)]
pub struct Notifier(Arc<dyn Fn(&str) + Send + Sync>);

impl Notifier {
    /// Calls this with each line.
    pub fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(super) fn tell(&self, text: &str) {
        (self.0)(text);
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notifier")
    }
}
