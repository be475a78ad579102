//! Parses step names: `[linux/amd64->arm64 build 2/4] RUN make` is a step for linux/arm64.

/// A step's name and its parsed parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct StepName {
    full: String,
    platform: Option<String>,
    group: Option<String>,
}

/// The operating systems of platforms; `12/20` is not a platform.
const SYSTEMS: &[&str] = &[
    "linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "wasi", "wasip1", "js", "plan9",
    "solaris",
];

impl StepName {
    pub(super) fn new(name: &str) -> Self {
        let mut read = Self {
            full: name.to_string(),
            platform: None,
            group: None,
        };
        let Some((prefix, _)) = name.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
            return read;
        };
        let words: Vec<&str> = prefix.split(' ').collect();
        let Some(index) = words.iter().position(|word| is_platform(word)) else {
            return read;
        };
        let platform = target(words[index]);
        read.group = Some([&words[..index], &[platform.as_str()]].concat().join(" "));
        read.platform = Some(platform);
        read
    }

    pub(super) fn full(&self) -> &str {
        &self.full
    }

    pub(super) fn platform(&self) -> Option<&str> {
        self.platform.as_deref()
    }

    /// Returns the group that the step is shown in: the platform, after the build's prefix if there
    /// are several builds.
    pub(super) fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// True for `[internal] …`: the preparations of a build.
    pub(super) fn is_internal(&self) -> bool {
        self.full.starts_with("[internal]")
    }
}

fn is_platform(word: &str) -> bool {
    let Some((system, architecture)) = word.split_once('/') else {
        return false;
    };
    // The system's version may follow in parentheses.
    let system = system.split('(').next().unwrap_or(system);
    SYSTEMS.contains(&system) && !architecture.is_empty()
}

/// Returns the target of a cross build: `linux/amd64->arm/v7` is for `linux/arm/v7`.
fn target(platform: &str) -> String {
    match platform.split_once("->") {
        Some((_, target)) if is_platform(target) => target.to_string(),
        Some((base, target)) => {
            let system = base.split('/').next().unwrap_or(base);
            format!("{system}/{target}")
        }
        None => platform.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_is_read_from_the_brackets() {
        let cases = [
            (
                "[linux/arm64 2/3] RUN make",
                Some("linux/arm64"),
                Some("linux/arm64"),
            ),
            (
                "[linux/amd64->arm/v7 build 2/3] RUN make",
                Some("linux/arm/v7"),
                Some("linux/arm/v7"),
            ),
            (
                "[linux/amd64->windows(10.0.1)/amd64 1/1] FROM x",
                Some("windows(10.0.1)/amd64"),
                Some("windows(10.0.1)/amd64"),
            ),
            (
                "[web linux/arm64 2/3] RUN x",
                Some("linux/arm64"),
                Some("web linux/arm64"),
            ),
            ("[build 12/20] RUN x", None, None),
            ("[internal] load metadata for linux/amd64", None, None),
            ("[linux/", None, None),
            ("exporting to image", None, None),
            ("", None, None),
        ];
        for (name, platform, group) in cases {
            let name = StepName::new(name);
            assert_eq!(
                (name.platform(), name.group()),
                (platform, group),
                "{}",
                name.full()
            );
        }
    }
}
