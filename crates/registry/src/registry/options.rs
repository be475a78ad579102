//! How a client treats registries: whose certificates it takes, who need not have one.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Settings of a [`Client`](super::Client).
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Folders that hold a folder `HOST[:PORT]` for a registry, as docker has them in `/etc/docker/certs.d`: `*.crt` are
    /// authorities that it may have its certificate from, besides those that the system trusts; `NAME.cert` with
    /// `NAME.key` is what the client shows. The first folder that knows the registry counts. All are PEM.
    pub certificates: Vec<PathBuf>,
    /// Registries (`HOST[:PORT]`) whose certificates are not checked and that may speak plain HTTP. The registries of this
    /// machine (`localhost`, `127.0.0.0/8`, `[::1]`) may speak plain HTTP without being named here.
    pub insecure: Vec<String>,
    /// Who is told when the client waits because a registry says so.
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
