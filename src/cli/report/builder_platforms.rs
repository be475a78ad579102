//! Platforms of nodes as text: those from the user are marked, and long lists are shortened as in
//! buildx.

use std::collections::BTreeMap;

use solvekit::oci::Platform;

/// The architectures that come first in a shortened list.
const FIRST: [&str; 7] = [
    "linux/amd64",
    "linux/arm64",
    "linux/arm",
    "linux/ppc64le",
    "linux/s390x",
    "linux/riscv64",
    "linux/mips64",
];
/// The most groups of a shortened list.
const GROUPS: usize = 4;

/// The platforms from the user, then those that the daemon reports, without duplicates.
pub(crate) fn united(given: &[Platform], reported: &[Platform]) -> Vec<Platform> {
    let mut all = Vec::new();
    for platform in given.iter().chain(reported).map(Platform::normalized) {
        if !all.contains(&platform) {
            all.push(platform);
        }
    }
    all
}

/// The same as text, with a `*` after each platform from the user.
pub(crate) fn marked(given: &[Platform], reported: &[Platform]) -> Vec<String> {
    let given: Vec<Platform> = given.iter().map(Platform::normalized).collect();
    let print = |platform: &Platform| match given.contains(platform) {
        true => format!("{platform}*"),
        false => platform.to_string(),
    };
    united(&given, reported).iter().map(print).collect()
}

/// Shortens a list to four architectures, with their variants, and the number of the others.
pub(crate) fn shortened(platforms: &[String]) -> String {
    let groups = groups(platforms);
    let first = FIRST.into_iter().filter(|name| groups.contains_key(name));
    let others = groups.keys().copied().filter(|name| !FIRST.contains(name));
    let kept: Vec<&str> = first.chain(others).take(GROUPS).collect();
    let count: usize = kept.iter().map(|name| groups[name].len()).sum();
    let mut shown: Vec<String> = kept
        .into_iter()
        .map(|name| group_text(name, &groups[name]))
        .collect();
    if platforms.len() > count {
        shown.push(format!("({} more)", platforms.len() - count));
    }
    shown.join(", ")
}

/// The groups to choose from: those of `FIRST`, and if they are too few, all others.
fn groups(platforms: &[String]) -> BTreeMap<&str, Vec<&str>> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for first in FIRST {
        for platform in platforms.iter().filter(|it| group_of(it) == first) {
            // As in buildx, the group that fills the list has only its first platform.
            if groups.len() < GROUPS {
                groups.entry(first).or_default().push(platform);
            }
        }
    }
    if groups.len() < GROUPS {
        let mut left: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for platform in platforms {
            let group = group_of(platform);
            if !groups.contains_key(group) {
                left.entry(group).or_default().push(platform);
            }
        }
        groups.extend(left);
    }
    groups
}

/// The group of a platform: its system and architecture.
fn group_of(platform: &str) -> &str {
    let platform = platform.trim_end_matches('*');
    let variant = platform.match_indices('/').nth(1);
    variant.map_or(platform, |(at, _)| &platform[..at])
}

fn group_text(name: &str, members: &[&str]) -> String {
    match members {
        [only] => (*only).to_owned(),
        several => {
            let is_given = several.iter().any(|text| text.ends_with('*'));
            let star = if is_given { "*" } else { "" };
            format!("{name}{star} (+{})", several.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(texts: &[&str]) -> Vec<Platform> {
        texts
            .iter()
            .map(|text| Platform::parse(text).unwrap())
            .collect()
    }

    #[test]
    fn what_was_given_comes_first_with_a_star() {
        let given = parsed(&["linux/arm64"]);
        let reported = parsed(&["linux/amd64", "linux/arm64", "linux/arm/v7"]);
        assert_eq!(
            marked(&given, &reported),
            ["linux/arm64*", "linux/amd64", "linux/arm/v7"]
        );
    }

    #[test]
    fn long_lists_are_short() {
        let list = |text: &str| shortened(&text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(list("linux/amd64 linux/386"), "linux/amd64, linux/386");
        assert_eq!(
            list(
                "linux/amd64 linux/amd64/v2 linux/386 linux/arm64 linux/arm/v7 linux/arm/v6 \
                 linux/s390x"
            ),
            "linux/amd64 (+2), linux/arm64, linux/arm (+2), linux/s390x, (1 more)"
        );
        assert_eq!(list("linux/amd64* linux/amd64/v2"), "linux/amd64* (+2)");
        assert_eq!(shortened(&[]), "");
    }
}
