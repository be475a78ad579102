//! The nodes that answer, and what they say of themselves.

use std::time::Duration;

use futures_util::future::join_all;

use super::{Offer, Share, Silent};
use crate::client::{Client, RecordStatus};
use crate::oci::Platform;

/// How long a node may think about its history; it is asked only in order to find an idle one.
const PATIENCE: Duration = Duration::from_secs(2);

/// A node that can be built on.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name, for messages and for finding it again.
    pub name: String,
    /// A connection to its BuildKit.
    pub client: Client,
    /// The platforms that it is to build rather than other nodes, whatever it says itself.
    pub platforms: Vec<Platform>,
}

/// Nodes that have been asked what they can do.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    pub(super) all: Vec<Surveyed>,
}

/// A node and what is known of it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Surveyed {
    /// The node.
    pub node: Node,
    /// What it can build.
    pub offer: Offer,
    /// True if it can push an image that has no tag.
    pub pushes_untagged: bool,
}

impl Nodes {
    /// The only node, which is not asked anything: it builds all.
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

    /// Asks all nodes at once what they build for and, of several, how busy they are. Gives those that do not answer besides.
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
            let said = workers.first().map(|worker| worker.platforms.iter());
            let offer = Offer {
                given: node.platforms.iter().map(Platform::normalized).collect(),
                said: said
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

    /// Those that answer, in the order in which they were given.
    pub fn all(&self) -> &[Surveyed] {
        &self.all
    }

    /// The node of a share.
    pub(super) fn node(&self, share: &Share) -> &Node {
        &self.all[share.node].node
    }
}

/// The builds that run on a node, as far as it says so.
async fn running(client: &Client) -> usize {
    let records = tokio::time::timeout(PATIENCE, client.build_records()).await;
    let Ok(Ok(records)) = records else { return 0 };
    let running = records
        .iter()
        .filter(|record| record.status() == RecordStatus::Running);
    running.count()
}
