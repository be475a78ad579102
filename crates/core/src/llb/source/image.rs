//! Images of registries and of OCI layouts.

use super::super::caps::Cap;
use super::super::metadata::Constraints;
use super::super::state::State;
use super::SourceOp;

/// When an image is looked up in the registry although it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResolveMode {
    /// The daemon decides.
    #[default]
    Default,
    /// Always (`--pull`).
    ForcePull,
    /// A local image is good enough.
    PreferLocal,
}

impl ResolveMode {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::ForcePull => "pull",
            Self::PreferLocal => "local",
        }
    }
}

/// How an image is pulled. A [`ResolveMode`] alone converts into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// When the registry is asked.
    pub resolve_mode: ResolveMode,
    /// Only this many layers from the bottom.
    pub layer_limit: Option<u32>,
    /// The digest it must have, whatever the tag says; empty for any.
    pub checksum: String,
    /// Its cache records are internal, and pruned only with everything.
    pub internal: bool,
}

impl From<ResolveMode> for Image {
    fn from(resolve_mode: ResolveMode) -> Self {
        Self {
            resolve_mode,
            ..Self::default()
        }
    }
}

/// An image of a registry. `reference` is normalised and has a tag or digest; see
/// [`crate::oci::Reference`].
pub fn image(reference: &str, image: impl Into<Image>, constraints: Constraints) -> State {
    let image = image.into();
    let mut source = SourceOp::new(format!("docker-image://{reference}"), Cap::SourceImage);
    if image.resolve_mode != ResolveMode::Default {
        source.set("image.resolvemode", image.resolve_mode.as_str());
    }
    if image.resolve_mode == ResolveMode::ForcePull {
        source.caps.insert(Cap::SourceImageResolveMode);
    }
    if image.internal {
        source.set("image.recordtype", "internal");
    }
    if let Some(limit) = image.layer_limit {
        let limit = limit.to_string();
        source.set_needing("image.layerlimit", limit, Cap::SourceImageLayerLimit);
    }
    if !image.checksum.is_empty() {
        source.set_needing("image.checksum", image.checksum, Cap::SourceImageChecksum);
    }
    source.into_state(constraints)
}

/// Where an OCI layout is that the client serves, and how much of the image is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OciLayout {
    /// The session that serves it; empty for the build's own.
    pub session: String,
    /// The store's name in the session; empty for the name in the reference.
    pub store: String,
    /// Only this many layers from the bottom.
    pub layer_limit: Option<u32>,
}

/// An image of an OCI layout that the client's session serves.
pub fn oci_layout(reference: &str, layout: &OciLayout, constraints: Constraints) -> State {
    let mut source = SourceOp::new(format!("oci-layout://{reference}"), Cap::SourceOciLayout);
    source.set_store(&layout.session, &layout.store);
    if let Some(limit) = layout.layer_limit {
        source.set("oci.layerlimit", limit.to_string());
    }
    source.into_state(constraints)
}
