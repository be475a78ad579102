//! The headings under which `--help` lists flags.

/// The inputs of the build and its frontend.
pub(crate) const BUILD: &str = "Build";
/// Options of the steps of a Dockerfile.
pub(crate) const STEPS: &str = "Steps (RUN)";
pub(crate) const OUTPUTS: &str = "Outputs";
pub(crate) const CACHES: &str = "Caches";
pub(crate) const PLATFORMS: &str = "Platforms";
pub(crate) const PROGRESS: &str = "Progress";
pub(crate) const REGISTRIES: &str = "Registries";
pub(crate) const DAEMON: &str = "Daemon";
