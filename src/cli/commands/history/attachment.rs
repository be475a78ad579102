//! `solvekit history inspect attachment`: prints an attachment of a record, byte for byte.

use crate::cli::args::complete;
use crate::cli::report::usage::HistoryUsage;
use solvekit::client::BuildRecord;
use solvekit::oci::{Descriptor, Index, Manifest, media_type};

use super::{Daemon, Found, History};
use crate::cli::report::Failure;
use crate::cli::report::terminal::print_data;

/// The size limit of an attachment, in bytes.
const LIMIT: usize = 256 << 20;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AttachmentArgs {
    /// The build: its reference, or ^1 for the one before the newest [default: the newest build]
    #[arg(value_name = "REF")]
    build: Option<String>,

    /// The digest of the attachment, as history inspect prints it
    #[arg(value_name = "DIGEST")]
    digest: Option<String>,

    /// Select by type: provenance, sbom, index, manifest, image (its config), or a type that
    /// history inspect prints
    #[arg(id = "kind", long = "type", value_name = "TYPE")]
    kind: Option<String>,

    /// Select by platform
    #[arg(long, value_name = "PLATFORM", add = complete::platforms())]
    platform: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  solvekit history inspect attachment --type provenance
  solvekit history inspect attachment ^1 --type sbom --platform linux/arm64";

/// An attachment of a record.
pub(super) struct Attachment {
    pub(super) platform: String,
    pub(super) descriptor: Descriptor,
}

impl AttachmentArgs {
    /// Fails if no attachment is selected.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.digest.is_some() || self.kind.is_some() || self.platform.is_some() {
            true => Ok(()),
            false => Err(HistoryUsage::NothingChosen.into()),
        }
    }
}

impl Attachment {
    /// The predicate type of an attestation, or else the media type.
    pub(super) fn kind(&self) -> &str {
        let predicate = self.descriptor.annotations.get("in-toto.io/predicate-type");
        predicate.map_or(&*self.descriptor.media_type, String::as_str)
    }
}

pub(super) async fn cmd_attachment(
    args: &AttachmentArgs,
    history: &History<'_>,
) -> Result<(), Failure> {
    let Found { daemon, record } = history.build(args.build.as_deref()).await?;
    if let Some(digest) = &args.digest {
        return print_data(&daemon.client.read_blob(digest, LIMIT).await?);
    }
    let mut all = attested(&record);
    for (platform, descriptors) in &record.results {
        for descriptor in descriptors {
            all.extend(images(daemon, platform, descriptor).await?);
        }
    }
    let is_wanted = |one: &&Attachment| {
        args.platform
            .as_ref()
            .is_none_or(|platform| one.platform == *platform)
            && args
                .kind
                .as_ref()
                .is_none_or(|kind| is_of(kind, one.kind()))
    };
    let Some(wanted) = all.iter().find(is_wanted) else {
        let mut known = all
            .iter()
            .map(|one| format!("{} {}", one.kind(), one.platform));
        let known: Vec<String> = known.by_ref().map(|one| one.trim().to_owned()).collect();
        let build = record.build_ref;
        return Err(HistoryUsage::NoAttachment { build, known }.into());
    };
    let bytes = daemon
        .client
        .read_blob(wanted.descriptor.digest.as_str(), LIMIT)
        .await?;
    print_data(&bytes)
}

/// The attestations and images of a build that its daemon still has, in buildx's order: by
/// platform, then by type. Configs and the manifests of attestations are omitted.
pub(super) async fn listed(daemon: &Daemon<'_>, record: &BuildRecord) -> Vec<Attachment> {
    let mut all = attested(record);
    for (platform, descriptors) in &record.results {
        for descriptor in descriptors {
            let found = images(daemon, platform, descriptor).await;
            let shown = found
                .unwrap_or_default()
                .into_iter()
                .filter(|one| !of_attestations(&one.descriptor) && !is_of("image", one.kind()));
            all.extend(shown);
        }
    }
    all.sort_by(|a, b| (&a.platform, a.kind()).cmp(&(&b.platform, b.kind())));
    all
}

fn attested(record: &BuildRecord) -> Vec<Attachment> {
    let attestations = record.attestations.iter();
    let attested = attestations.flat_map(|(platform, descriptors)| {
        descriptors.iter().map(|descriptor| Attachment {
            platform: platform.clone(),
            descriptor: descriptor.clone(),
        })
    });
    attested.collect()
}

/// An image and its parts: the index, its manifests, their configs.
async fn images(
    daemon: &Daemon<'_>,
    platform: &str,
    root: &Descriptor,
) -> Result<Vec<Attachment>, Failure> {
    let mut found = Vec::new();
    let mut left = vec![(platform.to_owned(), root.clone())];
    while let Some((platform, descriptor)) = left.pop() {
        let is_manifest = matches!(
            &*descriptor.media_type,
            media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST
        );
        let is_index = media_type::is_index(&descriptor.media_type);
        if is_index || is_manifest {
            let bytes = daemon
                .client
                .read_blob(descriptor.digest.as_str(), LIMIT)
                .await?;
            let damaged =
                |error| Failure::new(format!("{} is damaged: {error}", descriptor.digest));
            if is_index {
                let index: Index = serde_json::from_slice(&bytes).map_err(damaged)?;
                left.extend(index.manifests.into_iter().rev().map(|one| {
                    let own = one
                        .platform
                        .as_ref()
                        .map(|platform| platform.normalized().format_all());
                    (own.unwrap_or_default(), one)
                }));
            } else if !of_attestations(&descriptor) {
                let manifest: Manifest = serde_json::from_slice(&bytes).map_err(damaged)?;
                left.push((platform.clone(), manifest.config));
            }
        }
        found.push(Attachment {
            platform,
            descriptor,
        });
    }
    Ok(found)
}

/// True for a manifest with the attestations of an image. Its config is empty.
fn of_attestations(descriptor: &Descriptor) -> bool {
    let kind = descriptor.annotations.get("vnd.docker.reference.type");
    kind.is_some_and(|kind| kind == "attestation-manifest")
}

/// True if `kind` has the wanted type. Short names cover several types.
fn is_of(wanted: &str, kind: &str) -> bool {
    match wanted {
        "provenance" => kind.starts_with("https://slsa.dev/provenance/"),
        "sbom" => kind == "https://spdx.dev/Document",
        "index" => media_type::is_index(kind),
        "manifest" => matches!(kind, media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST),
        "image" => matches!(
            kind,
            "application/vnd.oci.image.config.v1+json"
                | "application/vnd.docker.container.image.v1+json"
        ),
        exact => kind == exact,
    }
}

#[cfg(test)]
mod tests {
    use super::is_of;

    #[test]
    fn short_words_stand_for_types() {
        assert!(is_of("provenance", "https://slsa.dev/provenance/v0.2"));
        assert!(is_of("index", "application/vnd.oci.image.index.v1+json"));
        assert!(is_of("text/x", "text/x"));
        assert!(!is_of("sbom", "https://slsa.dev/provenance/v1"));
    }
}
