//! Inspects images in a registry with curl and tar, without solvekit.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::Engine;

const ACCEPT: &str = "Accept: application/vnd.oci.image.index.v1+json, \
                      application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// An image index that was pushed.
pub struct Pushed {
    repository: String,
    /// The index, as the registry serves it.
    pub index: Value,
    /// Its digest, computed by the test.
    pub digest: String,
}

impl Pushed {
    /// Fetches `registry/repository:tag`.
    #[track_caller]
    pub fn fetch(name: &str) -> Self {
        Self::find(name).unwrap_or_else(|| panic!("{name} is not in the registry"))
    }

    /// The same, `None` if the registry has no such image.
    pub fn find(name: &str) -> Option<Self> {
        let (repository, tag) = name.rsplit_once(':').expect("a tag");
        let bytes = get(repository, &format!("manifests/{tag}"))?;
        Some(Self {
            repository: repository.to_owned(),
            digest: sha256(&bytes),
            index: serde_json::from_slice(&bytes).expect("a manifest is JSON"),
        })
    }

    /// The platforms of the index, in its order, as `os/architecture[/variant]`.
    pub fn platforms(&self) -> Vec<String> {
        self.manifests().iter().map(platform_of).collect()
    }

    /// The image configuration of one platform.
    #[track_caller]
    pub fn config(&self, platform: &str) -> Value {
        let manifest = self.manifest(platform);
        self.json(&format!("blobs/{}", text(&manifest["config"]["digest"])))
    }

    /// The text of a file in one platform's image, from the topmost layer with this file.
    #[track_caller]
    pub fn file(&self, platform: &str, path: &str) -> String {
        String::from_utf8_lossy(&self.bytes(platform, path)).into_owned()
    }

    /// The same as bytes.
    #[track_caller]
    pub fn bytes(&self, platform: &str, path: &str) -> Vec<u8> {
        let manifest = self.manifest(platform);
        let layers = manifest["layers"].as_array().expect("layers");
        let found = layers.iter().rev().find_map(|layer| {
            let blob = self.blob(text(&layer["digest"]));
            let output = Command::new("tar")
                .arg("-xOf")
                .arg(blob.path().join("blob"))
                .arg(path.trim_start_matches('/'))
                .output()
                .expect("tar is there");
            output.status.success().then_some(output.stdout)
        });
        found.unwrap_or_else(|| panic!("no layer of {platform} has {path}"))
    }

    /// All entries of one platform's layers in order, as `tar -tv` lists them with numeric owners
    /// and full times.
    #[track_caller]
    pub fn entries(&self, platform: &str) -> Vec<String> {
        let manifest = self.manifest(platform);
        let layers = manifest["layers"].as_array().expect("layers");
        let mut entries = Vec::new();
        for layer in layers {
            let blob = self.blob(text(&layer["digest"]));
            let output = Command::new("tar")
                .args([
                    "--numeric-owner",
                    "--full-time",
                    "--quoting-style=literal",
                    "-tvf",
                ])
                .env("TZ", "UTC")
                .arg(blob.path().join("blob"))
                .output();
            let listed = output.expect("tar is there").stdout;
            entries.extend(String::from_utf8_lossy(&listed).lines().map(str::to_owned));
        }
        entries
    }

    /// The manifest of one platform.
    #[track_caller]
    pub fn manifest(&self, platform: &str) -> Value {
        if self.index.get("manifests").is_none() {
            return self.index.clone();
        }
        let entries = self.manifests();
        let entry = entries
            .iter()
            .find(|entry| platform_of(entry) == platform)
            .unwrap_or_else(|| panic!("{platform} is not one of {:?}", self.platforms()));
        self.json(&format!("manifests/{}", text(&entry["digest"])))
    }

    /// The attestations of one platform's image.
    #[track_caller]
    pub fn attestations(&self, platform: &str) -> Vec<Value> {
        let entries = self.manifests();
        let image = entries.iter().find(|entry| platform_of(entry) == platform);
        let digest = &image.expect("the platform is there")["digest"];
        let of_image = |entry: &&Value| {
            let annotations = &entry["annotations"];
            annotations["vnd.docker.reference.type"] == "attestation-manifest"
                && annotations["vnd.docker.reference.digest"] == *digest
        };
        let mut statements = Vec::new();
        for entry in entries.iter().filter(of_image) {
            let manifest = self.json(&format!("manifests/{}", text(&entry["digest"])));
            for layer in manifest["layers"].as_array().expect("layers") {
                assert_eq!(layer["mediaType"], "application/vnd.in-toto+json");
                statements.push(self.json(&format!("blobs/{}", text(&layer["digest"]))));
            }
        }
        statements
    }

    fn manifests(&self) -> &Vec<Value> {
        self.index["manifests"].as_array().expect("an index")
    }

    #[track_caller]
    fn json(&self, what: &str) -> Value {
        let bytes = get(&self.repository, what).unwrap_or_else(|| panic!("no {what}"));
        serde_json::from_slice(&bytes).expect("JSON")
    }

    #[track_caller]
    fn blob(&self, digest: &str) -> TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bytes = get(&self.repository, &format!("blobs/{digest}"))
            .unwrap_or_else(|| panic!("the registry lacks {digest}"));
        assert_eq!(sha256(&bytes), digest);
        std::fs::write(folder.path().join("blob"), bytes).expect("it can be written");
        folder
    }
}

fn get(repository: &str, what: &str) -> Option<Vec<u8>> {
    let (registry, path) = repository.split_once('/').expect("registry/path");
    let engine = Engine::get();
    let mut curl = Command::new("curl");
    curl.args(["-fsS", "-H", ACCEPT]);
    let scheme = if registry == engine.registry_tls {
        curl.arg("--cacert").arg(PathBuf::from(&engine.ca));
        curl.args(["-u", &format!("{}:{}", engine.user, engine.password)]);
        "https"
    } else {
        "http"
    };
    let output = curl
        .arg(format!("{scheme}://{registry}/v2/{path}/{what}"))
        .output()
        .expect("curl is there");
    output.status.success().then_some(output.stdout)
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    let hash = sha2::Sha256::digest(bytes);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn platform_of(entry: &Value) -> String {
    let platform = &entry["platform"];
    let mut name = format!(
        "{}/{}",
        text(&platform["os"]),
        text(&platform["architecture"])
    );
    if let Some(variant) = platform["variant"].as_str() {
        name = format!("{name}/{variant}");
    }
    name
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}
