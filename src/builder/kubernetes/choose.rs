//! Selects the pod for a build.

use md5::{Digest as _, Md5};

use super::options::Balance;

/// Returns the pod for a key. The sticky choice equals buildx's, so builds of a context find their
/// cache with either tool. Pods and key are points on a ring, by MD5, and the next pod after the
/// key is taken.
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

/// Returns a point on the ring: the halves of the hash as signed numbers, compared in order.
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
    // Without random numbers it is always the first pod, which works too.
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
