//! The request for a build and its response.

use std::collections::BTreeMap;

use super::SourcePolicy;
use crate::{llb::Definition, proto::moby::buildkit::v1 as control};

/// A build request.
///
/// With neither a definition nor a frontend, this client is the frontend: the call then waits for
/// the `Return` of a [`crate::gateway::Bridge`] with the same build reference.
#[derive(Debug, Clone, Default)]
pub struct SolveRequest {
    /// The build's id, chosen by the client; printable ASCII. Progress and gateway calls use it.
    pub build_ref: String,
    /// The id of the session that serves the build's files and credentials.
    pub session_id: String,
    /// The definition to build, if it is known already.
    pub definition: Option<Definition>,
    /// A frontend of the daemon, for example `gateway.v0`; empty for none.
    pub frontend: String,
    /// The frontend's options.
    pub frontend_attrs: BTreeMap<String, String>,
    /// The frontend's named inputs.
    pub frontend_inputs: BTreeMap<String, Definition>,
    /// The exporters of the result; with none it stays in the cache. Daemons before 0.13 support
    /// only one.
    pub exporters: Vec<Exporter>,
    /// The caches to export to.
    pub cache_exports: Vec<CacheEntry>,
    /// The caches to import from.
    pub cache_imports: Vec<CacheEntry>,
    /// The entitlements of build steps: `network.host`, `security.insecure`, `device`.
    pub entitlements: Vec<String>,
    /// True to keep the build out of the daemon's history.
    pub internal: bool,
    /// Rules about sources.
    pub source_policy: Option<SourcePolicy>,
    /// True if the session's policy service decides about each source.
    pub source_policy_session: bool,
    /// True if the session's exporter service may name more exporters.
    pub session_exporter: bool,
    /// The compatibility version for reproducing an older BuildKit's results; 0 for none.
    pub compatibility_version: i64,
    /// True to restrict the network of build steps to the daemon's proxy.
    pub proxy_network: bool,
}

/// An exporter of the daemon with its attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exporter {
    /// `image`, `oci`, `docker`, `local` or `tar`.
    pub kind: String,
    /// The attributes, for example `name` and `push` of `image`.
    pub attrs: BTreeMap<String, String>,
}

/// A cache to import from or to export to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheEntry {
    /// `registry`, `local`, `inline`, `gha`, `s3` or `azblob`.
    pub kind: String,
    /// The attributes, for example `ref` of `registry`.
    pub attrs: BTreeMap<String, String>,
}

/// The exporters' response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SolveResponse {
    /// The values, for example `containerimage.digest`.
    pub exporter: BTreeMap<String, String>,
}

impl SolveRequest {
    pub(super) fn into_proto(self) -> control::SolveRequest {
        // Daemons before 0.13 read the first exporter from here; newer ones read the list.
        let first = self.exporters.first().cloned().unwrap_or_default();
        let policy_session = if self.source_policy_session {
            self.session_id.clone()
        } else {
            String::new()
        };
        let inputs = self
            .frontend_inputs
            .iter()
            .map(|(name, input)| (name.clone(), input.to_proto()));
        control::SolveRequest {
            r#ref: self.build_ref,
            definition: self.definition.map(|definition| definition.to_proto()),
            frontend_inputs: inputs.map(Into::into).collect(),
            exporter_deprecated: first.kind,
            exporter_attrs_deprecated: first.attrs,
            session: self.session_id,
            frontend: self.frontend,
            frontend_attrs: self.frontend_attrs,
            cache: Some(control::CacheOptions {
                exports: self
                    .cache_exports
                    .into_iter()
                    .map(CacheEntry::into_proto)
                    .collect(),
                imports: self
                    .cache_imports
                    .into_iter()
                    .map(CacheEntry::into_proto)
                    .collect(),
                ..Default::default()
            }),
            entitlements: self.entitlements,
            internal: self.internal,
            source_policy: self.source_policy.map(SourcePolicy::into_proto),
            exporters: self
                .exporters
                .into_iter()
                .map(|exporter| control::Exporter {
                    r#type: exporter.kind,
                    attrs: exporter.attrs,
                })
                .collect(),
            enable_session_exporter: self.session_exporter,
            source_policy_session: policy_session,
            compatibility_version: self.compatibility_version,
            proxy_network: self.proxy_network,
        }
    }
}

impl CacheEntry {
    /// Encodes entries for the frontend attribute `cache-imports`.
    pub(crate) fn list_to_json(entries: &[Self]) -> String {
        let entries = entries
            .iter()
            .map(|entry| serde_json::json!({ "Type": entry.kind, "Attrs": entry.attrs }));
        entries.collect::<serde_json::Value>().to_string()
    }

    fn into_proto(self) -> control::CacheOptionsEntry {
        control::CacheOptionsEntry {
            r#type: self.kind,
            attrs: self.attrs,
        }
    }
}
