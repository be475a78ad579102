//! A stored builder and its nodes, in buildx's JSON. Unknown fields are kept.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Driver, Error};
use crate::oci::Platform;
use crate::spread::Placement;
use crate::text::is_unprintable;

/// A named builder: one or more nodes with the same driver.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Builder {
    /// Its name.
    #[serde(deserialize_with = "printable")]
    pub name: String,
    /// The name of its driver, see [`Driver`]; empty for a context's engine.
    #[serde(default, deserialize_with = "printable")]
    pub driver: String,
    /// Its nodes; never empty in buildx.
    #[serde(default, deserialize_with = "or_default")]
    pub nodes: Vec<Node>,
    /// True if its nodes are not stored but discovered when needed.
    #[serde(default)]
    pub dynamic: bool,
    /// The sharing of builds among equal nodes, see [`crate::spread::Placement`]; empty for the
    /// default. buildx ignores it, and drops it when it changes the builder.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub placement: String,
    #[serde(flatten)]
    pub(super) unknown: Map<String, Value>,
    /// True for a context of the docker CLI, which is not in the store.
    #[serde(skip)]
    pub of_context: bool,
}

/// A node of a builder: one BuildKit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Node {
    /// The name, for example `mybuilder0`.
    #[serde(deserialize_with = "printable")]
    pub name: String,
    /// The endpoint: a BuildKit's address for the `remote` driver, a docker CLI context or an
    /// engine's address for `docker-container`.
    #[serde(default, deserialize_with = "printable")]
    pub endpoint: String,
    /// The platforms that the user set; they come before the daemon's own.
    #[serde(
        default,
        deserialize_with = "or_default",
        serialize_with = "null_if_empty"
    )]
    pub platforms: Vec<Platform>,
    /// Options of the driver.
    #[serde(
        default,
        deserialize_with = "or_default",
        serialize_with = "null_if_none"
    )]
    pub driver_opts: BTreeMap<String, String>,
    /// Flags of its `buildkitd`.
    #[serde(
        rename = "Flags",
        default,
        deserialize_with = "or_default",
        serialize_with = "null_if_empty"
    )]
    pub buildkitd_flags: Vec<String>,
    /// Files for `/etc/buildkit`, including `buildkitd.toml`, by their path there.
    #[serde(
        default,
        deserialize_with = "from_base64",
        serialize_with = "to_base64"
    )]
    pub files: BTreeMap<String, Vec<u8>>,
    #[serde(flatten)]
    pub(super) unknown: Map<String, Value>,
}

impl Node {
    /// Returns true if the result of a build without an output is loaded into the Docker Engine:
    /// its option `default-load`.
    pub fn loads_by_default(&self) -> bool {
        let value = self.driver_opts.get("default-load");
        value.is_some_and(|value| super::options::boolean(value).unwrap_or(false))
    }
}

impl Builder {
    /// Returns a builder without nodes.
    pub fn new(name: impl Into<String>, driver: Driver) -> Self {
        Self {
            name: name.into(),
            driver: driver.to_string(),
            ..Self::default()
        }
    }

    /// Returns the builder of a docker CLI context: one node, the engine.
    pub fn of_context(name: impl Into<String>) -> Self {
        let name = name.into();
        let node = Node {
            name: name.clone(),
            endpoint: name.clone(),
            ..Node::default()
        };
        Self {
            nodes: vec![node],
            of_context: true,
            ..Self::new(name, Driver::Docker)
        }
    }

    /// Returns its driver.
    ///
    /// # Errors
    /// [`Error::UnknownDriver`] if only other programs support the driver.
    pub fn driver(&self) -> Result<Driver, Error> {
        match self.driver.as_str() {
            "" => Ok(Driver::Docker),
            name => name.parse(),
        }
    }

    /// Returns the sharing of builds among equal nodes.
    ///
    /// # Errors
    /// [`Error::Placement`] if only other programs know the placement.
    pub fn placement(&self) -> Result<Placement, Error> {
        match self.placement.as_str() {
            "" => Ok(Placement::default()),
            name => name.parse().map_err(|source| Error::Placement {
                builder: self.name.clone(),
                source,
            }),
        }
    }

    /// Returns the index of the node with this name.
    pub fn position(&self, node: &str) -> Option<usize> {
        self.nodes.iter().position(|known| known.name == node)
    }
}

/// Rejects control characters: buildx creates no such names, and messages contain the names.
fn printable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.contains(is_unprintable) {
        true => Err(serde::de::Error::custom(format_args!(
            "{text:?} has control characters"
        ))),
        false => Ok(text),
    }
}

/// Go writes empty lists and maps as `null`.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn null_if_empty<S: Serializer, T: Serialize>(
    list: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    (!list.is_empty()).then_some(list).serialize(serializer)
}

fn null_if_none<S: Serializer>(
    map: &BTreeMap<String, String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    (!map.is_empty()).then_some(map).serialize(serializer)
}

fn to_base64<S: Serializer>(
    files: &BTreeMap<String, Vec<u8>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let encoded = files
        .iter()
        .map(|(path, bytes)| (path, BASE64.encode(bytes)));
    let encoded: BTreeMap<_, _> = encoded.collect();
    (!encoded.is_empty())
        .then_some(encoded)
        .serialize(serializer)
}

fn from_base64<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Vec<u8>>, D::Error> {
    let files: BTreeMap<String, Option<String>> = or_default(deserializer)?;
    let decode = |(path, text): (String, Option<String>)| {
        let bytes = BASE64.decode(text.unwrap_or_default());
        bytes
            .map(|bytes| (path, bytes))
            .map_err(serde::de::Error::custom)
    };
    files.into_iter().map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILDX: &str = r#"{"Name":"b","Driver":"remote","Nodes":[{"Name":"b0","Endpoint":"tcp://h:1","Platforms":[{"architecture":"arm64","os":"linux"}],"DriverOpts":null,"Flags":null,"Files":{"buildkitd.toml":"ZGVidWcgPSB0cnVlCg=="},"Later":{"x":1}}],"Dynamic":false,"Newer":[1]}"#;

    #[test]
    fn what_buildx_wrote_is_written_again_with_what_is_not_known() {
        let builder: Builder = serde_json::from_str(BUILDX).unwrap();
        assert_eq!(builder.nodes[0].platforms[0].to_string(), "linux/arm64");
        assert_eq!(builder.nodes[0].files["buildkitd.toml"], b"debug = true\n");
        let again: Value = serde_json::to_value(&builder).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(BUILDX).unwrap());
    }

    #[test]
    fn the_placement_is_the_builder_s_own() {
        let mut builder: Builder = serde_json::from_str(BUILDX).unwrap();
        assert_eq!(builder.placement().unwrap(), Placement::Idle);
        builder.placement = "pool".to_owned();
        let text = serde_json::to_string(&builder).unwrap();
        assert!(text.contains(r#""Placement":"pool""#), "{text}");
        let again: Builder = serde_json::from_str(&text).unwrap();
        assert_eq!(again.placement().unwrap(), Placement::Pool);
        builder.placement = "later".to_owned();
        assert_eq!(
            builder.placement().unwrap_err().to_string(),
            "the builder \"b\" has a placement that this version does not know"
        );
    }

    #[test]
    fn missing_and_null_are_empty() {
        let builder: Builder = serde_json::from_str(r#"{"Name":"b","Nodes":null}"#).unwrap();
        assert!(builder.nodes.is_empty());
        assert_eq!(builder.driver().unwrap(), Driver::Docker);
    }
}
