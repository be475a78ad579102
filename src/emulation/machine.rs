//! A Linux machine's state for emulation: its kernel, binfmt_misc and its handlers.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use super::Handler;
use crate::oci::Platform;

/// The mount point of binfmt_misc.
const BINFMT_MISC: &str = "proc/sys/fs/binfmt_misc";
/// The files there that are not handlers.
const CONTROLS: [&str; 2] = ["register", "status"];

/// A Linux machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Machine {
    /// The host name.
    pub hostname: String,
    /// The platform of its processors.
    pub platform: Platform,
    /// The kernel's release, for example `6.1.0-18-amd64`.
    pub release: String,
    /// Its emulators.
    pub emulators: Emulators,
}

/// The emulators of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Emulators {
    /// binfmt_misc is not mounted.
    NotMounted,
    /// binfmt_misc is not readable; holds the reason.
    Unreadable(String),
    /// It is mounted.
    Mounted {
        /// True if handlers are enabled as a whole.
        enabled: bool,
        /// The handlers, sorted by name; malformed ones are omitted.
        handlers: Vec<Handler>,
    },
}

/// A Linux version, major and minor: `(4, 8)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KernelVersion(pub u32, pub u32);

impl KernelVersion {
    /// The first version with handlers that work inside containers (the flag `F`).
    pub const FIXED_HANDLERS: Self = Self(4, 8);

    /// Parses a release: `6.1.0-18-amd64` is `(6, 1)`. Returns `None` for other forms.
    pub fn parse(release: &str) -> Option<Self> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        let mut next = || numbers.next()?.parse().ok();
        Some(Self(next()?, next()?))
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl Machine {
    /// Reads the kernel's data in `proc` below a folder: `/` for this machine.
    ///
    /// # Errors
    /// If there is no Linux `/proc`. Unreadable emulators are part of the result, not an error.
    pub fn read(root: &Path) -> io::Result<Self> {
        let text = |path: &str| fs::read_to_string(root.join(path));
        let release = text("proc/sys/kernel/osrelease")?.trim().to_owned();
        let hostname = text("proc/sys/kernel/hostname").unwrap_or_default();
        let own = Platform::host();
        // Newer kernels report their architecture; a 32-bit program can also run on a 64-bit
        // kernel.
        let platform = match text("proc/sys/kernel/arch") {
            Ok(name) => Platform::parse(&format!("linux/{}", name.trim())).unwrap_or(own),
            Err(_) => own,
        };
        Ok(Self {
            hostname: hostname.trim().to_owned(),
            platform: platform.normalized(),
            release,
            emulators: Emulators::read(root),
        })
    }

    /// Returns the kernel's version.
    pub fn kernel(&self) -> Option<KernelVersion> {
        KernelVersion::parse(&self.release)
    }
}

impl Emulators {
    fn read(root: &Path) -> Self {
        let folder = root.join(BINFMT_MISC);
        match fs::read(folder.join("status")) {
            Ok(status) => match handlers(&folder) {
                Ok(handlers) => Self::Mounted {
                    enabled: status.starts_with(b"enabled"),
                    handlers,
                },
                Err(error) => Self::Unreadable(error.to_string()),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::NotMounted,
            Err(error) => Self::Unreadable(error.to_string()),
        }
    }
}

fn handlers(folder: &Path) -> io::Result<Vec<Handler>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if CONTROLS.contains(&name.as_str()) {
            continue;
        }
        // A handler that was removed meanwhile is skipped.
        let Ok(text) = fs::read(entry.path()) else {
            continue;
        };
        found.extend(Handler::parse(&name, &text));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn versions_are_read_from_releases() {
        assert_eq!(
            KernelVersion::parse("6.1.0-18-amd64"),
            Some(KernelVersion(6, 1))
        );
        assert_eq!(KernelVersion::parse("4.19"), Some(KernelVersion(4, 19)));
        assert!(KernelVersion::parse("3.10.0-1160.el7").unwrap() < KernelVersion::FIXED_HANDLERS);
        assert!(KernelVersion::parse("4.8.0").unwrap() >= KernelVersion::FIXED_HANDLERS);
        for text in ["", "linux", "6", "99999999999.1"] {
            assert_eq!(KernelVersion::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_machine_is_read_with_its_handlers() {
        let root = folder(&[
            ("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n"),
            ("proc/sys/kernel/hostname", "here\n"),
            ("proc/sys/kernel/arch", "aarch64\n"),
            ("proc/sys/fs/binfmt_misc/status", "enabled\n"),
            ("proc/sys/fs/binfmt_misc/register", ""),
            (
                "proc/sys/fs/binfmt_misc/jar",
                "enabled\ninterpreter /j\nflags: \nextension .jar\n",
            ),
            ("proc/sys/fs/binfmt_misc/broken", "garbage"),
        ]);
        let machine = Machine::read(root.path()).unwrap();
        assert_eq!(machine.hostname, "here");
        assert_eq!(machine.platform.to_string(), "linux/arm64");
        let Emulators::Mounted { enabled, handlers } = machine.emulators else {
            panic!("{:?}", machine.emulators)
        };
        assert!(enabled);
        assert_eq!(handlers.len(), 1);
        assert_eq!(handlers[0].name, "jar");
    }

    #[test]
    fn what_is_not_there_is_reported() {
        let root = folder(&[("proc/sys/kernel/osrelease", "6.1.0\n")]);
        let machine = Machine::read(root.path()).unwrap();
        assert_eq!(machine.emulators, Emulators::NotMounted);
        let root = folder(&[]);
        assert!(Machine::read(root.path()).is_err());
    }
}
