//! The steps after the build: push by this client, signature, tags.

use super::super::run::progress;
use super::super::{Built, Error, index};
use super::publication::Publication;
use super::{at, joined};
use crate::layout::Layout;
use crate::oci::{Digest, Reference};
use crate::pipeline::{Environment, TemporaryFolder};
use crate::registry::{self, Client};
use crate::transfer::{self, Place, Source};

impl Publication {
    /// Pushes the local image, signs it, and sets the tags. Returns the result with its final
    /// names.
    pub(super) async fn finish(
        &self,
        mut built: Built,
        registries: &Client,
        environment: &Environment,
    ) -> Result<Built, Error> {
        let shown = progress(environment);
        let response = &mut built.outcome.exporter_response;
        let image = index::descriptor(response).ok_or_else(|| Error::NoDescriptor {
            node: built
                .parts
                .first()
                .map_or_else(String::new, |part| part.node.clone()),
        })?;
        let names = joined(&self.names);
        if let Some(folder) = &self.folder {
            let pushed = self.push(folder, &image.digest, registries);
            let pushed = shown.track(format!("pushing {names}"), pushed).await;
            pushed.map_err(|source| Error::Push {
                source: Box::new(source),
            })?;
        }
        if let Some(signer) = &self.signer {
            self.sign(signer, &image.digest, registries, &shown).await?;
        }
        if !self.by_digest {
            let tagged = self.tag(&image.digest, registries);
            shown.track(format!("tagging {names}"), tagged).await?;
        }
        response.insert("image.name".to_owned(), names);
        Ok(built)
    }

    async fn push(
        &self,
        folder: &TemporaryFolder,
        digest: &Digest,
        registries: &Client,
    ) -> Result<(), transfer::Error> {
        let place = Place::Layout {
            path: Layout::new(folder.path()).root().to_owned(),
            tag: None,
            digest: Some(digest.clone()),
        };
        let mut source = Source::open(&place, registries).await?;
        if let Some(first) = self.repositories.first() {
            source = source.completed_by(registries, first);
        }
        let plan = transfer::Plan::of(&source, None).await?;
        let to: Vec<Reference> = self.repositories.iter().map(|it| at(it, digest)).collect();
        transfer::push(
            &source,
            &plan,
            &to,
            registries,
            &transfer::Options::default(),
        )
        .await
    }

    async fn tag(&self, digest: &Digest, registries: &Client) -> Result<(), Error> {
        for name in &self.names {
            let failed = |source: registry::Error| Error::Tag {
                name: name.to_string(),
                source: Box::new(source),
            };
            let found = registries.manifest(&at(name, digest)).await;
            let found = found.map_err(failed)?;
            let kind = &found.descriptor.media_type;
            let put = registries.put_manifest(name, kind, found.bytes).await;
            put.map_err(failed)?;
        }
        Ok(())
    }
}
