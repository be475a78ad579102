//! Images as data: digest, platform, reference, image config, descriptor, manifest, index.
//!
//! No I/O. Parsing and printing follow the OCI image specification and the normalisation rules of
//! `containerd/platforms` and `distribution/reference`.
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
mod error;
mod hash;
mod history_key;
mod image;
mod manifest;
mod platform;
mod platform_match;
mod reference;

pub use digest::Digest;
pub use error::{Error, PlatformReason, ReferenceReason};
pub use hash::Hasher;
pub use history_key::history_key;
pub use image::{Empty, HealthcheckConfig, HistoryEntry, Image, ImageConfig, RootFs};
pub use manifest::{Descriptor, Index, Manifest, media_type, null_as_default};
pub use platform::Platform;
pub use platform_match::PlatformMatcher;
pub use reference::Reference;
