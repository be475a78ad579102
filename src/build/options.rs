//! The request in the terms of the translator and of the daemon.

use std::collections::BTreeMap;

use super::pipeline::Build;
use super::{BuildRequest, Network, NoCache};
use crate::gateway::Capabilities;
use crate::llb::{self, HostIp, ResolveMode};
use crate::oci::Platform;
use crate::translate::{self, Context, LocalContext, Options};

/// What the Dockerfile is translated for on one platform.
pub(super) fn for_platform(
    build: &Build<'_>,
    capabilities: &Capabilities,
    platform: Option<&Platform>,
) -> Options {
    let request = build.request;
    let context = LocalContext {
        exclude_patterns: build.inputs.excludes.clone(),
        ..LocalContext::new("context")
    };
    Options {
        target: request.target.clone(),
        platform: platform.cloned(),
        build_platforms: build.targets.build.clone(),
        build_args: request.build_args.clone(),
        labels: request.labels.clone(),
        no_cache: match &request.no_cache {
            NoCache::None => translate::NoCache::Nothing,
            NoCache::All => translate::NoCache::All,
            NoCache::Stages(names) => translate::NoCache::Stages(names.clone()),
        },
        network: match request.network {
            Network::Default => llb::Network::default(),
            Network::Host => llb::Network::Host,
            Network::None => llb::Network::None,
        },
        extra_hosts: request
            .extra_hosts
            .iter()
            .map(|(host, ip)| HostIp {
                host: host.to_lowercase(),
                ip: ip.clone(),
            })
            .collect(),
        shm_size: request
            .shm_size
            .and_then(|size| i64::try_from(size).ok())
            .unwrap_or(0),
        ulimits: request
            .ulimits
            .iter()
            .map(|limit| llb::Ulimit {
                name: limit.name.clone(),
                soft: limit.soft,
                hard: limit.hard,
            })
            .collect(),
        resolve_mode: match (request.pull, build.docker_engine) {
            (true, _) => ResolveMode::ForcePull,
            (false, true) => ResolveMode::PreferLocal,
            (false, false) => ResolveMode::Default,
        },
        multi_platform: build.targets.several(),
        session_id: build.session_id.to_owned(),
        caps: capabilities.llb,
        context: Context::Local(context),
        ..Options::default()
    }
}

/// What `RUN` may do besides the usual.
pub(super) fn entitlements(request: &BuildRequest) -> Vec<String> {
    match request.network {
        Network::Host => vec!["network.host".to_owned()],
        _ => Vec::new(),
    }
}

/// The request in the words of the reference's frontend. The daemon runs none here; it checks the platforms of the result
/// against them, and keeps them in its history and in the provenance.
pub(super) fn frontend_attributes(request: &BuildRequest) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let mut add = |key: String, value: String| {
        attributes.insert(key, value);
    };
    if !request.platforms.is_empty() {
        let platforms: Vec<String> = request
            .platforms
            .iter()
            .map(|p| p.normalized().format_all())
            .collect();
        add("platform".to_owned(), platforms.join(","));
    }
    if let Some(target) = &request.target {
        add("target".to_owned(), target.clone());
    }
    match &request.no_cache {
        NoCache::None => {}
        NoCache::All => add("no-cache".to_owned(), String::new()),
        NoCache::Stages(names) => add("no-cache".to_owned(), names.join(",")),
    }
    for (name, value) in &request.build_args {
        add(format!("build-arg:{name}"), value.clone());
    }
    for (name, value) in &request.labels {
        add(format!("label:{name}"), value.clone());
    }
    attributes
}
