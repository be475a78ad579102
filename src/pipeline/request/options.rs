//! The request as attributes of frontends and of the daemon.

use std::collections::BTreeMap;

use crate::client::DaemonKind;
use crate::pipeline::{BuildRequest, Entitlement, HostAddress, Inputs, Network, NoCache};

/// The names of the build's entitlements.
pub(in crate::pipeline) fn entitlements(request: &BuildRequest) -> Vec<String> {
    let given = request.entitlements.iter();
    let mut names: Vec<String> = given
        .filter(|entitlement| entitlement.is_of_daemon())
        .map(ToString::to_string)
        .collect();
    let host = Entitlement::NetworkHost;
    if request.network == Network::Host && !request.entitlements.contains(&host) {
        names.push(host.to_string());
    }
    names
}

/// The request as attributes of a Dockerfile frontend. The daemon keeps them in its history and in
/// the provenance.
pub(in crate::pipeline) fn frontend_attributes(
    request: &BuildRequest,
    inputs: &Inputs,
    daemon: DaemonKind,
) -> BTreeMap<String, String> {
    let mut attributes = without_inputs(request, daemon);
    attributes.extend(inputs.attributes());
    attributes
}

/// The same without the contexts and the Dockerfile.
pub(super) fn without_inputs(
    request: &BuildRequest,
    daemon: DaemonKind,
) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let mut add = |key: &str, value: String| {
        attributes.insert(key.to_owned(), value);
    };
    if !request.platforms.is_empty() {
        add(
            "platform",
            joined(&request.platforms, |p| p.normalized().format_all()),
        );
    }
    if let Some(target) = &request.target {
        add("target", target.clone());
    }
    match &request.no_cache {
        NoCache::None => {}
        NoCache::All => add("no-cache", String::new()),
        NoCache::Stages(names) => add("no-cache", names.join(",")),
    }
    // Images that only the daemon has are not in any registry.
    match (request.pull, daemon.keeps_images()) {
        (true, _) => add("image-resolve-mode", "pull".to_owned()),
        (false, true) => add("image-resolve-mode", "local".to_owned()),
        (false, false) => {}
    }
    match request.network {
        Network::Default => {}
        Network::Host => add("force-network-mode", "host".to_owned()),
        Network::None => add("force-network-mode", "none".to_owned()),
    }
    steps(request, &mut add);
    for (name, value) in request.attestations.attributes() {
        add(&name, value);
    }
    for (name, value) in &request.source_info {
        add(name, value.clone());
    }
    for (name, value) in &request.build_args {
        add(&format!("build-arg:{name}"), value.clone());
    }
    for (name, value) in &request.labels {
        add(&format!("label:{name}"), value.clone());
    }
    attributes
}

/// Adds what the steps' processes find: hosts, limits and resources.
fn steps(request: &BuildRequest, add: &mut impl FnMut(&str, String)) {
    let hosts = known_hosts(request);
    if !hosts.is_empty() {
        add("add-hosts", hosts.join(","));
    }
    if let Some(size) = request.shm_size {
        add("shm-size", size.to_string());
    }
    if !request.ulimits.is_empty() {
        add(
            "ulimit",
            joined(&request.ulimits, |limit| {
                format!("{}={}:{}", limit.name, limit.soft, limit.hard)
            }),
        );
    }
    if let Some(parent) = &request.cgroup_parent {
        add("cgroup-parent", parent.clone());
    }
    for (name, value) in request.resources.attributes() {
        add(&name, value);
    }
}

/// Hosts whose address is known. The others are added when the daemon is asked.
fn known_hosts(request: &BuildRequest) -> Vec<String> {
    let known = request.extra_hosts.iter().filter_map(|(host, address)| {
        let HostAddress::Ip(address) = address else {
            return None;
        };
        Some(format!("{host}={address}"))
    });
    known.collect()
}

fn joined<T>(items: &[T], shown: impl Fn(&T) -> String) -> String {
    items.iter().map(shown).collect::<Vec<_>>().join(",")
}

/// The attributes that the daemon records. Older daemons parse the build argument
/// `SOURCE_DATE_EPOCH` as a number and fail if it names a source, so it is omitted then: the result
/// has that time.
pub(in crate::pipeline) fn recorded(
    attributes: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let is_recorded = |(name, value): &(&String, &String)| {
        *name != "build-arg:SOURCE_DATE_EPOCH" || value.parse::<i64>().is_ok()
    };
    let recorded = attributes.iter().filter(is_recorded);
    recorded
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
