//! Makes several builds export only when all of them are solved: parts of one build on several
//! nodes, or the targets of a bake file.

use std::collections::BTreeSet;

use tokio::sync::watch;

use super::shared::Member;
use crate::oci::Platform;

/// A gate that builds wait at before they export.
#[derive(Debug)]
pub(crate) struct Gate<K = Platform>(watch::Sender<State<K>>);

#[derive(Debug, Clone)]
struct State<K> {
    /// The keys that are not solved yet.
    missing: BTreeSet<K>,
    /// Nothing may be exported.
    closed: bool,
}

impl<K: Ord> Gate<K> {
    /// Opens when all these keys are solved.
    pub(crate) fn new(keys: impl IntoIterator<Item = K>) -> Self {
        let state = State {
            missing: keys.into_iter().collect(),
            closed: false,
        };
        Self(watch::Sender::new(state))
    }

    /// Stops waiting for these keys: they are solved, or the others are exported without them.
    pub(crate) fn count(&self, keys: &[K]) {
        self.0.send_modify(|state| {
            for key in keys {
                state.missing.remove(key);
            }
        });
    }

    /// Forbids the export to all who wait now or later.
    pub(crate) fn close(&self) {
        self.0.send_modify(|state| state.closed = true);
    }

    /// Marks these keys as solved and waits for the others. True if they may be exported.
    pub(crate) async fn pass(&self, keys: &[K]) -> bool {
        self.count(keys);
        let mut states = self.0.subscribe();
        let decided = states.wait_for(|state| state.closed || state.missing.is_empty());
        // The sender lives as long as `self`.
        decided.await.is_ok_and(|state| !state.closed)
    }
}

/// The gate before a build's export.
pub(super) enum ExportGate<'a> {
    Open,
    /// Waits for the other parts of the same build, then for other builds.
    Part(&'a Gate, Option<&'a Member>),
    /// Waits for other builds.
    Member(&'a Member),
}

impl ExportGate<'_> {
    /// True if the result may be exported.
    pub(super) async fn pass(&self, platforms: &[Platform]) -> bool {
        match self {
            Self::Open => true,
            Self::Part(gate, None) => gate.pass(platforms).await,
            Self::Part(gate, Some(member)) => {
                gate.pass(platforms).await && member.passes_as_solved().await
            }
            Self::Member(member) => member.passes_as_solved().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn platforms() -> [Platform; 2] {
        ["linux/amd64", "linux/arm64"].map(|text| Platform::parse(text).unwrap())
    }

    #[tokio::test]
    async fn all_export_when_the_last_is_solved() {
        let [one, two] = platforms();
        let gate = Gate::new([one.clone(), two.clone()]);
        let early = tokio::time::timeout(
            Duration::from_millis(20),
            gate.pass(std::slice::from_ref(&one)),
        );
        assert!(early.await.is_err());
        let (one, two) = ([one], [two]);
        let (first, second) = tokio::join!(gate.pass(&one), gate.pass(&two));
        assert!(first && second);
    }

    #[tokio::test]
    async fn nobody_exports_when_one_is_given_up() {
        let [one, two] = platforms();
        let gate = Gate::new([one.clone(), two]);
        let pass = gate.pass(std::slice::from_ref(&one));
        let (passed, ()) = tokio::join!(pass, async { gate.close() });
        assert!(!passed);
        let later = gate.pass(std::slice::from_ref(&one)).await;
        assert!(!later);
    }

    #[tokio::test]
    async fn what_is_left_out_is_not_waited_for() {
        let [one, two] = platforms();
        let gate = Gate::new([one.clone(), two.clone()]);
        gate.count(&[two]);
        assert!(gate.pass(&[one]).await);
    }
}
