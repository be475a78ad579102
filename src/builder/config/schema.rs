//! The keys of `buildkitd.toml`, as BuildKit 0.32 reads them.

/// The type of a key's value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Bool,
    Int,
    Text,
    Texts,
    /// A number or a string, such as a size or a duration.
    Quantity,
    /// Any value.
    Any,
    /// A table with these keys.
    Table(&'static [(&'static str, Kind)]),
    /// A table with user-defined keys.
    Named(&'static Kind),
    /// A list of tables.
    Tables(&'static [(&'static str, Kind)]),
}

use Kind::{Any, Bool, Int, Named, Quantity, Table, Tables, Text, Texts};

pub(super) const KEYS: &[(&str, Kind)] = &[
    ("debug", Bool),
    ("trace", Bool),
    ("root", Text),
    ("insecure-entitlements", Texts),
    ("proxyNetwork", Bool),
    ("provenanceEnvDir", Text),
    ("log", Table(&[("format", Text), ("level", Text)])),
    ("grpc", Table(GRPC)),
    ("otel", Table(&[("socketPath", Text)])),
    (
        "cdi",
        Table(&[
            ("disabled", Bool),
            ("specDirs", Texts),
            ("autoAllowed", Texts),
        ]),
    ),
    (
        "worker",
        Table(&[("oci", Table(OCI)), ("containerd", Table(CONTAINERD))]),
    ),
    ("registry", Named(&Table(REGISTRY))),
    (
        "dns",
        Table(&[
            ("nameservers", Texts),
            ("options", Texts),
            ("searchDomains", Texts),
        ]),
    ),
    (
        "history",
        Table(&[("maxAge", Quantity), ("maxEntries", Int)]),
    ),
    ("frontend", Table(FRONTEND)),
    (
        "system",
        Table(&[
            ("platformsCacheMaxAge", Quantity),
            ("maxRegistryConcurrency", Int),
        ]),
    ),
    ("cache", Table(&[("gha", Any)])),
];

pub(super) const REGISTRY: &[(&str, Kind)] = &[
    ("mirrors", Texts),
    ("http", Bool),
    ("insecure", Bool),
    ("ca", Texts),
    ("keypair", Tables(&[("key", Text), ("cert", Text)])),
    ("tlsconfigdir", Texts),
];

const GRPC: &[(&str, Kind)] = &[
    ("address", Texts),
    ("debugAddress", Text),
    ("uid", Int),
    ("gid", Int),
    ("securityDescriptor", Text),
    ("tls", Table(&[("cert", Text), ("key", Text), ("ca", Text)])),
];

const FRONTEND: &[(&str, Kind)] = &[
    ("dockerfile.v0", Table(&[("enabled", Bool)])),
    (
        "gateway.v0",
        Table(&[("enabled", Bool), ("allowedRepositories", Texts)]),
    ),
];

const POLICY: &[(&str, Kind)] = &[
    ("all", Bool),
    ("filters", Texts),
    ("keepDuration", Quantity),
    ("keepBytes", Quantity),
    ("reservedSpace", Quantity),
    ("maxUsedSpace", Quantity),
    ("minFreeSpace", Quantity),
];

const OCI: &[(&str, Kind)] = &[
    ("enabled", Bool),
    ("labels", Named(&Text)),
    ("platforms", Texts),
    ("snapshotter", Text),
    ("rootless", Bool),
    ("noProcessSandbox", Bool),
    ("gc", Bool),
    ("gckeepstorage", Quantity),
    ("reservedSpace", Quantity),
    ("maxUsedSpace", Quantity),
    ("minFreeSpace", Quantity),
    ("gcpolicy", Tables(POLICY)),
    ("networkMode", Text),
    ("cniConfigPath", Text),
    ("cniBinaryPath", Text),
    ("cniPoolSize", Int),
    ("bridgeName", Text),
    ("bridgeSubnet", Text),
    ("userRemapUnsupported", Text),
    ("binary", Text),
    ("proxySnapshotterPath", Text),
    ("defaultCgroupParent", Text),
    ("stargzSnapshotter", Any),
    ("apparmor-profile", Text),
    ("selinux", Bool),
    ("max-parallelism", Int),
];

const CONTAINERD: &[(&str, Kind)] = &[
    ("address", Text),
    ("enabled", Bool),
    ("labels", Named(&Text)),
    ("platforms", Texts),
    ("namespace", Text),
    (
        "runtime",
        Table(&[("name", Text), ("path", Text), ("options", Any)]),
    ),
    ("gc", Bool),
    ("gckeepstorage", Quantity),
    ("reservedSpace", Quantity),
    ("maxUsedSpace", Quantity),
    ("minFreeSpace", Quantity),
    ("gcpolicy", Tables(POLICY)),
    ("networkMode", Text),
    ("cniConfigPath", Text),
    ("cniBinaryPath", Text),
    ("cniPoolSize", Int),
    ("bridgeName", Text),
    ("bridgeSubnet", Text),
    ("snapshotter", Text),
    ("apparmor-profile", Text),
    ("selinux", Bool),
    ("max-parallelism", Int),
    ("defaultCgroupParent", Text),
    ("rootless", Bool),
];
