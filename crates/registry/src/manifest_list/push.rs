//! Pushes a list to a registry, after its manifests.

use bytes::Bytes;

use super::list::list_json;
use super::{Entry, Error};
use crate::imagetools;
use crate::oci::{Digest, Reference};
use crate::registry::{self, Client};
use crate::steps::{Steps, end_with};

/// Pushes a list of these manifests. Manifests of other repositories are copied first, even from
/// other registries, which docker refuses; those of the same repository must exist. Returns the
/// list's digest, and the copied manifests.
///
/// # Errors
/// [`Error::NoPlatform`] for a manifest without platform; [`Error::Gone`] for one that no longer
/// exists; [`registry::Error::DigestMismatch`] if a file of the list has other bytes than it
/// claims; others if a registry refuses.
pub async fn push(
    client: &Client,
    list: &Reference,
    entries: &[Entry],
    steps: &dyn Steps,
) -> Result<(Digest, Vec<Reference>), Error> {
    for entry in entries {
        check(client, list, entry).await?;
    }
    let (foreign, _): (Vec<&Entry>, Vec<&Entry>) = entries
        .iter()
        .partition(|entry| entry.reference.name() != list.name());
    if !foreign.is_empty() {
        let manifests: Vec<_> = foreign
            .iter()
            .map(|entry| (entry.descriptor.clone(), entry.reference.clone().into()))
            .collect();
        let step = steps.begin(format!("[internal] copying to {}", list.name()));
        let copied = imagetools::copy(client, &manifests, &list.clone().into(), &*step).await;
        end_with(step, &copied);
        copied?;
    }
    let (kind, text) = list_json(entries.iter().map(|entry| &entry.descriptor));
    let digest = client.put_manifest(list, kind, Bytes::from(text)).await?;
    let copied = foreign
        .iter()
        .map(|entry| {
            list.without_tag()
                .with_digest(entry.descriptor.digest.clone())
        })
        .collect();
    Ok((digest, copied))
}

/// Checks an entry against the registry before the list is visible.
async fn check(client: &Client, list: &Reference, entry: &Entry) -> Result<(), Error> {
    let descriptor = &entry.descriptor;
    let known = descriptor
        .platform
        .as_ref()
        .is_some_and(|platform| !platform.os.is_empty() && !platform.architecture.is_empty());
    if !known {
        return Err(Error::NoPlatform {
            manifest: entry.reference.clone(),
        });
    }
    // An old docker's files do not contain the manifest's own bytes.
    if entry.raw.len() as u64 == descriptor.size {
        registry::check(&entry.reference.to_string(), &descriptor.digest, &entry.raw)?;
    }
    if entry.reference.name() == list.name()
        && !client.has_manifest(list, &descriptor.digest).await?
    {
        return Err(Error::Gone {
            manifest: list.without_tag().with_digest(descriptor.digest.clone()),
        });
    }
    Ok(())
}
