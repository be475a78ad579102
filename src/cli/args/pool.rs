//! A builder's placement, and the state of a pool's nodes that is kept between builds.

use std::collections::BTreeSet;
use std::time::SystemTime;

use solvekit::builder::{Builder, Driver, Store};
use solvekit::pipeline::{MainContext, Prepared};
use solvekit::spread::{Nodes, Placement};

use super::builder::Builders;
use super::git_repository::Repository;
use crate::cli::report::Failure;

/// The placement of a builder's builds.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    placement: Placement,
    store: Store,
    builder: String,
    /// Nodes that failed recently; empty unless it is a pool.
    passed_over: BTreeSet<String>,
    /// True if nodes answer at once or never, because nothing has to be started.
    answers_at_once: bool,
}

impl Pool {
    pub(crate) fn of(builders: &Builders, builder: &Builder) -> Result<Self, Failure> {
        let placement = builder.placement()?;
        let passed_over = match placement {
            Placement::Pool => {
                let (health, now) = (builders.store.health(&builder.name), SystemTime::now());
                let names = builder.nodes.iter().map(|node| node.name.clone());
                names.filter(|it| health.is_passed_over(it, now)).collect()
            }
            _ => BTreeSet::new(),
        };
        Ok(Self {
            placement,
            store: builders.store.clone(),
            builder: builder.name.clone(),
            passed_over,
            answers_at_once: builder.driver()? == Driver::Remote,
        })
    }

    /// True if a node that hangs must not delay builds.
    pub(crate) fn is_impatient(&self) -> bool {
        self.placement == Placement::Pool && self.answers_at_once
    }

    /// True if the node failed recently.
    pub(crate) fn is_passed_over(&self, node: &str) -> bool {
        self.passed_over.contains(node)
    }

    /// Applies the placement and the recent failures to the nodes.
    pub(crate) fn apply(&self, nodes: Nodes) -> Nodes {
        nodes
            .with_placement(self.placement)
            .passing_over(&self.passed_over)
    }

    /// Records that nodes failed. Errors of the store are ignored: only the next choice depends on
    /// it.
    pub(crate) fn note_failures(&self, nodes: impl IntoIterator<Item = String>) {
        let mut nodes = nodes.into_iter().peekable();
        if self.placement != Placement::Pool || nodes.peek().is_none() {
            return;
        }
        let (mut health, now) = (self.store.health(&self.builder), SystemTime::now());
        nodes.for_each(|node| health.note_failure(&node, now));
        let _ = self.store.save_health(&self.builder, &health);
    }

    /// Names the context by its repository, so that builds on all machines choose the same node.
    /// The path may be the same for all of a CI's repositories.
    pub(crate) fn name_context(&self, prepared: &Prepared) {
        let MainContext::Directory(folder) = &prepared.request().context else {
            return;
        };
        if self.placement != Placement::Pool {
            return;
        }
        let Ok(Some(repository)) = Repository::find(folder) else {
            return;
        };
        if let (Some(remote), Some(inside)) = (&repository.remote, repository.inside(folder)) {
            prepared.name_context(format!("{remote}#{inside}"));
        }
    }
}
