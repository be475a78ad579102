//! Pushes images to registries: blobs first, then manifests, the names last.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::Error;
use super::event::{Event, How, Options};
use super::plan::Plan;
use super::source::Source;
use crate::oci::{Descriptor, Reference, media_type};
use crate::registry::{BlobSource, Client, Progress, Pushed};

/// Pushes an image to registries under these names. Existing blobs are not sent; blobs of another
/// repository of the same registry are mounted. A name is written last, so it never points to an
/// incomplete image.
///
/// # Errors
/// [`Error::Incomplete`] if the source lacks a blob, before anything is sent; [`Error::Registry`].
pub async fn push(
    source: &Source,
    plan: &Plan,
    names: &[Reference],
    client: &Client,
    options: &Options,
) -> Result<(), Error> {
    plan.check(source)?;
    let repositories = by_repository(names);
    for (place, names) in repositories.iter().enumerate() {
        let earlier = repositories[..place]
            .iter()
            .map(|names| names[0])
            .find(|earlier| earlier.domain() == names[0].domain());
        let pushing = Pushing {
            source,
            plan,
            to: names[0],
            earlier,
            client,
            options,
        };
        pushing.blobs().await?;
        pushing.manifests().await?;
        pushing.names(names).await?;
    }
    Ok(())
}

/// Groups the names by repository, in the order of first appearance.
fn by_repository(names: &[Reference]) -> Vec<Vec<&Reference>> {
    let mut repositories: Vec<Vec<&Reference>> = Vec::new();
    for name in names {
        let known = repositories
            .iter_mut()
            .find(|known| known[0].name() == name.name());
        match known {
            Some(known) => known.push(name),
            None => repositories.push(vec![name]),
        }
    }
    repositories
}

/// A push to one repository.
struct Pushing<'a> {
    source: &'a Source,
    plan: &'a Plan,
    to: &'a Reference,
    /// Another repository of the same registry that is already complete.
    earlier: Option<&'a Reference>,
    client: &'a Client,
    options: &'a Options,
}

impl Pushing<'_> {
    // The streams below are boxed: otherwise rustc cannot infer that the caller's future is `Send`.

    async fn blobs(&self) -> Result<(), Error> {
        let pushes = stream::iter(&self.plan.blobs).map(|blob| self.blob(blob));
        let pushes = pushes.buffer_unordered(self.options.jobs()).boxed();
        pushes.try_collect().await
    }

    async fn blob(&self, blob: &Descriptor) -> Result<(), Error> {
        let source = match self.earlier {
            Some(earlier) => BlobSource::Repository(Box::new(self.client.clone()), earlier.clone()),
            None => self.source.blob(blob)?,
        };
        let (options, digest) = (self.options.clone(), blob.digest.clone());
        let progress = Progress::new(move |bytes| {
            let digest = digest.clone();
            options.tell(&Event::Progress { digest, bytes });
        });
        let pushed = self
            .client
            .push_blob(self.to, blob, &source, Some(&progress));
        let how = match pushed.await? {
            Pushed::Existed => How::Existed,
            Pushed::Mounted => How::Mounted,
            Pushed::Sent => How::Copied,
        };
        let descriptor = blob.clone();
        self.options.tell(&Event::Blob { descriptor, how });
        Ok(())
    }

    /// Pushes all manifests but the root by digest; each index follows its manifests.
    async fn manifests(&self) -> Result<(), Error> {
        let root = &self.plan.root().digest;
        let below = self.plan.manifests.iter();
        let (indexes, images): (Vec<_>, Vec<_>) = below
            .filter(|(descriptor, _)| descriptor.digest != *root)
            .partition(|(descriptor, _)| media_type::is_index(&descriptor.media_type));
        let images = stream::iter(images).map(|manifest| self.manifest(manifest));
        let images = images.buffer_unordered(self.options.jobs()).boxed();
        images.try_collect::<()>().await?;
        for index in indexes {
            self.manifest(index).await?;
        }
        Ok(())
    }

    async fn manifest(
        &self,
        (descriptor, bytes): &(Descriptor, bytes::Bytes),
    ) -> Result<(), Error> {
        let name = self.to.clone().repository();
        let name = name.with_digest(descriptor.digest.clone());
        let kind = &descriptor.media_type;
        self.client.put_manifest(&name, kind, bytes.clone()).await?;
        self.options.tell(&Event::Manifest {
            descriptor: descriptor.clone(),
            name: None,
        });
        Ok(())
    }

    async fn names(&self, names: &[&Reference]) -> Result<(), Error> {
        let Some((root, bytes)) = self.plan.manifests.last() else {
            return Ok(());
        };
        for name in names {
            let kind = &root.media_type;
            self.client.put_manifest(name, kind, bytes.clone()).await?;
            self.options.tell(&Event::Manifest {
                descriptor: root.clone(),
                name: Some((*name).clone()),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_repository_are_pushed_together() {
        let names = ["r.example/a:1", "r.example/b:1", "r.example/a:2"]
            .map(|name| Reference::parse(name).unwrap());
        let grouped = by_repository(&names);
        assert_eq!(grouped.len(), 2);
        assert_eq!(grouped[0], [&names[0], &names[2]]);
    }
}
