//! Images as data: digest, platform, reference, image config, descriptor, manifest, index.
//!
//! Nothing here does I/O. Parsing and printing follow the OCI image specification and, where users
//! rely on it, the normalisation rules of `containerd/platforms` and `distribution/reference`.
//!
//! ```
//! use solvekit_core::oci::{Platform, Reference};
//!
//! let reference = Reference::parse("alpine")?.with_default_tag();
//! assert_eq!(reference.to_string(), "docker.io/library/alpine:latest");
//! assert_eq!(Platform::parse("linux/arm64/v8")?.normalized().to_string(), "linux/arm64");
//! # Ok::<(), solvekit_core::oci::Error>(())
//! ```

mod digest;
mod hash;
mod image;
mod manifest;
mod platform;
mod platform_match;
mod reference;

pub use digest::Digest;
pub use hash::Hasher;
pub use image::{Empty, HealthcheckConfig, HistoryEntry, Image, ImageConfig, RootFs};
pub use manifest::{Descriptor, Index, Manifest, media_type, null_as_default};
pub use platform::Platform;
pub use platform_match::PlatformMatcher;
pub use reference::Reference;

/// Why a text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A platform specifier that cannot be parsed.
    #[error(
        "invalid platform {input:?}: {reason}; a platform is os/arch[/variant], for example \
        linux/amd64 or linux/arm/v7"
    )]
    Platform {
        /// The text as given.
        input: String,
        /// The rule that it breaks.
        reason: String,
    },
    /// An image reference that cannot be parsed.
    #[error("invalid image reference {input:?}: {reason}")]
    Reference {
        /// The text as given.
        input: String,
        /// The rule that it breaks.
        reason: String,
    },
    /// A digest that cannot be parsed.
    #[error("invalid digest {input:?}: {reason}")]
    Digest {
        /// The text as given.
        input: String,
        /// The rule that it breaks.
        reason: &'static str,
    },
}
