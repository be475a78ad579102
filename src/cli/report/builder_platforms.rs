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
    let group_of = |text: &str| {
        let mut parts = text.trim_end_matches('*').split('/');
        format!(
            "{}/{}",
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default()
        )
    };
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for first in FIRST {
        for platform in platforms
            .iter()
            .filter(|platform| group_of(platform) == first)
        {
            if groups.len() < GROUPS {
                groups.entry(first.to_owned()).or_default().push(platform);
            }
        }
    }
    if groups.len() < GROUPS {
        let mut left: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for platform in platforms {
            let group = group_of(platform);
            if !groups.contains_key(&group) {
                left.entry(group).or_default().push(platform);
            }
        }
        groups.extend(left);
    }
    let mut order: Vec<&str> = FIRST
        .into_iter()
        .filter(|first| groups.contains_key(*first))
        .collect();
    order.extend(
        groups
            .keys()
            .map(String::as_str)
            .filter(|group| !FIRST.contains(group)),
    );
    let mut shown = Vec::new();
    let mut count = 0;
    for group in order.into_iter().take(GROUPS.max(1)) {
        let members = &groups[group];
        count += members.len();
        shown.push(match members.as_slice() {
            [only] => (*only).to_owned(),
            several => {
                let star = if several.iter().any(|text| text.ends_with('*')) {
                    "*"
                } else {
                    ""
                };
                format!("{group}{star} (+{})", several.len())
            }
        });
    }
    if platforms.len() > count {
        shown.push(format!("({} more)", platforms.len() - count));
    }
    shown.join(", ")
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
