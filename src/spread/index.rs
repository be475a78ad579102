//! The index of all parts: built from the manifests that the nodes pushed by digest, and pushed
//! last, under its names.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::Error;
use crate::imagetools::{
    Annotation, CreateRequest, Created, Given, Location, Place, Source, create,
};
use crate::oci::{Descriptor, Digest, Reference};
use crate::pipeline::{BuildRequest, Output, is_by_digest};
use crate::progress::Writer;
use crate::registry::Client;

/// Returns the descriptor of a node's push, from its exporters' response.
pub(super) fn descriptor(response: &BTreeMap<String, String>) -> Option<Given> {
    let encoded = response.get("containerimage.descriptor");
    let encoded = encoded.and_then(|text| BASE64.decode(text).ok());
    if let Some(given) = encoded.and_then(|text| serde_json::from_slice(&text).ok()) {
        return Some(given);
    }
    // Daemons before 0.9 send only the digest.
    let digest = Digest::parse(response.get("containerimage.digest")?).ok()?;
    Some(Given {
        media_type: String::new(),
        digest,
        size: 0,
        artifact_type: String::new(),
        annotations: BTreeMap::new(),
        platform: None,
    })
}

/// Creates the index and pushes it under its names, once all its manifests are in the repository.
/// Returns what an exporter would respond.
pub(super) async fn push(
    client: &Client,
    request: &BuildRequest,
    output: &Output,
    parts: Vec<Given>,
    progress: &Writer,
) -> Result<BTreeMap<String, String>, Error> {
    let names = request.names(output);
    let mut repositories: BTreeMap<String, Vec<Reference>> = BTreeMap::new();
    for name in &names {
        repositories
            .entry(name.name())
            .or_default()
            .push(name.clone());
    }
    let shown: Vec<String> = names.iter().map(ToString::to_string).collect();
    let step = format!(
        "[internal] putting the parts of {} together",
        shown.join(", ")
    );
    let made = progress.track(step, make(client, request, output, &parts, repositories));
    let made = made.await.map_err(failed)?;
    let mut pushed = None;
    for (created, tags) in &made {
        match is_by_digest(&output.attributes) {
            false => created.push(progress).await.map_err(failed)?,
            true => push_by_digest(client, created, tags)
                .await
                .map_err(failed)?,
        }
        pushed.get_or_insert_with(|| created.descriptor().clone());
    }
    let Some(mut descriptor) = pushed else {
        return Ok(BTreeMap::new());
    };
    for created in made.iter().map(|(created, _)| created) {
        if created.is_unannotated() {
            progress.note(
                "WARNING: the index has no annotations: the manifests are of Docker's types \
                 (oci-mediatypes=false), which have none",
            );
            break;
        }
    }
    descriptor
        .annotations
        .extend(of_place(request, output, "annotation-index-descriptor."));
    Ok(answer(&descriptor, &shown))
}

async fn make(
    client: &Client,
    request: &BuildRequest,
    output: &Output,
    parts: &[Given],
    repositories: BTreeMap<String, Vec<Reference>>,
) -> Result<Vec<(Created, Vec<Reference>)>, crate::imagetools::Error> {
    let annotations = annotations(request, output);
    let mut made = Vec::new();
    for tags in repositories.into_values() {
        let sources = parts.iter().cloned();
        let wanted = CreateRequest {
            sources: sources
                .map(|part| Source::Descriptor(Box::new(part)))
                .collect(),
            tags: tags.iter().cloned().map(Location::from).collect(),
            annotations: annotations.clone(),
            prefer_index: true,
            ..CreateRequest::default()
        };
        made.push((create(client, wanted).await?, tags));
    }
    Ok(made)
}

async fn push_by_digest(
    client: &Client,
    created: &Created,
    tags: &[Reference],
) -> Result<(), crate::imagetools::Error> {
    let Descriptor {
        media_type, digest, ..
    } = created.descriptor();
    if let Some(repository) = tags.first() {
        let name = repository.without_tag().with_digest(digest.clone());
        client
            .put_manifest(&name, media_type, created.bytes().clone())
            .await?;
    }
    Ok(())
}

/// Returns the annotations of the index itself.
pub(super) fn annotations(request: &BuildRequest, output: &Output) -> Vec<Annotation> {
    of_place(request, output, "annotation-index.")
        .map(|(key, value)| Annotation {
            place: Place::Index,
            key,
            value,
        })
        .collect()
}

/// Returns the annotations of a place. The nodes have set those of manifests and their descriptors.
pub(super) fn of_place<'a>(
    request: &'a BuildRequest,
    output: &'a Output,
    prefix: &'a str,
) -> impl Iterator<Item = (String, String)> + 'a {
    let all = output.attributes.iter().chain(&request.annotations);
    all.filter_map(move |(name, value)| {
        let key = name.strip_prefix(prefix)?;
        Some((key.to_owned(), value.clone()))
    })
}

pub(super) fn answer(descriptor: &Descriptor, names: &[String]) -> BTreeMap<String, String> {
    // A descriptor is plain data, so serializing it cannot fail.
    let json = serde_json::to_vec(descriptor).unwrap_or_default();
    BTreeMap::from([
        (
            "containerimage.digest".to_owned(),
            descriptor.digest.to_string(),
        ),
        ("containerimage.descriptor".to_owned(), BASE64.encode(json)),
        ("image.name".to_owned(), names.join(",")),
    ])
}

fn failed(source: crate::imagetools::Error) -> Error {
    Error::Index {
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_pushed_is_read_from_its_answer() {
        let digest = Digest::sha256(b"x");
        let json = format!(r#"{{"mediaType":"a/b","digest":"{digest}","size":7}}"#);
        let encoded = BTreeMap::from([
            ("containerimage.descriptor".to_owned(), BASE64.encode(json)),
            ("containerimage.digest".to_owned(), "other".to_owned()),
        ]);
        let given = descriptor(&encoded).unwrap();
        assert_eq!((given.digest, given.size), (digest.clone(), 7));
        let old = BTreeMap::from([("containerimage.digest".to_owned(), digest.to_string())]);
        assert_eq!(descriptor(&old).unwrap().digest, digest);
        assert!(descriptor(&BTreeMap::new()).is_none());
    }

    #[test]
    fn annotations_of_the_index_are_found_in_flags_and_outputs() {
        let mut request = BuildRequest::new(".");
        let flags = ["index:a=1", "manifest:b=2", "index-descriptor:c=3"].map(str::to_owned);
        request.annotations = crate::pipeline::parse_annotations(&flags).unwrap();
        let output: Output = "type=image,annotation-index.d=4".parse().unwrap();
        let of = |prefix: &str| of_place(&request, &output, prefix).collect::<Vec<_>>();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(of("annotation-index."), [pair("d", "4"), pair("a", "1")]);
        assert_eq!(of("annotation-index-descriptor."), [pair("c", "3")]);
    }
}
