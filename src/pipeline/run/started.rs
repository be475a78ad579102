//! The builds that daemons have begun. Those that fail are in a daemon's history too, so a client
//! that describes its builds there must know their ids.

use std::sync::{Arc, Mutex, PoisonError};

/// A build that a daemon has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartedBuild {
    /// The name of the target if several are built together.
    pub target: Option<String>,
    /// The name of the node.
    pub node: String,
    /// The build's id on the node's daemon.
    pub build_ref: String,
}

/// Collects the builds that daemons begin. Clones share the list.
// One pointer: an environment is on the stack of many futures.
#[derive(Debug, Clone, Default)]
pub struct Started(Arc<Collector>);

#[derive(Debug, Default)]
struct Collector {
    all: Arc<Mutex<Vec<StartedBuild>>>,
    target: Option<String>,
    node: String,
}

impl Started {
    /// Returns the builds so far, in the order of their start.
    pub fn builds(&self) -> Vec<StartedBuild> {
        let all = self.0.all.lock();
        all.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns a collector for the builds of a target.
    pub(crate) fn for_target(&self, target: &str) -> Self {
        Self(Arc::new(Collector {
            all: Arc::clone(&self.0.all),
            target: Some(target.to_owned()),
            node: self.0.node.clone(),
        }))
    }

    /// Returns a collector for the builds on a node.
    pub(crate) fn for_node(&self, node: &str) -> Self {
        Self(Arc::new(Collector {
            all: Arc::clone(&self.0.all),
            target: self.0.target.clone(),
            node: node.to_owned(),
        }))
    }

    /// Adds a build.
    pub(super) fn add(&self, build_ref: &str) {
        let build = StartedBuild {
            target: self.0.target.clone(),
            node: self.0.node.clone(),
            build_ref: build_ref.to_owned(),
        };
        let mut all = self.0.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(build);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_has_the_names_of_its_collector() {
        let started = Started::default();
        started.for_node("a0").add("one");
        let web = started.for_target("web");
        web.for_node("b0").add("two");
        let builds = started.builds();
        let names = |it: &StartedBuild| (it.target.clone(), it.node.clone(), it.build_ref.clone());
        let expected = [
            (None, "a0".to_owned(), "one".to_owned()),
            (Some("web".to_owned()), "b0".to_owned(), "two".to_owned()),
        ];
        assert_eq!(builds.iter().map(names).collect::<Vec<_>>(), expected);
    }
}
