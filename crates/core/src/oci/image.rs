//! The image config: the process to run, its environment, and the history of the image.
//!
//! Field order and omission follow Go's encoding of the OCI image specification 1.1 with Docker's
//! extensions (`Healthcheck`, `OnBuild`, `Shell`), so that the bytes are those of the reference.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Digest, Platform};

/// An image config (`application/vnd.oci.image.config.v1+json`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Image {
    /// The creation time, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The maintainer of the image (`MAINTAINER`).
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub author: String,
    /// The platform that the image runs on.
    #[serde(flatten)]
    pub platform: Platform,
    /// The layers, uncompressed.
    #[serde(deserialize_with = "null_as_default")]
    pub rootfs: RootFs,
    /// One entry for each instruction, first to last.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub history: Vec<HistoryEntry>,
    /// The settings of containers. It comes last: Docker's type embeds the specification's and adds
    /// its own config after it.
    #[serde(deserialize_with = "null_as_default")]
    pub config: ImageConfig,
}

impl Image {
    /// Returns the config as JSON, byte for byte as Go's `encoding/json` writes it: `<`, `>`, `&`,
    /// U+2028 and U+2029 are escaped.
    pub fn to_json(&self) -> Vec<u8> {
        // Plain data with string keys, so serialising cannot fail.
        let plain = serde_json::to_string(self).unwrap_or_default();
        let mut json = String::with_capacity(plain.len());
        for c in plain.chars() {
            match c {
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    json.push_str(&format!("\\u{:04x}", c as u32));
                }
                _ => json.push(c),
            }
        }
        json.into_bytes()
    }
}

/// The settings with which containers start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ImageConfig {
    /// The user, `user[:group]`, as names or ids.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub user: String,
    /// Exposed ports, `port[/protocol]`.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub exposed_ports: BTreeMap<String, Empty>,
    /// The environment, `NAME=value`.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub env: Vec<String>,
    /// The program and its fixed arguments.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub entrypoint: Vec<String>,
    /// The default arguments, or the program if there is no entrypoint.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub cmd: Vec<String>,
    /// The paths of volumes.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub volumes: BTreeMap<String, Empty>,
    /// The working directory.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub working_dir: String,
    /// Labels.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub labels: BTreeMap<String, String>,
    /// The signal that stops the container.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub stop_signal: String,
    /// Set by `CMD` and `ENTRYPOINT` of Windows images.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_as_default")]
    pub args_escaped: bool,
    /// The health check of the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<HealthcheckConfig>,
    /// Instructions that run in builds based on this image.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub on_build: Vec<String>,
    /// The shell of shell-form instructions.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub shell: Vec<String>,
}

/// The JSON object `{}`: the value in sets of ports and volumes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// `HEALTHCHECK`; zero means to inherit. Durations are in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct HealthcheckConfig {
    /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", command]`.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub test: Vec<String>,
    /// The time between checks, in nanoseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub interval: i64,
    /// The timeout of a check, in nanoseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: i64,
    /// The start period, in which failures do not count, in nanoseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_period: i64,
    /// The time between checks during the start period, in nanoseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_interval: i64,
    /// The number of consecutive failures that make the container unhealthy.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: i64,
}

/// The layers of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RootFs {
    /// `layers`.
    #[serde(rename = "type", deserialize_with = "null_as_default")]
    pub kind: String,
    /// Digests of the uncompressed layers, lowest first; `None` is written as `null`, as Go does
    /// for a nil slice.
    pub diff_ids: Option<Vec<Digest>>,
}

/// One step of an image's history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryEntry {
    /// The time of the step, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The instruction.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub created_by: String,
    /// The author.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub author: String,
    /// A comment; `buildkit.dockerfile.v0` for instructions of a Dockerfile.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub comment: String,
    /// True if the step added no layer.
    #[serde(skip_serializing_if = "is_false", deserialize_with = "null_as_default")]
    pub empty_layer: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// Configs written by Go have `null` for nil slices and maps.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_order_and_omission_are_go_s() {
        let image = Image {
            platform: Platform {
                os: "linux".into(),
                architecture: "amd64".into(),
                ..Platform::default()
            },
            config: ImageConfig {
                env: vec!["PATH=/bin".into()],
                exposed_ports: BTreeMap::from([("80/tcp".into(), Empty {})]),
                ..ImageConfig::default()
            },
            rootfs: RootFs {
                kind: "layers".into(),
                diff_ids: None,
            },
            ..Image::default()
        };
        assert_eq!(
            serde_json::to_string(&image).unwrap(),
            r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":null},"config":{"ExposedPorts":{"80/tcp":{}},"Env":["PATH=/bin"]}}"#
        );
    }

    #[test]
    fn json_escapes_what_go_escapes() {
        let image = Image {
            author: "a <b@c> & d".into(),
            ..Image::default()
        };
        let json = String::from_utf8(image.to_json()).unwrap();
        assert!(
            json.contains(r#""author":"a \u003cb@c\u003e \u0026 d""#),
            "{json}"
        );
    }

    #[test]
    fn null_lists_and_unknown_fields_of_old_images_are_accepted() {
        let json = r#"{"architecture":"arm","os":"linux","variant":"v7","config":{"Env":null,"Cmd":["sh"],"Labels":null,"Hostname":"x"},"container":"abc","rootfs":{"type":"layers","diff_ids":[]}}"#;
        let image: Image = serde_json::from_str(json).unwrap();
        assert_eq!(image.config.cmd, ["sh"]);
        assert_eq!(image.platform.variant, "v7");
    }
}
