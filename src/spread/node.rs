//! The nodes that answer, with their platforms.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;

use super::{Offer, Placement, Share, Silent};
use crate::client::{Client, Worker};
use crate::oci::Platform;

/// The timeout for the number of a node's running builds, which only helps to choose.
const PATIENCE: Duration = Duration::from_secs(2);
/// The timeout for the platforms of one node among several, which builds need.
const HANGS_AFTER: Duration = Duration::from_secs(10);

/// A node to build on.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name, for messages and for a stable choice.
    pub name: String,
    /// A connection to its BuildKit.
    pub client: Client,
    /// The platforms that it should build instead of other nodes, whatever its own list is.
    pub platforms: Vec<Platform>,
}

/// The surveyed nodes.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    pub(super) all: Vec<Surveyed>,
    pub(super) placement: Placement,
    /// Random for each survey, see [`Rules::draw`](super::Rules::draw).
    pub(super) draw: u64,
    pub(super) lost: Arc<Mutex<BTreeSet<String>>>,
}

/// A node with its survey data.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Surveyed {
    /// The node.
    pub node: Node,
    /// Its data for the assignment.
    pub offer: Offer,
    /// True if it can push an image that has no tag.
    pub pushes_untagged: bool,
}

impl Nodes {
    /// Returns a single node without a survey: it builds everything.
    pub fn one(node: Node) -> Self {
        let offer = Offer {
            name: node.name.clone(),
            ..Offer::default()
        };
        Self {
            all: vec![Surveyed {
                node,
                offer,
                pushes_untagged: true,
            }],
            ..Self::default()
        }
    }

    /// Returns the same nodes with another choice among those that serve a platform equally well.
    #[must_use]
    pub fn with_placement(mut self, placement: Placement) -> Self {
        self.placement = placement;
        self
    }

    /// Asks all nodes at once for their platforms and, if there are several, for their load. Also
    /// returns the nodes that do not answer.
    pub async fn survey(nodes: Vec<Node>) -> (Self, Vec<Silent>) {
        let several = nodes.len() > 1;
        let asked = join_all(nodes.into_iter().map(async |node| {
            if !several {
                let workers = node.client.workers().await;
                let workers = workers.map_err(|error| Silent::of(&node.name, &error));
                return (workers, None, node);
            }
            let (workers, running) = tokio::join!(workers(&node), running(&node.client));
            (workers, running, node)
        }));
        let asked = asked.await;
        // A node that does not count its builds is not preferred for that.
        let busiest = asked.iter().filter_map(|(_, running, _)| *running).max();
        let (mut found, mut silent) = (Self::default(), Vec::new());
        found.draw = draw();
        for (workers, running, node) in asked {
            let running = running.or(busiest).unwrap_or_default();
            let workers = match workers {
                Ok(workers) => workers,
                Err(node) => {
                    silent.push(node);
                    continue;
                }
            };
            let pushes_untagged = node.client.address().daemon().makes_indexes(&workers);
            let reported = workers.first().map(|worker| worker.platforms.iter());
            let offer = Offer {
                given: node.platforms.iter().map(Platform::normalized).collect(),
                reported: reported
                    .into_iter()
                    .flatten()
                    .map(Platform::normalized)
                    .collect(),
                running,
                name: node.name.clone(),
                passed_over: false,
            };
            found.all.push(Surveyed {
                node,
                offer,
                pushes_untagged,
            });
        }
        (found, silent)
    }

    /// Marks the nodes with these names as recently failed: others that serve a platform equally
    /// well are preferred.
    #[must_use]
    pub fn passing_over(mut self, names: &BTreeSet<String>) -> Self {
        for surveyed in &mut self.all {
            surveyed.offer.passed_over = names.contains(&surveyed.node.name);
        }
        self
    }

    /// Returns the names of the nodes that were lost during builds.
    pub fn lost(&self) -> BTreeSet<String> {
        let lost = self.lost.lock();
        lost.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn note_lost(&self, share: &Share) {
        let name = self.node(share).name.clone();
        let lost = self.lost.lock();
        lost.unwrap_or_else(PoisonError::into_inner).insert(name);
    }

    /// Returns the nodes that answer, in the given order.
    pub fn all(&self) -> &[Surveyed] {
        &self.all
    }

    /// Returns the node of a share.
    pub(super) fn node(&self, share: &Share) -> &Node {
        &self.all[share.node].node
    }
}

/// Returns the workers of one node among several, or why it does not list them.
async fn workers(node: &Node) -> Result<Vec<Worker>, Silent> {
    let Node { name, client, .. } = node;
    match tokio::time::timeout(HANGS_AFTER, client.workers()).await {
        Ok(workers) => workers.map_err(|error| Silent::of(name, &error)),
        Err(_) => {
            let seconds = HANGS_AFTER.as_secs();
            let reason = format!("it does not tell its platforms within {seconds} s");
            Err(Silent::new(name, reason))
        }
    }
}

/// Returns the number of builds that run on a node, if it reports them.
async fn running(client: &Client) -> Option<usize> {
    let running = tokio::time::timeout(PATIENCE, client.running_builds()).await;
    running.ok()?.ok()
}

fn draw() -> u64 {
    let mut bytes = [0; 8];
    // Without random numbers, builds overflow to other nodes a little later.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
