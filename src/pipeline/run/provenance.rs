//! Reads the provenance of a build from the daemon's history, for the metadata file.

mod request;

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Map, Value, json};

pub(super) use request::KnownRequest;

use crate::client::{self, Client};
use crate::oci::Descriptor;

/// The amount of provenance in the metadata.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataProvenance {
    /// No provenance.
    #[default]
    Disabled,
    /// The builder, the request, the base images.
    Min,
    /// Everything, including the graph and the Dockerfile.
    Max,
}

impl FromStr for MetadataProvenance {
    type Err = std::convert::Infallible;

    /// Parses `BUILDX_METADATA_PROVENANCE`: `disabled` or a word for false, `max`; everything else
    /// means `min`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "max" => Self::Max,
            "disabled" => Self::Disabled,
            text if crate::dockerfile::go_bool(text) == Some(false) => Self::Disabled,
            _ => Self::Min,
        })
    }
}

/// Larger than any build's provenance, which contains the Dockerfile and the graph.
const LIMIT: usize = 64 << 20;
const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";
/// The common prefix of all versions' types.
const SLSA: &str = "https://slsa.dev/provenance/";
const SLSA_1: &str = "https://slsa.dev/provenance/v1";
const BUILD_TYPE: &str = "https://mobyproject.org/buildkit@v1";

/// The provenance of a finished build, by its key in the metadata. With one platform the key does
/// not name it, even if the image is an index.
pub(super) async fn of_build(
    client: &Client,
    build_ref: &str,
    mode: MetadataProvenance,
    is_one_platform: bool,
    request: &KnownRequest,
) -> Result<BTreeMap<String, Value>, client::Error> {
    let mut found = BTreeMap::new();
    if mode == MetadataProvenance::Disabled {
        return Ok(found);
    }
    let record = client.build_record(build_ref).await?.unwrap_or_default();
    for (platform, attestations) in record.attestations {
        let Some((digest, is_first)) = attestations.iter().find_map(provenance) else {
            continue;
        };
        let blob = client.read_blob(digest, LIMIT).await?;
        let Ok(predicate) = serde_json::from_slice::<Value>(&blob) else {
            continue;
        };
        let mut predicate = match is_first {
            true => older_form(&predicate),
            false => predicate,
        };
        request.complete(&mut predicate);
        if let (MetadataProvenance::Min, Value::Object(fields)) = (mode, &mut predicate) {
            fields.remove("buildConfig");
            fields.remove("metadata");
        }
        let key = match platform.as_str() {
            _ if is_one_platform => "buildx.build.provenance".to_owned(),
            "" => "buildx.build.provenance".to_owned(),
            platform => format!("buildx.build.provenance/{platform}"),
        };
        found.insert(key, predicate);
    }
    Ok(found)
}

/// The digest of a provenance, and true if it has the form of SLSA 1.
fn provenance(descriptor: &Descriptor) -> Option<(&str, bool)> {
    let kind = descriptor.annotations.get(PREDICATE_TYPE)?;
    let is_provenance =
        descriptor.media_type == "application/vnd.in-toto+json" && kind.starts_with(SLSA);
    is_provenance.then(|| (descriptor.digest.as_str(), kind == SLSA_1))
}

/// Converts SLSA 1 to the fields of SLSA 0.2, which readers of the metadata expect: for a long time
/// BuildKit made no other.
fn older_form(new: &Value) -> Value {
    let definition = &new["buildDefinition"];
    let (request, inside) = (
        &definition["externalParameters"],
        &definition["internalParameters"],
    );
    let mut config = Map::new();
    for (old, name) in [("uri", "uri"), ("digest", "digest"), ("entryPoint", "path")] {
        set(&mut config, old, &request["configSource"][name]);
    }
    let mut environment: Map<String, Value> = match inside {
        Value::Object(fields) => fields.clone(),
        _ => Map::new(),
    };
    environment.remove("buildConfig");
    let platform = environment.remove("builderPlatform").unwrap_or_default();
    environment.insert("platform".to_owned(), platform);
    let mut old = json!({
        "builder": { "id": new["runDetails"]["builder"]["id"] },
        "buildType": BUILD_TYPE,
        "invocation": {
            "configSource": config,
            "parameters": request["request"],
            "environment": environment,
        },
    });
    if let Value::Object(fields) = &mut old {
        set(fields, "materials", &definition["resolvedDependencies"]);
        set(fields, "buildConfig", &inside["buildConfig"]);
        set(
            fields,
            "metadata",
            &older_metadata(&new["runDetails"]["metadata"]),
        );
    }
    old
}

fn older_metadata(new: &Value) -> Value {
    if new.is_null() {
        return Value::Null;
    }
    let complete = &new["buildkit_completeness"];
    let is_true = |value: &Value| value.as_bool().unwrap_or(false);
    let mut old = Map::new();
    for (name, value) in [
        ("buildInvocationID", &new["invocationId"]),
        ("buildStartedOn", &new["startedOn"]),
        ("buildFinishedOn", &new["finishedOn"]),
        (
            "https://mobyproject.org/buildkit@v1#metadata",
            &new["buildkit_metadata"],
        ),
        (
            "https://mobyproject.org/buildkit@v1#hermetic",
            &new["buildkit_hermetic"],
        ),
    ] {
        set(&mut old, name, value);
    }
    let completeness = json!({
        "parameters": is_true(&complete["request"]),
        "environment": true,
        "materials": is_true(&complete["resolvedDependencies"]),
    });
    old.insert("completeness".to_owned(), completeness);
    let reproducible = is_true(&new["buildkit_reproducible"]);
    old.insert("reproducible".to_owned(), reproducible.into());
    Value::Object(old)
}

/// Sets the field unless the value is null.
fn set(fields: &mut Map<String, Value>, name: &str, value: &Value) {
    if !value.is_null() {
        fields.insert(name.to_owned(), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_much_is_wanted() {
        let parse = |text: &str| text.parse::<MetadataProvenance>().unwrap();
        assert_eq!(parse("max"), MetadataProvenance::Max);
        assert_eq!(parse("disabled"), MetadataProvenance::Disabled);
        assert_eq!(parse("false"), MetadataProvenance::Disabled);
        assert_eq!(parse("true"), MetadataProvenance::Min);
        assert_eq!(parse(""), MetadataProvenance::Min);
    }

    #[test]
    fn the_newer_form_is_reported_in_the_older_one() {
        let new = json!({
            "buildDefinition": {
                "buildType": "x",
                "externalParameters": {
                    "configSource": {"path": "Dockerfile"},
                    "request": {"frontend": "dockerfile.v0", "args": {"a": "b"}}
                },
                "internalParameters": {"buildConfig": {"llbDefinition": []},
                    "builderPlatform": "linux/amd64", "more": 1},
                "resolvedDependencies": [{"uri": "pkg:docker/alpine@latest",
                    "digest": {"sha256": "aa"}}]
            },
            "runDetails": {
                "builder": {"id": ""},
                "metadata": {
                    "invocationId": "i", "startedOn": "s", "buildkit_metadata": {"vcs": {}},
                    "buildkit_completeness": {"request": true, "resolvedDependencies": false}
                }
            }
        });
        let old = older_form(&new);
        assert_eq!(
            old["invocation"]["configSource"],
            json!({"entryPoint": "Dockerfile"})
        );
        assert_eq!(old["invocation"]["parameters"]["args"]["a"], "b");
        assert_eq!(
            old["invocation"]["environment"],
            json!({"platform": "linux/amd64", "more": 1})
        );
        assert_eq!(old["materials"][0]["uri"], "pkg:docker/alpine@latest");
        assert_eq!(old["metadata"]["completeness"]["parameters"], true);
        assert_eq!(old["metadata"]["buildInvocationID"], "i");
        assert_eq!(old["buildConfig"], json!({"llbDefinition": []}));
    }
}
