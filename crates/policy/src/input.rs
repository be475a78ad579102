//! The input document: the value of `input` in a policy. Names and order of the fields are those of
//! buildx (`policy/types.go`); empty fields are omitted, as there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod git;

pub(crate) use git::SignedObject;
pub use git::{Actor, Commit, Git, PgpSignature, SshSignature, Tag};

/// The subject of a policy's decision: one source of a build, and the build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Input {
    /// The build.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Env,
    /// A folder of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<Local>,
    /// An image of a registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// A download.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// A git repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<Git>,
}

/// The current build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Env {
    /// The build arguments; `None` for one without a value.
    #[serde(skip_serializing_if = "is_default")]
    pub args: BTreeMap<String, Option<String>>,
    /// The labels for the result.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// The Dockerfile's name without its folder.
    #[serde(skip_serializing_if = "is_default")]
    pub filename: String,
    /// The target stage.
    #[serde(skip_serializing_if = "is_default")]
    pub target: String,
    /// True if the policy is evaluated for its capabilities, not for a source.
    #[serde(skip_serializing_if = "is_default")]
    pub caps_request: bool,
    /// The depth of this source in the materials of images' provenance: 0 for the build's own
    /// sources.
    pub depth: u32,
}

/// A folder of the client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Local {
    /// The name of the context.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
}

/// An image of a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Image {
    /// The normalised reference.
    #[serde(rename = "ref", skip_serializing_if = "is_default")]
    pub reference: String,
    /// The registry's host.
    #[serde(skip_serializing_if = "is_default")]
    pub host: String,
    /// The repository in its short form.
    #[serde(skip_serializing_if = "is_default")]
    pub repo: String,
    /// Host and repository.
    #[serde(skip_serializing_if = "is_default")]
    pub full_repo: String,
    /// The tag.
    #[serde(skip_serializing_if = "is_default")]
    pub tag: String,
    /// The whole platform, as in `linux/arm64/v8`.
    #[serde(skip_serializing_if = "is_default")]
    pub platform: String,
    /// The operating system.
    #[serde(skip_serializing_if = "is_default")]
    pub os: String,
    /// The architecture.
    #[serde(skip_serializing_if = "is_default")]
    pub arch: String,
    /// The variant of the architecture.
    #[serde(skip_serializing_if = "is_default")]
    pub variant: String,
    /// True if the reference has a digest.
    #[serde(skip_serializing_if = "is_default")]
    pub is_canonical: bool,
    /// The digest that the reference points to.
    #[serde(skip_serializing_if = "is_default")]
    pub checksum: String,
    /// The creation time (RFC 3339).
    #[serde(skip_serializing_if = "is_default")]
    pub created_time: String,
    /// The config's environment.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Vec<String>,
    /// The config's labels.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// The config's user.
    #[serde(skip_serializing_if = "is_default")]
    pub user: String,
    /// The config's volumes.
    #[serde(skip_serializing_if = "is_default")]
    pub volumes: Vec<String>,
    /// The config's working directory.
    #[serde(skip_serializing_if = "is_default")]
    pub working_dir: String,
    /// True if the image has a provenance attestation.
    #[serde(skip_serializing_if = "is_default")]
    pub has_provenance: bool,
    /// The provenance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// The verified signatures.
    #[serde(skip_serializing_if = "is_default")]
    pub signatures: Vec<serde_json::Value>,
}

/// The build of an image, from its SLSA provenance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Provenance {
    /// The predicate type: SLSA 0.2 or 1.
    #[serde(skip_serializing_if = "is_default")]
    pub predicate_type: String,
    /// The type of the build.
    #[serde(skip_serializing_if = "is_default")]
    pub build_type: String,
    /// The builder.
    #[serde(rename = "builderID", skip_serializing_if = "is_default")]
    pub builder_id: String,
    /// The id of the run.
    #[serde(rename = "invocationID", skip_serializing_if = "is_default")]
    pub invocation_id: String,
    /// The start time (RFC 3339).
    #[serde(skip_serializing_if = "is_default")]
    pub started_on: String,
    /// The end time (RFC 3339).
    #[serde(skip_serializing_if = "is_default")]
    pub finished_on: String,
    /// The origin of the build definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_source: Option<ConfigSource>,
    /// The frontend.
    #[serde(skip_serializing_if = "is_default")]
    pub frontend: String,
    /// The build arguments.
    #[serde(skip_serializing_if = "is_default")]
    pub build_args: BTreeMap<String, String>,
    /// All arguments of the frontend.
    #[serde(skip_serializing_if = "is_default")]
    pub raw_args: BTreeMap<String, String>,
    /// The builder's claim that the build is reproducible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reproducible: Option<bool>,
    /// The builder's claim that the build has no network access.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hermetic: Option<bool>,
    /// The builder's claims about completeness.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completeness: Option<Completeness>,
    /// The sources of that build.
    #[serde(skip_serializing_if = "is_default")]
    pub materials: Vec<Input>,
}

/// The origin of a build definition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigSource {
    /// The repository or download.
    #[serde(skip_serializing_if = "is_default")]
    pub uri: String,
    /// Its digests by algorithm.
    #[serde(skip_serializing_if = "is_default")]
    pub digest: BTreeMap<String, String>,
    /// The file in it.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
}

/// The builder's claims that data is complete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Completeness {
    /// The parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<bool>,
    /// The environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<bool>,
    /// The materials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub materials: Option<bool>,
}

/// A download.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Http {
    /// The whole URL.
    #[serde(skip_serializing_if = "is_default")]
    pub url: String,
    /// `http` or `https`.
    #[serde(skip_serializing_if = "is_default")]
    pub schema: String,
    /// The host, with its port.
    #[serde(skip_serializing_if = "is_default")]
    pub host: String,
    /// The path.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// The query's values by key.
    #[serde(skip_serializing_if = "is_default")]
    pub query: BTreeMap<String, Vec<String>>,
    /// True if the request contains a secret.
    #[serde(skip_serializing_if = "is_default")]
    pub has_auth: bool,
    /// The digest of the content.
    #[serde(skip_serializing_if = "is_default")]
    pub checksum: String,
}

impl Input {
    /// Sets the build in this document and in its materials, with their depth.
    pub fn set_env(&mut self, env: &Env) {
        self.set_env_at(env, 0);
    }

    fn set_env_at(&mut self, env: &Env, depth: u32) {
        self.env = Env {
            depth,
            ..env.clone()
        };
        for material in self.materials_mut() {
            material.set_env_at(env, depth.saturating_add(1));
        }
    }

    /// Returns the materials of the image's provenance.
    pub fn materials(&self) -> &[Self] {
        let provenance = self.image.as_ref().and_then(|i| i.provenance.as_ref());
        provenance.map_or(&[], |found| &found.materials)
    }

    fn materials_mut(&mut self) -> &mut [Self] {
        let provenance = self.image.as_mut().and_then(|i| i.provenance.as_mut());
        provenance.map_or(&mut [], |found| &mut found.materials)
    }

    /// Removes the depths, which `policy eval --print` does not show.
    pub fn clear_depth(&mut self) {
        self.env.depth = 0;
        self.materials_mut().iter_mut().for_each(Self::clear_depth);
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
