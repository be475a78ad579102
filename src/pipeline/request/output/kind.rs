//! The kinds of outputs, and their attributes.

/// The exporters that an [`Output`](super::Output) can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputKind {
    /// An image in the daemon's store, pushed when the attribute `push` is `true`.
    Image,
    /// The files, in a local folder; with several platforms each has a subfolder.
    Local,
    /// The files, in a tar archive.
    Tar,
    /// An OCI image layout in a tar archive.
    Oci,
    /// A tar archive for `docker load`. Without a destination the image is loaded into the engine
    /// that builds.
    Docker,
    /// Nothing: the result stays in the cache.
    CacheOnly,
}

impl OutputKind {
    pub(super) const ALL: [(&'static str, Self); 7] = [
        ("image", Self::Image),
        ("registry", Self::Image),
        ("local", Self::Local),
        ("tar", Self::Tar),
        ("oci", Self::Oci),
        ("docker", Self::Docker),
        ("cacheonly", Self::CacheOnly),
    ];

    /// The name of the exporter on the daemon.
    pub(in crate::pipeline) fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, kind)| *kind == self);
        found.map_or("", |(name, _)| name)
    }

    pub(super) fn attributes(self) -> &'static [&'static str] {
        match self {
            Self::Image | Self::Oci | Self::Docker => IMAGE_ATTRIBUTES,
            Self::Local | Self::Tar => &["platform-split", "attestation-prefix"],
            Self::CacheOnly => &[],
        }
    }
}

/// The docker context that an image is loaded into.
pub(super) const ENGINE_CONTEXT: &str = "context";
/// Selects the digest that is the image's id.
pub(super) const PREFER_DIGEST: &str = "prefer-image-digest";

/// The attributes of the image exporter that buildx knows.
const IMAGE_ATTRIBUTES: &[&str] = &[
    "name",
    "push",
    "push-by-digest",
    "registry.insecure",
    "dangling-name-prefix",
    "danging-name-empty-only",
    "name-canonical",
    "unpack",
    "store",
    "compression",
    "compression-level",
    "force-compression",
    "rewrite-timestamp",
    "oci-mediatypes",
    "oci-artifact",
    "attestation-inline",
    "prefer-image-digest",
    "prefer-nondist-layers",
    "buildinfo",
    "buildinfo-attrs",
];

/// True for attributes that are not in the list of the kind: those of this client, and annotations.
pub(super) fn is_other_attribute(kind: OutputKind, key: &str) -> bool {
    match kind {
        OutputKind::Image => key.starts_with("annotation"),
        OutputKind::Oci => key == "tar" || key.starts_with("annotation"),
        OutputKind::Docker => {
            key == "tar" || key == ENGINE_CONTEXT || key.starts_with("annotation")
        }
        OutputKind::Local => key == "mode",
        OutputKind::Tar | OutputKind::CacheOnly => false,
    }
}
