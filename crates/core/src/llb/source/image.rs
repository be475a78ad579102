//! Images of registries and of OCI layouts.

use super::super::caps::Cap;
use super::super::metadata::Constraints;
use super::super::state::State;
use super::SourceOp;

/// The policy for looking up an image that the daemon already has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResolveMode {
    /// The daemon's default.
    #[default]
    Default,
    /// Always asks the registry (`--pull`).
    ForcePull,
    /// Uses a local image if there is one.
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

/// The options of an image. A [`ResolveMode`] converts into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// The policy for asking the registry.
    pub resolve_mode: ResolveMode,
    /// The number of layers to use, from the bottom; `None` for all.
    pub layer_limit: Option<u32>,
    /// The required digest, whatever the tag points to; empty for any.
    pub checksum: String,
    /// True if its cache records are internal, and pruned only with everything.
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

/// Returns an image of a registry. `reference` is normalised and has a tag or digest; see
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

/// The location of an OCI layout that the client serves, and the layers to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OciLayout {
    /// The session that serves it; empty for the build's own.
    pub session: String,
    /// The store's name in the session; empty for the name in the reference.
    pub store: String,
    /// The number of layers to use, from the bottom; `None` for all.
    pub layer_limit: Option<u32>,
}

/// Returns an image of an OCI layout that the client's session serves.
pub fn oci_layout(reference: &str, layout: &OciLayout, constraints: Constraints) -> State {
    let mut source = SourceOp::new(format!("oci-layout://{reference}"), Cap::SourceOciLayout);
    source.set_store(&layout.session, &layout.store);
    if let Some(limit) = layout.layer_limit {
        source.set("oci.layerlimit", limit.to_string());
    }
    source.into_state(constraints)
}
