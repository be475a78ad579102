//! Settings of registry clients: certificates, insecure registries, proxies and retries.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Proxies, RetryPolicy};

/// Settings of a [`Client`](super::Client) or a [`TokenClient`](super::TokenClient).
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// Folders with a subfolder `HOST[:PORT]` per registry, like docker's `/etc/docker/certs.d`.
    /// `*.crt` are trusted in addition to the system's: authorities, or the registry's own
    /// certificate. `NAME.cert` with `NAME.key` is the client certificate. All are PEM. The first
    /// folder that contains the registry is used. The trust extends to the registry's token server
    /// and storage.
    pub certificates: Vec<PathBuf>,
    /// Certificates of single hosts (`HOST[:PORT]`), in place of those in folders.
    pub hosts: BTreeMap<String, HostCertificates>,
    /// Registries (`HOST[:PORT]`) whose certificates are not checked and that may speak plain HTTP,
    /// as may their token servers and storage. Local registries (`localhost`, `127.0.0.0/8`,
    /// `[::1]`) may always speak plain HTTP.
    pub insecure: Vec<String>,
    /// Registries (`HOST[:PORT]`) whose certificates are not checked, but that must use TLS.
    pub unverified: Vec<String>,
    /// The proxies of all requests; none by default. The command sets them from its environment.
    pub proxies: Proxies,
    /// The retries of requests after transient failures.
    pub retries: RetryPolicy,
    /// Called when the client waits: for a rate limit, or before a retry.
    pub notifier: Option<Notifier>,
}

/// Certificates or a key in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pem {
    /// A file, which is read at the first request to the host.
    File(PathBuf),
    /// The content.
    Bytes(Vec<u8>),
}

impl From<&str> for Pem {
    fn from(path: &str) -> Self {
        Self::File(path.into())
    }
}

/// The certificates for one host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostCertificates {
    /// Authorities that are trusted in addition to the system's.
    pub authorities: Vec<Pem>,
    /// The client certificate and its key.
    pub identity: Option<(Pem, Pem)>,
}

/// A callback that receives a line of text about slow operations.
#[derive(Clone)]
pub struct Notifier(Arc<dyn Fn(&str) + Send + Sync>);

impl Notifier {
    /// Wraps a function that is called with each line.
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
