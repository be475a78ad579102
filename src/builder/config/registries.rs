//! Applies a node's registry settings in `buildkitd.toml` to calls of this client.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{FILE, FOLDER};
use crate::builder::Node;
use crate::registry::{ClientOptions, HostCertificates, Pem};

impl Node {
    /// Adds the registry settings of the node's own `buildkitd.toml`: plain HTTP, unverified
    /// certificates, authorities and client certificates. Hosts that the options contain already
    /// keep their certificates. Mirrors are not used.
    pub fn add_registries(&self, options: &mut ClientOptions) {
        // The daemon reports a file that is malformed.
        let text = self
            .files
            .get(FILE)
            .and_then(|bytes| std::str::from_utf8(bytes).ok());
        let table = text.and_then(|text| text.parse::<Table>().ok());
        let registries = table.as_ref().and_then(|table| table.get("registry"));
        for (host, settings) in registries.and_then(Value::as_table).into_iter().flatten() {
            let is_set = |key| settings.get(key).and_then(Value::as_bool) == Some(true);
            if is_set("http") {
                options.insecure.push(host.clone());
            }
            if is_set("insecure") {
                options.unverified.push(host.clone());
            }
            let certificates = certificates(settings, &self.files);
            if certificates != HostCertificates::default() {
                options.hosts.entry(host.clone()).or_insert(certificates);
            }
        }
    }
}

fn certificates(settings: &Value, files: &BTreeMap<String, Vec<u8>>) -> HostCertificates {
    let file = |value: &Value| {
        let path = value.as_str()?.strip_prefix(FOLDER)?.strip_prefix('/')?;
        Some(Pem::Bytes(files.get(path)?.clone()))
    };
    let list = |key| settings.get(key).and_then(Value::as_array);
    let pair = |pair: &Value| Some((file(pair.get("cert")?)?, file(pair.get("key")?)?));
    HostCertificates {
        authorities: list("ca").into_iter().flatten().filter_map(file).collect(),
        identity: list("keypair").into_iter().flatten().find_map(pair),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_s_registries_are_those_of_its_configuration() {
        let toml = "[registry.\"plain.example:5000\"]\nhttp = true\n\
                    [registry.\"odd.example\"]\ninsecure = true\nhttp = false\n\
                    [registry.\"own.example\"]\n\
                    ca = [\"/etc/buildkit/certs/own.example/ca.pem\", \"/etc/other.pem\"]\n\
                    [[registry.\"own.example\".keypair]]\n\
                    key = \"/etc/buildkit/certs/own.example/key.pem\"\n\
                    cert = \"/etc/buildkit/certs/own.example/cert.pem\"\n";
        let file = |name: &str| format!("certs/own.example/{name}.pem");
        let node = Node {
            files: BTreeMap::from([
                (FILE.to_owned(), toml.as_bytes().to_vec()),
                (file("ca"), b"CA".to_vec()),
                (file("key"), b"KEY".to_vec()),
                (file("cert"), b"CERT".to_vec()),
            ]),
            ..Node::default()
        };
        let mut options = ClientOptions::default();
        node.add_registries(&mut options);
        assert_eq!(options.insecure, ["plain.example:5000"]);
        assert_eq!(options.unverified, ["odd.example"]);
        let bytes = |text: &str| Pem::Bytes(text.as_bytes().to_vec());
        assert_eq!(
            options.hosts["own.example"],
            HostCertificates {
                authorities: vec![bytes("CA")],
                identity: Some((bytes("CERT"), bytes("KEY"))),
            }
        );
        assert_eq!(options.hosts.len(), 1);
    }

    #[test]
    fn a_node_without_a_readable_configuration_adds_nothing() {
        for toml in ["registry = 1", "[registry]\na = 1", "no toml"] {
            let node = Node {
                files: BTreeMap::from([(FILE.to_owned(), toml.as_bytes().to_vec())]),
                ..Node::default()
            };
            let mut options = ClientOptions::default();
            node.add_registries(&mut options);
            assert!(
                options.insecure.is_empty() && options.hosts.is_empty(),
                "{toml}"
            );
        }
    }
}
