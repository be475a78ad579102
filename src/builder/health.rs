//! Nodes that failed recently. Builds avoid them for a while.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Error, Locked, Store, check_name, files};

const FOLDER: &str = "health";
/// The seconds for which a node is avoided after its first failure; they double with each further
/// one.
const FIRST: u64 = 30;
/// The most seconds for which a node is avoided. Failures are forgotten this long after that.
const MOST: u64 = 600;

/// The nodes of a builder that failed recently.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Health {
    nodes: BTreeMap<String, Trouble>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Trouble {
    failures: u32,
    /// The last failure, in seconds since 1970.
    at: u64,
}

impl Trouble {
    /// The seconds for which the node is avoided.
    fn pause(&self) -> u64 {
        let doubled = 1_u64.checked_shl(self.failures.saturating_sub(1));
        doubled.unwrap_or(MOST).saturating_mul(FIRST).min(MOST)
    }
}

impl Health {
    /// Returns true if the node failed so recently that others are preferred.
    pub fn is_passed_over(&self, node: &str, now: SystemTime) -> bool {
        let now = seconds(now);
        self.nodes.get(node).is_some_and(|trouble| {
            // A failure in the future means that the clock was set back.
            trouble.at <= now && now < trouble.at.saturating_add(trouble.pause())
        })
    }

    /// Records that a node failed, hung or was lost. Failures while it is avoided count once. Old
    /// failures are forgotten.
    pub fn note_failure(&mut self, node: &str, now: SystemTime) {
        if self.is_passed_over(node, now) {
            return;
        }
        let now = seconds(now);
        let is_recent = |it: &Trouble| now.abs_diff(it.at) <= it.pause() + MOST;
        self.nodes.retain(|_, trouble| is_recent(trouble));
        let trouble = self.nodes.entry(node.to_owned()).or_insert(Trouble {
            failures: 0,
            at: now,
        });
        trouble.failures = trouble.failures.saturating_add(1);
        trouble.at = now;
    }
}

fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.as_ref().map_or(0, Duration::as_secs)
}

impl Store {
    /// Returns the nodes of a builder that failed recently. An unreadable file counts as empty.
    pub fn health(&self, builder: &str) -> Health {
        let read = || {
            let path = self.folder().join(FOLDER).join(check_name(builder).ok()?);
            serde_json::from_slice(&files::read(&path).ok()??).ok()
        };
        read().unwrap_or_default()
    }

    /// Saves the nodes of a builder that failed recently.
    ///
    /// # Errors
    /// [`Error::InvalidName`] and [`Error::File`].
    pub fn save_health(&self, builder: &str, health: &Health) -> Result<(), Error> {
        let path = self.folder().join(FOLDER).join(check_name(builder)?);
        let bytes = serde_json::to_vec(health).unwrap_or_default();
        files::make_folder(&self.folder().join(FOLDER))?;
        files::write(self.folder(), &path, &bytes, 0o600)
    }
}

impl Locked {
    pub(super) fn forget_health(&self, name: &str) -> Result<(), Error> {
        files::remove(&self.folder().join(FOLDER).join(check_name(name)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn a_node_that_fails_again_and_again_is_passed_over_longer() {
        let mut health = Health::default();
        assert!(!health.is_passed_over("a", at(0)));
        health.note_failure("a", at(0));
        assert!(health.is_passed_over("a", at(29)));
        assert!(!health.is_passed_over("a", at(30)));
        assert!(!health.is_passed_over("b", at(1)));
        health.note_failure("a", at(40));
        assert!(health.is_passed_over("a", at(99)));
        assert!(!health.is_passed_over("a", at(100)));
        // Builds that find it failing meanwhile do not count.
        health.note_failure("a", at(90));
        assert!(!health.is_passed_over("a", at(100)));
        let mut now = 100;
        for pause in [120, 240, 480, 600, 600, 600] {
            health.note_failure("a", at(now));
            assert!(health.is_passed_over("a", at(now + pause - 1)));
            now += pause;
            assert!(!health.is_passed_over("a", at(now)), "{pause}");
        }
    }

    #[test]
    fn what_is_long_ago_is_forgotten() {
        let mut health = Health::default();
        health.note_failure("a", at(0));
        health.note_failure("a", at(5000));
        assert!(health.is_passed_over("a", at(5029)));
        assert!(!health.is_passed_over("a", at(5030)));
        health.note_failure("b", at(9000));
        assert_eq!(health.nodes.len(), 1);
        // The clock was set back.
        assert!(!health.is_passed_over("b", at(8000)));
    }

    #[test]
    fn the_store_keeps_it_until_the_builder_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        assert_eq!(store.health("x"), Health::default());
        let mut health = Health::default();
        health.note_failure("x0", at(0));
        store.save_health("x", &health).unwrap();
        assert_eq!(store.health("x"), health);
        std::fs::write(folder.path().join("health/y"), "{").unwrap();
        assert_eq!(store.health("y"), Health::default());
        store.lock().unwrap().remove("x").unwrap();
        assert_eq!(store.health("x"), Health::default());
    }
}
