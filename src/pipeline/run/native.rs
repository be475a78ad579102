//! The note about a build's platforms that is shown before the solve: which ones the daemon only
//! emulates.

use crate::client::Worker;
use crate::emulation::{Ability, Builder};
use crate::oci::Platform;

/// The columns of a step's name on a terminal of 80, beside its arrow and its time.
const COLUMNS: usize = 70;

/// `platforms: linux/amd64 native; linux/arm64 emulated`, split into several notes if one line is
/// too short. Empty if all platforms are native.
pub(super) fn notes(platforms: &[Platform], workers: &[Worker]) -> Vec<String> {
    let builder = Builder {
        listed: super::setting::build_platforms(workers),
        machine: None,
    };
    let (mut native, mut emulated, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for platform in platforms {
        match builder.ability(platform) {
            Ability::Native => native.push(platform.to_string()),
            Ability::Emulated(_) => emulated.push(platform.to_string()),
            _ => others.push(platform.to_string()),
        }
    }
    if emulated.is_empty() && others.is_empty() {
        return Vec::new();
    }
    let groups = [
        (native, "native"),
        (emulated, "emulated"),
        (others, "not listed by the daemon"),
    ];
    let groups = groups.iter().filter(|(names, _)| !names.is_empty());
    let groups: Vec<String> = groups
        .map(|(names, how)| format!("{} {how}", names.join(", ")))
        .collect();
    let line = format!("platforms: {}", groups.join("; "));
    match line.len() <= COLUMNS {
        true => vec![line],
        false => groups.iter().flat_map(|group| wrapped(group)).collect(),
    }
}

/// Wraps `platforms: …` to the width of a step's name.
fn wrapped(group: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in group.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("platforms: {word}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emulated_platforms_are_named() {
        let parse = |texts: &[&str]| {
            let texts = texts.iter().map(|text| Platform::parse(text).unwrap());
            texts.collect::<Vec<_>>()
        };
        let worker = Worker {
            platforms: parse(&["linux/amd64", "linux/arm64", "linux/386"]),
            ..Worker::default()
        };
        let shown = |texts: &[&str]| notes(&parse(texts), std::slice::from_ref(&worker));
        assert!(shown(&["linux/amd64", "linux/386"]).is_empty());
        assert!(shown(&[]).is_empty());
        assert_eq!(
            shown(&["linux/amd64", "linux/arm64"]),
            ["platforms: linux/amd64 native; linux/arm64 emulated"]
        );
        assert_eq!(
            shown(&["linux/amd64", "linux/arm64", "linux/mips64le"]),
            [
                "platforms: linux/amd64 native",
                "platforms: linux/arm64 emulated",
                "platforms: linux/mips64le not listed by the daemon"
            ]
        );
        let many = [
            "linux/amd64",
            "linux/mips64le",
            "linux/ppc64le",
            "linux/s390x",
            "linux/riscv64",
            "linux/loong64",
        ];
        assert!(
            shown(&many).iter().all(|line| line.len() <= COLUMNS),
            "{:?}",
            shown(&many)
        );
    }
}
