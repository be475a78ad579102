//! A manifest of a list, in docker's format.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::text::compact;
use super::{EntryProblem, Error};
use crate::oci::{Descriptor, Platform, Reference, media_type};

/// A manifest of a list.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The image that it came from.
    pub reference: Reference,
    /// Its descriptor in the list, with the platform.
    pub descriptor: Descriptor,
    /// The manifest's bytes; empty if an old docker wrote the file.
    pub raw: Bytes,
}

/// Changes to a manifest's platform; fields that are `None` or empty stay unchanged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotations {
    /// The operating system.
    pub os: Option<String>,
    /// The architecture.
    pub architecture: Option<String>,
    /// The architecture's variant.
    pub variant: Option<String>,
    /// The operating system's version.
    pub os_version: Option<String>,
    /// The features of the operating system.
    pub os_features: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File {
    #[serde(rename = "Ref")]
    reference: String,
    #[serde(default)]
    descriptor: Option<Descriptor>,
    #[serde(default)]
    raw: String,
    #[serde(default, rename = "SchemaV2Manifest")]
    docker: Option<Value>,
    #[serde(default, rename = "OCIManifest")]
    oci: Option<Value>,
}

impl Entry {
    /// Creates the entry of a fetched manifest.
    pub(super) fn new(reference: Reference, descriptor: Descriptor, raw: Bytes) -> Self {
        Self {
            reference,
            descriptor,
            raw,
        }
    }

    /// Parses docker's JSON. The error has no path.
    pub(super) fn parse(json: &[u8]) -> Result<Self, EntryProblem> {
        let file: File = serde_json::from_slice(json)?;
        let reference = Reference::parse(&file.reference)?;
        let descriptor = file.descriptor.ok_or(EntryProblem::NoDescriptor)?;
        let raw = STANDARD.decode(&file.raw)?;
        let raw = match (raw.is_empty(), file.docker.or(file.oci)) {
            (true, Some(manifest)) => manifest.to_string().into_bytes(),
            _ => raw,
        };
        Ok(Self::new(reference, descriptor, raw.into()))
    }

    /// Returns the entry as docker writes it.
    pub fn to_json(&self) -> String {
        let descriptor = serde_json::to_string(&self.descriptor).unwrap_or_default();
        let manifest = String::from_utf8_lossy(&self.raw);
        let kind = match self.descriptor.media_type.as_str() {
            media_type::DOCKER_MANIFEST => "SchemaV2Manifest",
            _ => "OCIManifest",
        };
        format!(
            r#"{{"Ref":{},"Descriptor":{descriptor},"Raw":"{}","{kind}":{}}}"#,
            Value::from(self.reference.to_string()),
            STANDARD.encode(&self.raw),
            compact(&manifest)
        )
    }

    /// Changes the manifest's platform.
    ///
    /// # Errors
    /// [`Error::UnknownPlatform`] if the platform is unknown.
    pub fn annotate(&mut self, annotations: &Annotations) -> Result<(), Error> {
        let mut platform = self.descriptor.platform.clone().unwrap_or_default();
        let set = |field: &mut String, value: &Option<String>| {
            if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
                field.clone_from(value);
            }
        };
        set(&mut platform.os, &annotations.os);
        set(&mut platform.architecture, &annotations.architecture);
        set(&mut platform.variant, &annotations.variant);
        set(&mut platform.os_version, &annotations.os_version);
        for feature in &annotations.os_features {
            if !platform.os_features.contains(feature) {
                platform.os_features.push(feature.clone());
            }
        }
        check(&platform)?;
        self.descriptor.platform = Some(platform);
        Ok(())
    }
}

/// The architectures of each operating system: docker's list, and newer ones.
const KNOWN: &[(&str, &[&str])] = &[
    ("darwin", &["386", "amd64", "arm", "arm64"]),
    ("dragonfly", &["amd64"]),
    ("freebsd", &["386", "amd64", "arm", "arm64"]),
    (
        "linux",
        &[
            "386", "amd64", "arm", "arm64", "loong64", "mips64", "mips64le", "ppc64le", "riscv64",
            "s390x",
        ],
    ),
    ("netbsd", &["386", "amd64", "arm"]),
    ("openbsd", &["386", "amd64", "arm"]),
    ("plan9", &["386", "amd64"]),
    ("solaris", &["amd64"]),
    ("windows", &["386", "amd64", "arm64"]),
];

fn check(platform: &Platform) -> Result<(), Error> {
    let known = KNOWN.iter().find(|(os, _)| *os == platform.os);
    let known = known.map_or(&[][..], |(_, architectures)| *architectures);
    if known.contains(&platform.architecture.as_str()) {
        return Ok(());
    }
    Err(Error::UnknownPlatform {
        os: platform.os.clone(),
        architecture: platform.architecture.clone(),
        known: match known.is_empty() {
            true => vec!["nothing"],
            false => known.to_vec(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_they_are_written() {
        let raw = Bytes::from_static(b"{\n \"schemaVersion\": 2, \"layers\": []}");
        let mut descriptor = Descriptor::of(media_type::DOCKER_MANIFEST, &raw);
        descriptor.platform = Some(Platform::parse("linux/arm/v7").unwrap());
        let name = Reference::parse("example.com/a:1").unwrap();
        let entry = Entry::new(name, descriptor, raw);
        let json = entry.to_json();
        assert!(
            json.starts_with(r#"{"Ref":"example.com/a:1","Descriptor":{"mediaType":"#),
            "{json}"
        );
        assert!(
            json.ends_with(r#""SchemaV2Manifest":{"schemaVersion":2,"layers":[]}}"#),
            "{json}"
        );
        assert_eq!(Entry::parse(json.as_bytes()).unwrap(), entry);
    }

    #[test]
    fn only_platforms_of_images_can_be_set() {
        let raw = Bytes::from_static(b"{}");
        let name = Reference::parse("a").unwrap();
        let mut entry = Entry::new(name, Descriptor::of(media_type::OCI_MANIFEST, &raw), raw);
        let mut annotations = Annotations {
            os: Some("linux".to_owned()),
            architecture: Some("arm65".to_owned()),
            variant: Some("v8".to_owned()),
            os_features: vec!["x".to_owned(), "x".to_owned()],
            ..Annotations::default()
        };
        let error = entry.annotate(&annotations).unwrap_err().to_string();
        assert!(
            error.contains("linux/arm65") && error.contains("arm64"),
            "{error}"
        );
        annotations.architecture = Some("arm64".to_owned());
        entry.annotate(&annotations).unwrap();
        let platform = entry.descriptor.platform.unwrap();
        assert_eq!(platform.to_string(), "linux/arm64/v8");
        assert_eq!(platform.os_features, ["x"]);
    }
}
