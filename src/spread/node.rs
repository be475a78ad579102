//! The nodes that answer, with their platforms.

use std::time::Duration;

use futures_util::future::join_all;

use super::{Offer, Share, Silent};
use crate::client::{Client, RecordStatus};
use crate::oci::Platform;

/// The timeout for a node's history, which is only read to find an idle node.
const PATIENCE: Duration = Duration::from_secs(2);

/// A node to build on.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name, for messages and for a stable choice.
    pub name: String,
    /// A connection to its BuildKit.
    pub client: Client,
    /// The platforms that it should build rather than other nodes, whatever it lists itself.
    pub platforms: Vec<Platform>,
}

/// The surveyed nodes.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    pub(super) all: Vec<Surveyed>,
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
        }
    }

    /// Asks all nodes at once for their platforms and, if there are several, for their load. Also
    /// returns the nodes that do not answer.
    pub async fn survey(nodes: Vec<Node>) -> (Self, Vec<Silent>) {
        let several = nodes.len() > 1;
        let asked = join_all(nodes.into_iter().map(async |node| {
            let running = async {
                match several {
                    true => running(&node.client).await,
                    false => 0,
                }
            };
            let (workers, running) = tokio::join!(node.client.workers(), running);
            (node, workers, running)
        }));
        let (mut found, mut silent) = (Self::default(), Vec::new());
        for (node, workers, running) in asked.await {
            let workers = match workers {
                Ok(workers) => workers,
                Err(error) => {
                    silent.push(Silent::of(&node.name, &error));
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
            };
            found.all.push(Surveyed {
                node,
                offer,
                pushes_untagged,
            });
        }
        (found, silent)
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

/// Returns the number of builds that run on a node, if it reports them.
async fn running(client: &Client) -> usize {
    let records = tokio::time::timeout(PATIENCE, client.build_records()).await;
    let Ok(Ok(records)) = records else { return 0 };
    let running = records
        .iter()
        .filter(|record| record.status() == RecordStatus::Running);
    running.count()
}
