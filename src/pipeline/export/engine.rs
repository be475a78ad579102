//! Features that a Docker engine lacks while it uses Docker's older image store.

use crate::client::Client;
use crate::pipeline::request::output::is_by_digest;
use crate::pipeline::{BuildRequest, Error, Output, OutputKind};

/// A feature that a Docker engine lacks without containerd's image store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineLack {
    /// Exports of build caches.
    #[error("export caches")]
    CacheExport,
    /// Provenance and SBOMs.
    #[error("attach attestations to an image")]
    Attestations,
    /// Images of several platforms.
    #[error("build for several platforms")]
    SeveralPlatforms,
    /// Loading an image of several platforms into the engine.
    #[error("load an image of several platforms")]
    LoadOfSeveral,
    /// OCI archives.
    #[error("make OCI archives")]
    OciExporter,
    /// Archives for `docker load`.
    #[error("make archives for docker load")]
    DockerExporter,
    /// Pushes by digest: images without a tag.
    #[error("push an image by digest")]
    PushByDigest,
}

/// Rejects requests that the engine would fail at, usually after the build. Other daemons support
/// all features.
pub(in crate::pipeline) async fn check_engine(
    request: &BuildRequest,
    client: &Client,
) -> Result<(), Error> {
    let daemon = client.address().daemon();
    let Some(lack) = lack(request).filter(|_| daemon.keeps_images()) else {
        return Ok(());
    };
    match daemon.makes_indexes(&client.workers().await?) {
        true => Ok(()),
        false => Err(Error::EngineStore { lack }),
    }
}

/// The first requested feature that needs containerd's image store, in buildx's order.
fn lack(request: &BuildRequest) -> Option<EngineLack> {
    if request.cache_to.iter().any(|cache| cache.kind != "inline") {
        return Some(EngineLack::CacheExport);
    }
    if !request.attestations.is_empty() {
        return Some(EngineLack::Attestations);
    }
    let is_several = request.platforms.len() > 1;
    let lacks = |output: &Output| match (output.kind, &output.destination) {
        (OutputKind::Oci, _) => Some(EngineLack::OciExporter),
        (OutputKind::Docker, Some(_)) => Some(EngineLack::DockerExporter),
        (OutputKind::Docker, None) if is_several => Some(EngineLack::LoadOfSeveral),
        (OutputKind::Image, _) if output.pushes() && is_by_digest(&output.attributes) => {
            Some(EngineLack::PushByDigest)
        }
        _ => None,
    };
    let platforms = is_several.then_some(EngineLack::SeveralPlatforms);
    // Defaults are not checked: nobody requested them.
    request.outputs.iter().find_map(lacks).or(platforms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::CacheEntry;
    use crate::oci::Platform;
    use crate::pipeline::{Attestations, MainContext};

    fn lacking(change: impl FnOnce(&mut BuildRequest), output: &str) -> Option<EngineLack> {
        let mut request = BuildRequest::new(MainContext::Directory(".".into()));
        change(&mut request);
        if !output.is_empty() {
            request.outputs = vec![output.parse().unwrap()];
        }
        lack(&request)
    }

    fn several(request: &mut BuildRequest) {
        let platforms = ["linux/amd64", "linux/arm64"].map(Platform::parse);
        request.platforms = platforms.into_iter().collect::<Result<_, _>>().unwrap();
    }

    fn cache(kind: &str) -> impl FnOnce(&mut BuildRequest) {
        move |request| {
            request.cache_to = vec![CacheEntry {
                kind: kind.to_owned(),
                attrs: Default::default(),
            }];
        }
    }

    #[test]
    fn what_needs_containerd_s_image_store_is_known() {
        let nothing = |_: &mut BuildRequest| {};
        assert_eq!(lacking(nothing, ""), None);
        assert_eq!(lacking(nothing, "type=image,name=a,push=true"), None);
        assert_eq!(lacking(nothing, "type=docker"), None);
        assert_eq!(lacking(cache("inline"), ""), None);
        assert_eq!(lacking(cache("local"), ""), Some(EngineLack::CacheExport));
        assert_eq!(
            lacking(nothing, "type=oci,dest=a"),
            Some(EngineLack::OciExporter)
        );
        assert_eq!(
            lacking(nothing, "type=docker,dest=a"),
            Some(EngineLack::DockerExporter)
        );
        assert_eq!(
            lacking(nothing, "type=image,name=a,push=true,push-by-digest=true"),
            Some(EngineLack::PushByDigest)
        );
        assert_eq!(lacking(several, ""), Some(EngineLack::SeveralPlatforms));
        assert_eq!(
            lacking(several, "type=docker"),
            Some(EngineLack::LoadOfSeveral)
        );
        // The engine omits the default attestations.
        let by_default = |request: &mut BuildRequest| {
            request.attestations = Attestations::default().or_default();
        };
        assert_eq!(lacking(by_default, ""), None);
        let asked = |request: &mut BuildRequest| {
            request.attestations = Attestations::parse(&[], Some("true"), None).unwrap();
        };
        assert_eq!(lacking(asked, ""), Some(EngineLack::Attestations));
    }
}
