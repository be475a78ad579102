//! The connection settings of each registry: address, scheme, TLS and proxy.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use reqwest::Url;

use super::origin::{host_of, is_downgrade};
use super::tls::Trust;
use super::{ClientOptions, Error, HostCertificates, Proxies};

/// The connection settings of all registries. HTTP clients are created on first use and shared.
#[derive(Debug)]
pub(super) struct Hosts {
    certificates: Vec<PathBuf>,
    /// The certificates that are configured for single hosts.
    named: BTreeMap<String, HostCertificates>,
    insecure: BTreeSet<String>,
    unverified: BTreeSet<String>,
    proxies: Proxies,
    /// Clients by registry and host. Two empty names stand for the client without special settings.
    clients: Mutex<HashMap<(String, String), reqwest::Client>>,
    /// The scheme of each registry that has responded.
    schemes: Mutex<HashMap<String, &'static str>>,
}

impl Hosts {
    pub(super) fn new(options: &ClientOptions) -> Self {
        Self {
            certificates: options.certificates.clone(),
            named: options.hosts.clone(),
            insecure: options.insecure.iter().cloned().collect(),
            unverified: options.unverified.iter().cloned().collect(),
            proxies: options.proxies.clone(),
            clients: Mutex::default(),
            schemes: Mutex::default(),
        }
    }

    /// Returns the HTTP client for an address of a registry. It does not follow redirects itself.
    pub(super) fn client(&self, registry: &str, url: &Url) -> Result<reqwest::Client, Error> {
        let host = match host_of(url) {
            host if host == address(registry) => registry.to_owned(),
            host => host,
        };
        let key = (registry.to_owned(), host);
        let mut clients = lock(&self.clients);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let trust = self.trust(registry, &key.1)?;
        let common = (String::new(), String::new());
        let client = match (trust.is_plain(), clients.get(&common)) {
            (true, Some(client)) => client.clone(),
            (true, None) => {
                let client = trust.client(&self.proxies)?;
                clients.insert(common, client.clone());
                client
            }
            (false, _) => trust.client(&self.proxies)?,
        };
        clients.insert(key, client.clone());
        Ok(client)
    }

    /// Builds the trust settings. A registry's trusted certificates also apply to hosts it
    /// redirects to; the client certificate is for one host only.
    fn trust(&self, registry: &str, host: &str) -> Result<Trust, Error> {
        let mut trust = self.own_trust(host)?;
        if host != registry {
            trust.add_authorities(self.own_trust(registry)?);
        }
        trust.unchecked = self.is_unchecked(registry) || self.is_unchecked(host);
        Ok(trust)
    }

    fn own_trust(&self, host: &str) -> Result<Trust, Error> {
        match self.named.get(host) {
            Some(files) => Trust::of_host(files),
            None => Trust::of(host, &self.certificates),
        }
    }

    /// Returns `http` if the registry is known to speak it, else `https`.
    pub(super) fn scheme(&self, registry: &str) -> &'static str {
        lock(&self.schemes).get(registry).unwrap_or(&"https")
    }

    /// True if plain HTTP may be tried: the registry is local, or it was allowed. A registry that
    /// has spoken TLS stays with TLS.
    pub(super) fn may_be_plain(&self, registry: &str) -> bool {
        // Another request may have detected meanwhile that the registry speaks plain HTTP.
        let speaks_tls = lock(&self.schemes).get(registry) == Some(&"https");
        !speaks_tls && (is_local(registry) || self.is_insecure(registry))
    }

    /// Records the registry's scheme.
    pub(super) fn has_answered(&self, registry: &str, scheme: &'static str) {
        lock(&self.schemes).insert(registry.to_owned(), scheme);
    }

    /// Rejects a redirect from TLS to plain HTTP, unless plain HTTP is allowed for the registry.
    pub(super) fn check_way(&self, registry: &str, from: &Url, to: &Url) -> Result<(), Error> {
        match is_downgrade(from, to) && !self.is_insecure(registry) {
            true => Err(Error::Downgrade {
                registry: registry.to_owned(),
                host: host_of(to),
            }),
            false => Ok(()),
        }
    }

    /// Rejects a token server with plain HTTP. Exceptions: it is allowed for the registry, or both
    /// are local and the registry (`from`, if known) did not use TLS.
    pub(super) fn check_realm(
        &self,
        registry: &str,
        from: Option<&Url>,
        realm: &Url,
    ) -> Result<(), Error> {
        let stays_here = is_local(registry)
            && is_local(&host_of(realm))
            && from.is_none_or(|from| !is_downgrade(from, realm));
        match realm.scheme() == "https" || stays_here || self.is_insecure(registry) {
            true => Ok(()),
            false => Err(Error::Downgrade {
                registry: registry.to_owned(),
                host: host_of(realm),
            }),
        }
    }

    /// Returns the proxy of an address, for messages.
    pub(super) fn proxy(&self, url: &Url) -> Option<String> {
        self.proxies.name_for(url)
    }

    fn is_unchecked(&self, registry: &str) -> bool {
        self.is_insecure(registry) || self.unverified.contains(registry)
    }

    fn is_insecure(&self, registry: &str) -> bool {
        self.insecure.contains(registry)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the address of a registry's API host.
pub(super) fn address(registry: &str) -> &str {
    match registry {
        "docker.io" | "index.docker.io" => "registry-1.docker.io",
        other => other,
    }
}

/// True for `localhost`, `127.0.0.0/8` and `[::1]`, with or without a port.
fn is_local(registry: &str) -> bool {
    let host = match registry.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => registry,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_registries_of_this_machine_may_be_plain() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:80", "[::1]:5000"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["docker.io", "localhost.example.com", "10.0.0.1:5000"] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn other_hosts_are_plain_if_the_options_say_so() {
        let options = ClientOptions {
            insecure: vec!["10.0.0.1:5000".to_owned()],
            ..ClientOptions::default()
        };
        let hosts = Hosts::new(&options);
        assert!(hosts.may_be_plain("10.0.0.1:5000"));
        assert!(!hosts.may_be_plain("10.0.0.2:5000"));
        assert_eq!(hosts.scheme("10.0.0.1:5000"), "https");
        hosts.has_answered("10.0.0.1:5000", "http");
        assert_eq!(hosts.scheme("10.0.0.1:5000"), "http");
        // A request that started before the scheme was known.
        assert!(hosts.may_be_plain("10.0.0.1:5000"));
        hosts.has_answered("localhost:5000", "https");
        assert!(!hosts.may_be_plain("localhost:5000"));
    }

    #[test]
    fn an_unverified_registry_still_has_to_speak_tls() {
        let options = ClientOptions {
            unverified: vec!["u.example".to_owned()],
            ..ClientOptions::default()
        };
        let hosts = Hosts::new(&options);
        assert!(hosts.trust("u.example", "u.example").unwrap().unchecked);
        assert!(!hosts.trust("r.example", "r.example").unwrap().unchecked);
        assert!(!hosts.may_be_plain("u.example"));
    }

    #[test]
    fn token_servers_speak_tls_unless_plain_http_was_allowed() {
        let options = ClientOptions {
            insecure: vec!["i.example".to_owned()],
            ..ClientOptions::default()
        };
        let hosts = Hosts::new(&options);
        let (tls, plain) = ("https://localhost/v2/", "http://localhost/v2/");
        for (registry, from, realm, allowed) in [
            ("r.example", None, "https://t.example/", true),
            ("r.example", None, "http://t.example/", false),
            ("r.example", None, "http://localhost/", false),
            ("i.example", None, "http://t.example/", true),
            ("localhost", None, "http://127.0.0.1:1/", true),
            ("localhost", Some(plain), "http://127.0.0.1:1/", true),
            ("localhost", Some(plain), "http://t.example/", false),
            ("localhost", Some(tls), "http://127.0.0.1:1/", false),
        ] {
            let from = from.map(|from| Url::parse(from).unwrap());
            let checked = hosts.check_realm(registry, from.as_ref(), &Url::parse(realm).unwrap());
            assert_eq!(checked.is_ok(), allowed, "{registry} {from:?} {realm}");
        }
    }
}
