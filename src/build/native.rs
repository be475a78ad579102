//! What is told of a build's platforms before anything is solved: which of them the daemon's machine only emulates.

use crate::client::Worker;
use crate::emulation::{Ability, Builder};
use crate::oci::Platform;

/// `platforms: linux/amd64 native; linux/arm64 emulated`; `None` when all are native, which needs no words.
pub(super) fn note(platforms: &[Platform], workers: &[Worker]) -> Option<String> {
    let builder = Builder {
        listed: super::served::build_platforms(workers),
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
        return None;
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
    Some(format!("platforms: {}", groups.join("; ")))
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
        let said = |texts: &[&str]| note(&parse(texts), std::slice::from_ref(&worker));
        assert_eq!(said(&["linux/amd64", "linux/386"]), None);
        assert_eq!(said(&[]), None);
        assert_eq!(
            said(&["linux/amd64", "linux/arm64", "linux/mips64le"]).unwrap(),
            "platforms: linux/amd64 native; linux/arm64 emulated; linux/mips64le not listed by the daemon"
        );
    }
}
