//! How each registry is reached: its address, its scheme, its TLS.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use reqwest::redirect::Policy;

use super::tls::Trust;
use super::{ClientOptions, Error};

/// What is known of registries. HTTP clients are made when they are first needed, and shared.
#[derive(Debug)]
pub(super) struct Hosts {
    certificates: Vec<PathBuf>,
    insecure: BTreeSet<String>,
    clients: Mutex<HashMap<String, reqwest::Client>>,
    /// Those that turned out to speak plain HTTP.
    plain: Mutex<BTreeSet<String>>,
}

/// The key of the client for all registries that have nothing of their own.
const COMMON: &str = "";

impl Hosts {
    pub(super) fn new(options: &ClientOptions) -> Self {
        Self {
            certificates: options.certificates.clone(),
            insecure: options.insecure.iter().cloned().collect(),
            clients: Mutex::default(),
            plain: Mutex::default(),
        }
    }

    /// The HTTP client for a registry or another host that one redirects to. It follows no redirects by itself.
    pub(super) fn client(&self, registry: &str) -> Result<reqwest::Client, Error> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(registry) {
            return Ok(client.clone());
        }
        let mut trust = Trust::of(registry, &self.certificates)?;
        trust.unchecked = self.insecure.contains(registry);
        let client = match (trust.is_plain(), clients.get(COMMON)) {
            (true, Some(client)) => client.clone(),
            (true, None) => {
                let client = trust.client(Policy::none())?;
                clients.insert(COMMON.to_owned(), client.clone());
                client
            }
            (false, _) => trust.client(Policy::none())?,
        };
        clients.insert(registry.to_owned(), client.clone());
        Ok(client)
    }

    /// `http` once that is known, else `https`.
    pub(super) fn scheme(&self, registry: &str) -> &'static str {
        let plain = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        match plain.contains(registry) {
            true => "http",
            false => "https",
        }
    }

    /// Whether plain HTTP may be tried: on this machine, or because it was said.
    pub(super) fn may_be_plain(&self, registry: &str) -> bool {
        is_local(registry) || self.insecure.contains(registry)
    }

    /// Remembers that it spoke plain HTTP.
    pub(super) fn is_plain(&self, registry: &str) {
        let mut plain = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        plain.insert(registry.to_owned());
    }
}

/// Where the registry of this name listens.
pub(super) fn address(registry: &str) -> &str {
    match registry {
        "docker.io" | "index.docker.io" => "registry-1.docker.io",
        other => other,
    }
}

/// `localhost`, `127.0.0.0/8`, `[::1]`, with or without port.
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
    fn others_are_plain_when_it_was_said() {
        let options = ClientOptions {
            insecure: vec!["10.0.0.1:5000".to_owned()],
            ..ClientOptions::default()
        };
        let hosts = Hosts::new(&options);
        assert!(hosts.may_be_plain("10.0.0.1:5000"));
        assert!(!hosts.may_be_plain("10.0.0.2:5000"));
        assert_eq!(hosts.scheme("10.0.0.1:5000"), "https");
        hosts.is_plain("10.0.0.1:5000");
        assert_eq!(hosts.scheme("10.0.0.1:5000"), "http");
    }
}
