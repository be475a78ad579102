//! Which pod a build goes to.

use md5::{Digest as _, Md5};

use super::options::Balance;

/// The pod among `pods` for builds of that key. The sticky choice is buildx's, so that builds of a context meet their cache
/// whichever tool makes them: pods and key are points on a ring by their MD5, and the key's next pod is taken. When a pod comes or
/// goes, only the keys beside it move.
pub(super) fn choose<'a>(balance: Balance, key: &str, pods: &[&'a str]) -> Option<&'a str> {
    let mut ring: Vec<_> = pods
        .iter()
        .map(|pod| (point(&format!("{pod}-0")), *pod))
        .collect();
    ring.sort_unstable();
    let place = match balance {
        Balance::Random => random(ring.len()),
        Balance::Sticky => {
            let key = point(key);
            ring.iter()
                .position(|(point, _)| key < *point)
                .unwrap_or_default()
        }
    };
    ring.get(place).map(|(_, pod)| *pod)
}

/// A place on the ring: the halves of the hash as signed numbers, the first before the second.
fn point(text: &str) -> (i64, i64) {
    let hash: [u8; 16] = Md5::digest(text).into();
    let half = |from: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash[from..from + 8]);
        i64::from_le_bytes(bytes)
    };
    (half(0), half(8))
}

fn random(below: usize) -> usize {
    let mut bytes = [0; 8];
    // Without randomness it is always the first one, which is a choice as well.
    let _ = getrandom::fill(&mut bytes);
    usize::from_le_bytes(bytes).checked_rem(below).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const PODS: [&str; 3] = ["bk-0", "bk-1", "bk-2"];

    #[test]
    fn a_key_keeps_its_pod_while_the_pod_is_there() {
        for number in 0..50 {
            let key = format!("/home/me/{number}");
            let chosen = choose(Balance::Sticky, &key, &PODS).unwrap();
            let fewer: Vec<&str> = PODS.into_iter().filter(|pod| *pod != "bk-1").collect();
            let then = choose(Balance::Sticky, &key, &fewer).unwrap();
            assert!(chosen == "bk-1" || chosen == then);
            let reversed: Vec<&str> = PODS.into_iter().rev().collect();
            assert_eq!(choose(Balance::Sticky, &key, &reversed), Some(chosen));
        }
    }

    #[test]
    fn the_choice_is_buildx_s() {
        for (key, pod) in [
            ("/home/me/app", "bk-2"),
            ("/home/me/2", "bk-0"),
            ("https://github.com/me/app.git", "bk-2"),
        ] {
            assert_eq!(choose(Balance::Sticky, key, &PODS), Some(pod));
        }
    }

    #[test]
    fn keys_and_chance_reach_every_pod() {
        let keys = (0..200).map(|number| format!("/src/{number}"));
        let sticky: BTreeSet<_> = keys
            .filter_map(|key| choose(Balance::Sticky, &key, &PODS))
            .collect();
        assert_eq!(sticky.len(), 3);
        let random: BTreeSet<_> = (0..200)
            .filter_map(|_| choose(Balance::Random, "", &PODS))
            .collect();
        assert_eq!(random.len(), 3);
        assert_eq!(choose(Balance::Random, "", &[]), None);
        assert_eq!(choose(Balance::Sticky, "", &[]), None);
    }
}
