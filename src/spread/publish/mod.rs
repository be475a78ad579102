//! Publishing: the image is in its registries by digest, then it is signed, and only then do tags
//! point to it. Its content is pushed by the daemon, or goes over this machine.

use std::sync::Arc;

use super::index;
use super::run::progress;
use super::{Built, Error, Nodes, Plan};
use crate::layout::Layout;
use crate::oci::{Descriptor, Digest, Index, Reference, media_type};
use crate::pipeline::{
    self, BuildRequest, Destination, Environment, Output, OutputKind, Prepared, TemporaryFolder,
    is_by_digest,
};
use crate::progress::Writer;
use crate::registry::{self, Client};
use crate::session::Elsewhere;
use crate::sign::{self, Signer};
use crate::steps::{Step, Steps as _};
use crate::transfer::{self, Place, Source};

/// Attributes of a push that an exporter of layouts does not have.
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
/// Smaller blobs are taken from the daemon without asking if the registry has them: manifests are
/// among them, which are needed here.
const SMALL: u64 = 64 << 10;

/// How images get to their registries.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Publish {
    /// Who pushes.
    pub from: PushFrom,
    /// Who signs an image before its tags point to it.
    pub signer: Option<Signer>,
}

/// Who pushes an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PushFrom {
    /// The daemon that built it.
    #[default]
    Daemon,
    /// This process: what the registry lacks comes from the daemon over a temporary folder.
    Client,
}

impl Nodes {
    /// As [`Nodes::build`], with more to say about the push. An image is pushed by digest first, to
    /// all of its repositories, then signed, then tagged.
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
        tokio::select! {
            published = publication.finish(built, registries, &environment) => published,
            () = environment.cancelled.cancelled() => {
                Err(Error::Build(pipeline::Error::Interrupted))
            }
        }
    }
}

/// The push of one image.
struct Publication {
    /// The output's place in the request.
    output: usize,
    names: Vec<Reference>,
    /// The first name of each repository.
    repositories: Vec<Reference>,
    by_digest: bool,
    /// Where its content is on the way, if this process pushes it.
    folder: Option<TemporaryFolder>,
    signer: Option<Signer>,
}

impl Publication {
    /// `None` if nothing is pushed, or the daemon does all of it.
    fn of(request: &BuildRequest, publish: &Publish) -> Result<Option<Self>, Error> {
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

    /// The request without tags, or with a layout in place of the push.
    fn request(&self, request: &BuildRequest) -> BuildRequest {
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

    /// Knows the blobs that the daemon need not send.
    fn elsewhere(&self, registries: &Client) -> Option<Arc<dyn Elsewhere>> {
        self.folder.as_ref()?;
        Some(Arc::new(InRegistry {
            client: registries.clone(),
            repository: self.repositories.first()?.clone(),
        }))
    }

    /// Pushes what is here, signs, tags. Returns the result with the names that it has now.
    async fn finish(
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

    /// Signs the images of an index, then the index, in every repository.
    async fn sign(
        &self,
        signer: &Signer,
        digest: &Digest,
        registries: &Client,
        progress: &Writer,
    ) -> Result<(), Error> {
        for repository in &self.repositories {
            let root = at(repository, digest);
            let step = progress.begin(format!("signing {root}"));
            let signed = sign_all(signer, repository, &root, registries, &*step).await;
            let error = signed
                .as_ref()
                .err()
                .map(|error| crate::causes::in_one_line(error));
            step.end(error);
            signed.map_err(|source| Error::Sign {
                image: root.to_string(),
                source: Box::new(source),
            })?;
        }
        Ok(())
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

async fn sign_all(
    signer: &Signer,
    repository: &Reference,
    root: &Reference,
    registries: &Client,
    step: &dyn Step,
) -> Result<(), sign::Error> {
    let found = registries.manifest(root).await;
    let found = found.map_err(|source| sign::Error::Read {
        image: root.to_string(),
        source: Box::new(source),
    })?;
    for digest in signed_with(&found.descriptor, &found.bytes) {
        step.log(at(repository, &digest).to_string());
        signer.sign(registries, repository, &digest, step).await?;
    }
    Ok(())
}

/// A manifest in the repository of a name.
fn at(name: &Reference, digest: &Digest) -> Reference {
    name.without_tag().with_digest(digest.clone())
}

fn joined(names: &[Reference]) -> String {
    let names: Vec<String> = names.iter().map(Reference::to_string).collect();
    names.join(",")
}

/// What is signed of an image: the images of its index, and itself last. Attestations are not
/// signed on their own.
fn signed_with(root: &Descriptor, bytes: &[u8]) -> Vec<Digest> {
    let mut digests = Vec::new();
    if media_type::is_index(&root.media_type) {
        let index = serde_json::from_slice::<Index>(bytes).ok();
        let entries = index.into_iter().flat_map(|index| index.manifests);
        let images = entries.filter(|entry| {
            let platform = entry.platform.as_ref();
            platform.is_none_or(|platform| platform.os != "unknown")
        });
        digests.extend(images.map(|entry| entry.digest));
    }
    digests.retain(|digest| *digest != root.digest);
    digests.push(root.digest.clone());
    digests
}

/// Blobs that the image's first repository has.
#[derive(Debug)]
struct InRegistry {
    client: Client,
    repository: Reference,
}

#[tonic::async_trait]
impl Elsewhere for InRegistry {
    async fn has(&self, digest: &Digest, size: u64) -> bool {
        // The push reports a registry that does not answer.
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
            signer: Some(Signer::Command(sign::SignCommand::cosign())),
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
