//! The push of an image, and the changes that it makes to the build request.

use std::sync::Arc;

use super::super::Error;
use super::{Publish, PushFrom, joined};
use crate::oci::{Digest, Reference};
use crate::pipeline::{
    self, BuildRequest, Destination, Output, OutputKind, TemporaryFolder, is_by_digest,
};
use crate::registry::Client;
use crate::session::Elsewhere;
use crate::sign::Signer;

/// The attributes of a push that the exporter of layouts does not support.
const OF_PUSH: [&str; 8] = [
    "push",
    "push-by-digest",
    "store",
    "unpack",
    "registry.insecure",
    "name-canonical",
    "dangling-name-prefix",
    "danging-name-empty-only",
];
/// Smaller blobs are always fetched from the daemon, without a check in the registry. They include
/// manifests, which this client needs.
const SMALL: u64 = 64 << 10;

/// The push of one image.
pub(super) struct Publication {
    /// The index of the output in the request.
    pub(super) output: usize,
    pub(super) names: Vec<Reference>,
    /// The first name of each repository.
    pub(super) repositories: Vec<Reference>,
    pub(super) by_digest: bool,
    /// The temporary folder for its content, if this client pushes it.
    pub(super) folder: Option<TemporaryFolder>,
    pub(super) signer: Option<Signer>,
}

impl Publication {
    /// `None` if nothing is pushed, or if the daemon can do everything.
    pub(super) fn of(request: &BuildRequest, publish: &Publish) -> Result<Option<Self>, Error> {
        let from_here = publish.from == PushFrom::Client;
        let outputs = request.outputs.iter().enumerate();
        let mut pushing = outputs.filter(|(_, output)| output.pushes());
        let is_more = from_here || publish.signer.is_some();
        let Some((place, output)) = pushing.next().filter(|_| is_more) else {
            return Ok(None);
        };
        if pushing.next().is_some() {
            return Err(Error::SeveralPushes);
        }
        if from_here && request.outputs.iter().any(Output::is_layout) {
            return Err(Error::Build(pipeline::Error::SeveralLayouts));
        }
        let names = request.names(output);
        if names.is_empty() {
            return Err(Error::Build(pipeline::Error::PushWithoutName));
        }
        let mut repositories: Vec<Reference> = Vec::new();
        for name in &names {
            if !repositories.iter().any(|known| known.name() == name.name()) {
                repositories.push(name.clone());
            }
        }
        let folder = from_here.then(|| TemporaryFolder::new(&request.folders));
        Ok(Some(Self {
            output: place,
            names,
            repositories,
            by_digest: is_by_digest(&output.attributes),
            folder: folder.transpose()?,
            signer: publish.signer.clone(),
        }))
    }

    /// The request without tags, or with a layout instead of the push.
    pub(super) fn request(&self, request: &BuildRequest) -> BuildRequest {
        let mut request = request.clone();
        let Some(output) = request.outputs.get_mut(self.output) else {
            return request;
        };
        let attributes = &mut output.attributes;
        let (names, mut others) = match &self.folder {
            None => {
                let names: Vec<String> = self.repositories.iter().map(Reference::name).collect();
                // An engine would keep an image without a name.
                (
                    names.join(","),
                    vec![("push-by-digest", "true"), ("store", "false")],
                )
            }
            Some(folder) => {
                attributes.retain(|key, _| !OF_PUSH.contains(&key.as_str()));
                output.kind = OutputKind::Oci;
                output.destination = Some(Destination::Path(folder.path().to_owned()));
                (joined(&self.names), vec![("tar", "false")])
            }
        };
        others.push(("name", names.as_str()));
        let others = others.into_iter();
        attributes.extend(others.map(|(key, value)| (key.to_owned(), value.to_owned())));
        request
    }

    /// Finds the blobs that the daemon need not send.
    pub(super) fn elsewhere(&self, registries: &Client) -> Option<Arc<dyn Elsewhere>> {
        self.folder.as_ref()?;
        Some(Arc::new(InRegistry {
            client: registries.clone(),
            repository: self.repositories.first()?.clone(),
        }))
    }
}

/// The blobs in the image's first repository.
#[derive(Debug)]
struct InRegistry {
    client: Client,
    repository: Reference,
}

#[tonic::async_trait]
impl Elsewhere for InRegistry {
    async fn has(&self, digest: &Digest, size: u64) -> bool {
        // If the registry does not answer, the push reports it.
        size >= SMALL
            && matches!(
                self.client.has_blob(&self.repository, digest).await,
                Ok(true)
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Folders;
    use crate::sign::SignCommand;

    fn request(outputs: &[&str]) -> BuildRequest {
        let mut request = BuildRequest::new(".");
        let tags = ["a.test/x:1", "a.test/x:2", "b.test/y:1"].iter();
        request.tags = tags.map(|tag| Reference::parse(tag).unwrap()).collect();
        request.outputs = outputs.iter().map(|text| text.parse().unwrap()).collect();
        request.folders = Folders::from_environment();
        request
    }

    fn from_client() -> Publish {
        Publish {
            from: PushFrom::Client,
            signer: None,
        }
    }

    fn signed() -> Publish {
        Publish {
            from: PushFrom::Daemon,
            signer: Some(Signer::Command(SignCommand::cosign())),
        }
    }

    #[test]
    fn a_signed_image_is_pushed_without_tags_to_each_repository_once() {
        let request = request(&["type=registry,compression=zstd"]);
        let publication = Publication::of(&request, &signed()).unwrap().unwrap();
        let output = publication.request(&request).outputs.remove(0);
        assert_eq!(output.attributes["name"], "a.test/x,b.test/y");
        assert_eq!(output.attributes["push-by-digest"], "true");
        assert_eq!(output.attributes["compression"], "zstd");
    }

    #[test]
    fn an_image_that_this_side_pushes_is_exported_to_a_folder() {
        let request = request(&["type=image,push=true,registry.insecure=true,compression=zstd"]);
        let publication = Publication::of(&request, &from_client()).unwrap().unwrap();
        let output = publication.request(&request).outputs.remove(0);
        assert!(output.is_layout());
        assert!(!output.attributes.contains_key("registry.insecure"));
        assert!(!output.attributes.contains_key("push"));
        assert_eq!(output.attributes["compression"], "zstd");
    }

    #[test]
    fn what_is_not_pushed_or_not_changed_is_built_as_ever() {
        let local = request(&["type=local,dest=x"]);
        assert!(Publication::of(&local, &signed()).unwrap().is_none());
        let pushed = request(&["type=registry"]);
        let plain = Publication::of(&pushed, &Publish::default());
        assert!(plain.unwrap().is_none());
        let twice = request(&["type=registry", "type=registry,compression=zstd"]);
        let twice = Publication::of(&twice, &signed());
        assert!(matches!(twice, Err(Error::SeveralPushes)));
    }
}
