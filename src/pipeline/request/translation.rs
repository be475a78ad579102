//! The request as typed values for the translation, without a detour through text.

use std::sync::Arc;

use super::options;
use super::{BuildRequest, HostAddress, Network, NoCache};
use crate::client::DaemonKind;
use crate::frontend::Asked;
use crate::llb::{self, HostIp, ResolveMode};
use crate::pipeline::Inputs;
use crate::pipeline::inputs::named;
use crate::translate::{self, AttributeError, Attributes, Context, Options};

/// The request as the frontend needs it. `makes_index` forces an index even for one platform.
pub(in crate::pipeline) fn asked(
    request: &BuildRequest,
    inputs: &Inputs,
    daemon: DaemonKind,
    makes_index: bool,
) -> Asked {
    let mut attributes = options::frontend_attributes(request, inputs, daemon);
    if makes_index {
        attributes.insert("multi-platform".to_owned(), "true".to_owned());
    }
    let typed = typed(request, inputs, daemon, makes_index);
    Asked::new(typed, attributes).in_words(request.wording)
}

fn typed(
    request: &BuildRequest,
    inputs: &Inputs,
    daemon: DaemonKind,
    makes_index: bool,
) -> Result<Attributes, AttributeError> {
    let not_empty = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let url = inputs.context_url();
    let size = request.shm_size.map(i64::try_from);
    let options = Options {
        target: not_empty(&request.target),
        build_args: request.build_args.clone(),
        labels: request.labels.clone(),
        no_cache: no_cache(&request.no_cache),
        network: network(request.network),
        extra_hosts: hosts(request),
        shm_size: size.map_or(0, |size| size.unwrap_or(i64::MAX)),
        ulimits: Arc::from(request.ulimits.as_slice()),
        cgroup_parent: not_empty(&request.cgroup_parent).map(Arc::from),
        linux_resources: request.resources.limits().map(Arc::new),
        resolve_mode: resolve_mode(request.pull, daemon),
        context: url.map_or_else(Context::default, |url| Context::from_specifier(&url)),
        contexts: named::for_translation(&inputs.named),
        ..Options::default()
    };
    let attestations = request.attestations.for_translation()?;
    let several = makes_index.then_some(true);
    Attributes::new(options, &request.platforms, attestations, several)
}

fn no_cache(asked: &NoCache) -> translate::NoCache {
    match asked {
        NoCache::None => translate::NoCache::Nothing,
        NoCache::All => translate::NoCache::All,
        NoCache::Stages(names) => translate::NoCache::Stages(names.clone()),
    }
}

fn network(asked: Network) -> llb::Network {
    match asked {
        Network::Default => llb::Network::Sandbox,
        Network::Host => llb::Network::Host,
        Network::None => llb::Network::None,
    }
}

/// Hosts whose address is known. The others are added when the daemon is asked.
fn hosts(request: &BuildRequest) -> Arc<[HostIp]> {
    let known = request.extra_hosts.iter();
    let known = known.filter_map(|(host, address)| match address {
        HostAddress::Ip(address) => Some(HostIp::new(host, *address)),
        HostAddress::Gateway => None,
    });
    known.collect()
}

/// Images that only the daemon has are not in any registry.
fn resolve_mode(pull: bool, daemon: DaemonKind) -> ResolveMode {
    match (pull, daemon.keeps_images()) {
        (true, _) => ResolveMode::ForcePull,
        (false, true) => ResolveMode::PreferLocal,
        (false, false) => ResolveMode::Default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llb::Ulimit;
    use crate::oci::Platform;
    use crate::pipeline::{Attestations, MainContext, Resources, read_inputs};

    /// Checks that the typed values equal the attributes that are forwarded and recorded.
    #[track_caller]
    fn agree(request: &BuildRequest, daemon: DaemonKind, makes_index: bool) {
        let inputs = read_inputs(request).unwrap();
        let asked = asked(request, &inputs, daemon, makes_index);
        let typed = typed(request, &inputs, daemon, makes_index).unwrap();
        let read = Attributes::read(asked.attributes(), "").unwrap();
        assert_eq!(format!("{typed:?}"), format!("{read:?}"));
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Dockerfile"), "FROM scratch\n").unwrap();
        folder
    }

    fn everything(folder: &tempfile::TempDir) -> BuildRequest {
        let mut request = BuildRequest::new(folder.path());
        let platforms = ["linux/amd64", "linux/arm64/v8"];
        request.platforms = platforms.map(|text| Platform::parse(text).unwrap()).into();
        request.target = Some("stage".to_owned());
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let arguments = [
            ("A", "1"),
            ("BUILDKIT_SANDBOX_HOSTNAME", "host"),
            ("BUILDKIT_CACHE_MOUNT_NS", "ns"),
            ("BUILDKIT_CONTEXT_KEEP_GIT_DIR", "1"),
            ("BUILDKIT_ATTEST_SBOM", "generator=a/b"),
        ];
        request.build_args = arguments.map(pair).into();
        request.labels = [pair(("l", "v"))].into();
        request.no_cache = NoCache::Stages(vec!["a".to_owned(), "B".to_owned()]);
        request.network = Network::None;
        let address = |text: &str| HostAddress::Ip(text.parse().unwrap());
        request.extra_hosts = vec![
            ("DB".to_owned(), address("10.0.0.7")),
            ("six".to_owned(), address("::ffff:1.2.3.4")),
            ("engine".to_owned(), HostAddress::Gateway),
        ];
        request.shm_size = Some(64 << 20);
        request.ulimits = vec![Ulimit {
            name: "nofile".to_owned(),
            soft: 1024,
            hard: -1,
        }];
        request.cgroup_parent = Some("parent".to_owned());
        let mut resources = Resources::default();
        for text in [
            "memory=2g",
            "memory-swap=-1",
            "cpu-quota=5",
            "cpuset-cpus=0-3",
        ] {
            resources.set(text).unwrap();
        }
        request.resources = resources;
        request.contexts = [
            ("folder", folder.path().to_str().unwrap()),
            ("context", folder.path().to_str().unwrap()),
            ("image", "docker-image://alpine"),
            ("stage", "target:other"),
        ]
        .map(|(name, text)| (name.to_owned(), text.parse().unwrap()))
        .into();
        let attested = ["type=provenance,mode=max".to_owned()];
        request.attestations = Attestations::parse(&attested, None, Some("true")).unwrap();
        request
    }

    #[test]
    fn the_translation_is_asked_what_the_attributes_say() {
        let folder = folder();
        let request = everything(&folder);
        for daemon in [DaemonKind::Buildkitd, DaemonKind::DockerEngine] {
            agree(&request, daemon, false);
            agree(&BuildRequest::new(folder.path()), daemon, true);
        }
        let mut pulling = everything(&folder);
        pulling.pull = true;
        pulling.network = Network::Host;
        pulling.no_cache = NoCache::All;
        pulling.attestations = Attestations::default().or_default();
        pulling
            .build_args
            .insert("BUILDKIT_MULTI_PLATFORM".to_owned(), "1".to_owned());
        agree(&pulling, DaemonKind::DockerEngine, true);
        for url in ["https://host/r.git#main:sub", "https://host/x.tar.gz"] {
            let mut remote = everything(&folder);
            remote.context = MainContext::Remote(url.to_owned());
            agree(&remote, DaemonKind::Buildkitd, false);
        }
    }

    #[test]
    fn what_a_translation_cannot_take_is_refused() {
        let folder = folder();
        let refused = |change: fn(&mut BuildRequest)| {
            let mut request = BuildRequest::new(folder.path());
            change(&mut request);
            let inputs = read_inputs(&request).unwrap();
            typed(&request, &inputs, DaemonKind::Buildkitd, false)
                .unwrap_err()
                .to_string()
        };
        let ulimit = refused(|it| {
            it.ulimits = vec![Ulimit {
                name: "files".to_owned(),
                soft: 1,
                hard: 1,
            }];
        });
        assert!(ulimit.contains("files=1:1"), "{ulimit}");
        let set = refused(|it| it.resources.cpuset_cpus = Some("3-1".to_owned()));
        assert!(set.contains("3-1"), "{set}");
        let several = refused(|it| {
            it.platforms = vec![Platform::host(), Platform::parse("linux/s390x").unwrap()];
            it.build_args = [("BUILDKIT_MULTI_PLATFORM".to_owned(), "false".to_owned())].into();
        });
        assert!(several.contains("several platforms"), "{several}");
    }
}
