//! Publishes an image: it is pushed to its registries by digest, then signed, and only then tagged.
//! The daemon pushes the content, or this client does.

mod finish;
mod publication;
mod signing;

use publication::Publication;

use super::{Built, Error, Nodes, Plan};
use crate::oci::{Digest, Reference};
use crate::pipeline::{Environment, Prepared};
use crate::registry::Client;
use crate::sign::Signer;

/// The options for publishing images.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Publish {
    /// The side that pushes.
    pub from: PushFrom,
    /// Signs an image before its tags point to it.
    pub signer: Option<Signer>,
}

/// The side that pushes an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushFrom {
    /// The daemon that built it.
    #[default]
    Daemon,
    /// This client: the daemon sends what the registry lacks, through a temporary folder.
    Client,
}

impl Nodes {
    /// As [`Nodes::build`], with options for the push. An image is pushed by digest to all of its
    /// repositories first, then signed, then tagged.
    ///
    /// # Errors
    /// As [`Nodes::build`]; [`Error::Push`] and [`Error::Sign`], after which no tag has moved;
    /// [`Error::Tag`].
    pub async fn publish(
        &self,
        prepared: &Prepared,
        plan: Plan,
        registries: &Client,
        environment: Environment,
        publish: &Publish,
    ) -> Result<Built, Error> {
        let Some(publication) = Publication::of(prepared.request(), publish)? else {
            return self.build(prepared, plan, registries, environment).await;
        };
        if publication.folder.is_none() {
            let mut nodes = plan.shares.iter().map(|share| &self.all[share.node]);
            if let Some(it) = nodes.find(|it| !it.pushes_untagged) {
                let node = it.node.name.clone();
                return Err(Error::EngineCannotPush { node });
            }
        }
        let rewritten = prepared.clone_with(publication.request(prepared.request()));
        let mut building = environment.clone();
        building.elsewhere = publication.elsewhere(registries);
        let built = self.build(&rewritten, plan, registries, building).await?;
        let finished = publication.finish(built, registries, &environment);
        environment
            .unless_cancelled(finished)
            .await
            .map_err(Error::Build)?
    }
}

/// A manifest in the repository of this name.
fn at(name: &Reference, digest: &Digest) -> Reference {
    name.without_tag().with_digest(digest.clone())
}

fn joined(names: &[Reference]) -> String {
    let names: Vec<String> = names.iter().map(Reference::to_string).collect();
    names.join(",")
}
