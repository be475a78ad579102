//! Selects the platforms of an image that a requested platform can run, and the best of them.

use super::Platform;

/// Ranks platforms for a requested platform like containerd's `platforms.Only`.
///
/// `arm64` also accepts `arm/v8` and lower, `arm/v7` accepts `arm/v6` and `arm/v5`, `amd64` accepts
/// `386`; an exact match is best.
#[derive(Debug, Clone)]
pub struct PlatformMatcher {
    candidates: Vec<Platform>,
}

impl PlatformMatcher {
    /// Returns a matcher for `platform` and the other platforms that its CPUs run, best first.
    pub fn only(platform: &Platform) -> Self {
        Self {
            candidates: compatible(&platform.normalized())
                .iter()
                .map(Platform::normalized)
                .collect(),
        }
    }

    /// Returns the rank of `platform`, 0 for the best; `None` if it does not match.
    pub fn rank(&self, platform: &Platform) -> Option<usize> {
        let platform = platform.normalized();
        self.candidates.iter().position(|candidate| {
            candidate.os == platform.os
                && candidate.architecture == platform.architecture
                && candidate.variant == platform.variant
                && os_version_matches(candidate, &platform)
                && features_match(candidate, &platform)
        })
    }

    /// True if `platform` matches.
    pub fn matches(&self, platform: &Platform) -> bool {
        self.rank(platform).is_some()
    }

    /// True if a machine runs programs for `platform` without an emulator: those of its own
    /// architecture in any version, and those of another one that it supports, such as `386` on
    /// `amd64` and `arm/v7` on `arm64`.
    pub fn runs(machine: &Platform, platform: &Platform) -> bool {
        let same = platform.os == machine.os && platform.architecture == machine.architecture;
        same || Self::only(machine).matches(platform)
    }

    /// Returns the position of the best of `platforms`; of equally ranked ones, that with more
    /// matching features, else the first.
    pub fn best<'a>(&self, platforms: impl IntoIterator<Item = &'a Platform>) -> Option<usize> {
        platforms
            .into_iter()
            .enumerate()
            .filter_map(|(i, p)| Some((self.rank(p)?, usize::MAX - p.os_features.len(), i)))
            .min()
            .map(|(_, _, i)| i)
    }
}

/// For Windows the build numbers must agree: `10.0.17763.x` runs only `10.0.17763.y`; an unknown
/// version matches all.
fn os_version_matches(wanted: &Platform, offered: &Platform) -> bool {
    if wanted.os != "windows" || wanted.os_version.is_empty() || offered.os_version.is_empty() {
        return true;
    }
    let build = |version: &str| {
        version
            .splitn(4, '.')
            .take(3)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    build(&wanted.os_version) == build(&offered.os_version)
}

/// True if all features that the image requires are requested; `win32k` is ignored.
fn features_match(wanted: &Platform, offered: &Platform) -> bool {
    offered
        .os_features
        .iter()
        .filter(|feature| !(offered.os == "windows" && *feature == "win32k"))
        .all(|feature| wanted.os_features.contains(feature))
}

/// A limit far above the versions of any architecture.
const MOST_VERSIONS: u32 = 100;

fn compatible(platform: &Platform) -> Vec<Platform> {
    let with = |architecture: &str, variant: String| Platform {
        architecture: architecture.to_owned(),
        variant,
        ..platform.clone()
    };
    // The reference lists as many versions as the number in the variant.
    let number = || {
        let text = platform.variant.as_str();
        let number = text.strip_prefix('v').unwrap_or(text).parse::<u32>();
        number.map(|number| number.min(MOST_VERSIONS))
    };
    match platform.architecture.as_str() {
        "amd64" => {
            let mut all = vec![platform.clone()];
            if let Ok(version) = number() {
                all.extend((1..version).rev().map(|v| with("amd64", format!("v{v}"))));
            }
            all.push(with("386", String::new()));
            all
        }
        "arm" => {
            let mut all = vec![platform.clone()];
            if let Ok(version) = number() {
                all.extend((5..version).rev().map(|v| with("arm", format!("v{v}"))));
            }
            all
        }
        "arm64" => {
            let mut all: Vec<Platform> = arm64_versions(&platform.variant)
                .into_iter()
                .map(|(major, minor)| match minor {
                    0 => with("arm64", format!("v{major}")),
                    _ => with("arm64", format!("v{major}.{minor}")),
                })
                .collect();
            if !all.is_empty() {
                all.extend(compatible(&with("arm", "v8".to_owned())));
            }
            all
        }
        _ => vec![platform.clone()],
    }
}

/// v9.n also runs v8.0 to v8.(n+5), at most v8.9.
fn arm64_versions(variant: &str) -> Vec<(u32, u32)> {
    let variant = if variant.is_empty() { "v8" } else { variant };
    let text = variant.strip_prefix('v').unwrap_or(variant);
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    match (major, minor.parse::<u32>()) {
        ("8", Ok(minor @ 0..=9)) => (0..=minor).rev().map(|m| (8, m)).collect(),
        ("9", Ok(minor @ 0..=7)) => {
            let nines = (0..=minor).rev().map(|m| (9, m));
            nines
                .chain((0..=(minor + 5).min(9)).rev().map(|m| (8, m)))
                .collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(wanted: &str, offered: &str) -> Option<usize> {
        PlatformMatcher::only(&Platform::parse(wanted).unwrap())
            .rank(&Platform::parse(offered).unwrap())
    }

    #[test]
    fn lower_variants_serve_higher_ones_and_not_the_other_way() {
        assert_eq!(rank("linux/arm/v7", "linux/arm/v7"), Some(0));
        assert_eq!(rank("linux/arm/v7", "linux/arm/v5"), Some(2));
        assert_eq!(rank("linux/arm/v5", "linux/arm/v7"), None);
        assert_eq!(rank("linux/arm64", "linux/arm64/v8"), Some(0));
        assert_eq!(rank("linux/arm64", "linux/arm/v7"), Some(2));
        assert_eq!(rank("linux/amd64", "linux/386"), Some(1));
        assert_eq!(rank("linux/386", "linux/amd64"), None);
    }

    #[test]
    fn best_prefers_the_exact_platform() {
        let offered: Vec<Platform> = ["linux/arm/v5", "linux/arm/v7", "linux/arm64"]
            .iter()
            .map(|p| Platform::parse(p).unwrap())
            .collect();
        let wanted = PlatformMatcher::only(&Platform::parse("linux/arm64/v8").unwrap());
        assert_eq!(wanted.best(&offered), Some(2));
        assert_eq!(wanted.best(&offered[..2]), Some(1));
        assert_eq!(wanted.best(&offered[..0]), None);
    }
}
