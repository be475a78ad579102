//! The program that this one acts as: solvekit, or buildx or buildctl if it is called by that name.

use std::ffi::OsStr;
use std::path::Path;

use solvekit::dockerfile::Wording;

/// This program's version, as in `v0.1.0`.
pub(crate) const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// The commit of the source, if the compiler was given one.
pub(crate) const REVISION: Option<&str> = option_env!("SOLVEKIT_REVISION");

/// The first word of `buildx version`.
pub(crate) const BUILDX_PACKAGE: &str = "github.com/docker/buildx";

/// The buildx version whose flags, defaults and output are implemented. Clients check it before
/// they use a feature.
pub(crate) const BUILDX_VERSION: &str = concat!("v0.36.1+solvekit", env!("CARGO_PKG_VERSION"));

/// The output of `buildctl --version`: the version whose commands and flags are implemented.
pub(crate) const BUILDCTL_VERSION: &str = concat!(
    "github.com/moby/buildkit v0.32.2+solvekit",
    env!("CARGO_PKG_VERSION")
);

/// The program that the user called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Identity {
    /// solvekit, with its own defaults.
    #[default]
    Solvekit,
    /// buildx, with buildx's defaults.
    Buildx,
    /// buildctl, with buildctl's commands.
    Buildctl,
}

impl Identity {
    /// The program that the file name of the executable selects.
    pub(crate) fn of(program: &OsStr) -> Self {
        match Path::new(program).file_name().and_then(OsStr::to_str) {
            Some("buildx" | "docker-buildx") => Self::Buildx,
            Some("buildctl") => Self::Buildctl,
            _ => Self::Solvekit,
        }
    }

    /// The wording of lint findings, and of places in a Dockerfile.
    pub(crate) fn wording(self) -> Wording {
        match self {
            Self::Buildx => Wording::BuildKit,
            Self::Solvekit | Self::Buildctl => Wording::Own,
        }
    }

    /// The way to see more of each warning.
    pub(crate) fn expanding(self) -> &'static str {
        match self {
            Self::Buildx => "use docker --debug to expand",
            Self::Solvekit | Self::Buildctl => "use --debug to expand",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_file_decides() {
        for name in [
            "buildx",
            "docker-buildx",
            "/usr/libexec/docker/cli-plugins/docker-buildx",
        ] {
            assert_eq!(Identity::of(name.as_ref()), Identity::Buildx, "{name}");
        }
        assert_eq!(
            Identity::of("/usr/bin/buildctl".as_ref()),
            Identity::Buildctl
        );
        for name in [
            "solvekit",
            "docker-solvekit",
            "buildx/solvekit",
            "buildx2",
            "",
        ] {
            assert_eq!(Identity::of(name.as_ref()), Identity::Solvekit, "{name}");
        }
    }
}
