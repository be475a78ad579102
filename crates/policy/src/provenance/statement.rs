//! The JSON of SLSA provenance 0.2 and 1: the fields that policies use.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Statement {
    #[serde(default, rename = "predicateType")]
    pub(super) predicate_type: String,
    #[serde(default)]
    pub(super) predicate: serde_json::Value,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Predicate1 {
    pub(super) build_definition: Definition1,
    pub(super) run_details: Run1,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Definition1 {
    pub(super) build_type: String,
    pub(super) external_parameters: External1,
    pub(super) resolved_dependencies: Option<Vec<Material>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct External1 {
    pub(super) config_source: Source1,
    pub(super) request: Parameters,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Source1 {
    pub(super) uri: String,
    pub(super) digest: Option<BTreeMap<String, String>>,
    pub(super) path: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Parameters {
    pub(super) frontend: String,
    pub(super) args: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Run1 {
    pub(super) builder: Builder,
    pub(super) metadata: Option<Metadata1>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Builder {
    pub(super) id: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Metadata1 {
    #[serde(rename = "invocationID", alias = "invocationId")]
    pub(super) invocation_id: String,
    #[serde(rename = "startedOn")]
    pub(super) started_on: Option<String>,
    #[serde(rename = "finishedOn")]
    pub(super) finished_on: Option<String>,
    #[serde(rename = "buildkit_reproducible")]
    pub(super) reproducible: bool,
    #[serde(rename = "buildkit_hermetic")]
    pub(super) hermetic: bool,
    #[serde(rename = "buildkit_completeness")]
    pub(super) completeness: Completeness1,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Completeness1 {
    pub(super) request: bool,
    pub(super) resolved_dependencies: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Predicate02 {
    pub(super) build_type: String,
    pub(super) builder: Builder,
    pub(super) invocation: Invocation02,
    pub(super) materials: Option<Vec<Material>>,
    pub(super) metadata: Option<Metadata02>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Invocation02 {
    pub(super) config_source: Source02,
    pub(super) parameters: Parameters,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Source02 {
    pub(super) uri: String,
    pub(super) digest: Option<BTreeMap<String, String>>,
    pub(super) entry_point: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Metadata02 {
    #[serde(rename = "buildInvocationID")]
    pub(super) invocation_id: String,
    #[serde(rename = "buildStartedOn")]
    pub(super) started_on: Option<String>,
    #[serde(rename = "buildFinishedOn")]
    pub(super) finished_on: Option<String>,
    pub(super) reproducible: bool,
    #[serde(rename = "https://mobyproject.org/buildkit@v1#hermetic")]
    pub(super) hermetic: bool,
    pub(super) completeness: Completeness02,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Completeness02 {
    pub(super) parameters: bool,
    pub(super) environment: bool,
    pub(super) materials: bool,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(super) struct Material {
    pub(super) uri: String,
    pub(super) digest: Option<BTreeMap<String, String>>,
}
