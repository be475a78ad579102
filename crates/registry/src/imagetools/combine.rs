//! Combines parts into one index, without I/O: its descriptors, type and bytes.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::annotation::{Annotation, Place};
use super::load::{parse, too_much};
use super::{Error, Location, shape};
use crate::oci::{Descriptor, Digest, Index, Platform, media_type};
use crate::template::Json;
use crate::walk::Walk;

/// The annotations by which an attestation names its subject.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";
const ATTESTATION: &str = "attestation-manifest";

/// A fetched part.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Its location, by digest.
    pub(super) from: Location,
    pub(super) descriptor: Descriptor,
    pub(super) bytes: Bytes,
}

/// The result of combining.
#[derive(Debug)]
pub(super) struct Combined {
    pub(super) descriptor: Descriptor,
    pub(super) bytes: Bytes,
    /// The manifests that it needs, each with its location.
    pub(super) manifests: Vec<(Descriptor, Location)>,
    /// True if there were annotations that could not be set.
    pub(super) unannotated: bool,
}

/// Returns one index of all parts, or the only part unchanged.
pub(super) fn combine(
    parts: &[Part],
    annotations: &[Annotation],
    prefer_index: bool,
) -> Result<Combined, Error> {
    if let ([only], []) = (parts, annotations)
        && (media_type::is_index(&only.descriptor.media_type) || !prefer_index)
    {
        return copy_of(only);
    }
    let mut entries = Entries::default();
    for part in parts {
        match media_type::is_index(&part.descriptor.media_type) {
            true => {
                let index: Index = parse(&part.from, "index", &part.bytes)?;
                for entry in index.manifests {
                    entries.add(entry, &part.from)?;
                }
            }
            false => entries.add(part.descriptor.clone(), &part.from)?,
        }
    }
    let docker =
        |entry: &(Descriptor, Location)| entry.0.media_type.starts_with("application/vnd.docker.");
    let kind = match entries.all.iter().all(docker) {
        true => media_type::DOCKER_MANIFEST_LIST,
        false => media_type::OCI_INDEX,
    };
    let mut index = empty(kind);
    // Docker's manifest lists have no annotations.
    let annotated = kind == media_type::OCI_INDEX;
    if annotated {
        annotate(&mut index, &mut entries.all, annotations);
    }
    index.manifests = entries.all.iter().map(|(entry, _)| entry.clone()).collect();
    let bytes = to_json(&index);
    Ok(Combined {
        descriptor: Descriptor::of(kind, &bytes),
        bytes,
        manifests: entries.all,
        unannotated: !annotated && !annotations.is_empty(),
    })
}

/// Descriptors, each digest once; a later duplicate adds its fields.
#[derive(Default)]
struct Entries {
    all: Vec<(Descriptor, Location)>,
    places: HashMap<Digest, usize>,
    walk: Walk,
}

impl Entries {
    fn add(&mut self, entry: Descriptor, from: &Location) -> Result<(), Error> {
        let Some(&at) = self.places.get(&entry.digest) else {
            self.places.insert(entry.digest.clone(), self.all.len());
            self.walk
                .is_new(&entry.digest)
                .map_err(|source| too_much(from, source))?;
            self.all.push((entry, from.clone()));
            return Ok(());
        };
        let (known, known_from) = &mut self.all[at];
        if known.media_type.is_empty() {
            known.media_type = entry.media_type;
        }
        if entry.platform.is_some() {
            known.platform = entry.platform;
        }
        known.annotations.extend(entry.annotations);
        known_from.clone_from(from);
        Ok(())
    }
}

fn copy_of(only: &Part) -> Result<Combined, Error> {
    let manifests = match media_type::is_index(&only.descriptor.media_type) {
        true => {
            let index: Index = parse(&only.from, "index", &only.bytes)?;
            let mut walk = Walk::default();
            for entry in &index.manifests {
                walk.is_new(&entry.digest)
                    .map_err(|source| too_much(&only.from, source))?;
            }
            let entries = index.manifests.into_iter();
            entries.map(|entry| (entry, only.from.clone())).collect()
        }
        false => vec![(only.descriptor.clone(), only.from.clone())],
    };
    Ok(Combined {
        descriptor: only.descriptor.clone(),
        bytes: only.bytes.clone(),
        manifests,
        unannotated: false,
    })
}

fn empty(kind: &str) -> Index {
    Index {
        schema_version: 2,
        media_type: kind.to_owned(),
        artifact_type: String::new(),
        manifests: Vec::new(),
        subject: None,
        annotations: Default::default(),
    }
}

fn annotate(index: &mut Index, entries: &mut [(Descriptor, Location)], annotations: &[Annotation]) {
    for annotation in annotations {
        let pair = || (annotation.key.clone(), annotation.value.clone());
        match &annotation.place {
            Place::Index => index.annotations.extend([pair()]),
            Place::ManifestDescriptor(None) => {
                for (entry, _) in entries.iter_mut() {
                    entry.annotations.extend([pair()]);
                }
            }
            Place::ManifestDescriptor(Some(wanted)) => {
                let wanted = wanted.normalized().to_string();
                for (entry, _) in entries.iter_mut() {
                    let platform = entry.platform.as_ref().map(Platform::normalized);
                    if platform.is_some_and(|platform| platform.to_string() == wanted) {
                        entry.annotations.extend([pair()]);
                    }
                }
            }
        }
    }
}

/// Serializes the index like buildx.
fn to_json(index: &Index) -> Bytes {
    Bytes::from(shape::index(index).to_json(Json::Indented))
}

impl Combined {
    /// Keeps only these platforms with their attestations; an empty list keeps all.
    pub(super) fn filtered(mut self, platforms: &[Platform]) -> Result<Self, Error> {
        if platforms.is_empty() {
            return Ok(self);
        }
        let wanted = |entry: &Descriptor| {
            let platform = entry.platform.as_ref();
            platform.is_none_or(|platform| platforms.iter().any(|wanted| matches(wanted, platform)))
        };
        let about: HashMap<&Digest, bool> = self
            .manifests
            .iter()
            .map(|(entry, _)| (&entry.digest, wanted(entry)))
            .collect();
        let stays = |entry: &Descriptor| match subject(entry) {
            Some(subject) => about.get(&subject).copied().unwrap_or(false) || wanted(entry),
            None => wanted(entry),
        };
        let kept: Vec<_> = self
            .manifests
            .iter()
            .filter(|(entry, _)| stays(entry))
            .cloned()
            .collect();
        if kept.is_empty() {
            let offered = self
                .manifests
                .iter()
                .filter_map(|(entry, _)| entry.platform.as_ref());
            let offered = offered.filter(|platform| platform.os != "unknown");
            return Err(Error::NoPlatform {
                wanted: platforms.iter().map(ToString::to_string).collect(),
                available: offered.map(ToString::to_string).collect(),
            });
        }
        if kept.len() < self.manifests.len() {
            self.replace(kept)?;
        }
        Ok(self)
    }

    /// True for an index.
    pub(super) fn is_index(&self) -> bool {
        media_type::is_index(&self.descriptor.media_type)
    }

    /// Returns the manifests without an attestation in the index; attestations themselves are
    /// skipped.
    pub(super) fn unattested(&self) -> Vec<(Digest, Location)> {
        let attested: HashSet<Digest> = self
            .manifests
            .iter()
            .filter_map(|(entry, _)| subject(entry))
            .collect();
        let bare = self
            .manifests
            .iter()
            .filter(|(entry, _)| subject(entry).is_none() && !attested.contains(&entry.digest));
        bare.map(|(entry, from)| (entry.digest.clone(), from.clone()))
            .collect()
    }

    /// Appends these attestations, each for the manifest with this digest.
    pub(super) fn with_attestations(
        mut self,
        found: Vec<(Digest, Descriptor, Location)>,
    ) -> Result<Self, Error> {
        let mut entries = self.manifests.clone();
        let mut known: HashSet<Digest> = entries
            .iter()
            .map(|(entry, _)| entry.digest.clone())
            .collect();
        for (subject, mut entry, from) in found {
            if !known.insert(entry.digest.clone()) {
                continue;
            }
            entry.platform = Some(Platform {
                os: "unknown".to_owned(),
                architecture: "unknown".to_owned(),
                ..Platform::default()
            });
            entry.artifact_type.clear();
            entry
                .annotations
                .insert(REFERENCE_TYPE.to_owned(), ATTESTATION.to_owned());
            entry
                .annotations
                .insert(REFERENCE_DIGEST.to_owned(), subject.to_string());
            entries.push((entry, from));
        }
        if entries.len() > self.manifests.len() {
            self.replace(entries)?;
        }
        Ok(self)
    }

    fn replace(&mut self, entries: Vec<(Descriptor, Location)>) -> Result<(), Error> {
        let name = self.manifests.first().map(|(_, from)| from.clone());
        let mut index: Index = match name {
            Some(name) => parse(&name, "index", &self.bytes)?,
            None => empty(&self.descriptor.media_type),
        };
        index.manifests = entries.iter().map(|(entry, _)| entry.clone()).collect();
        self.bytes = to_json(&index);
        self.descriptor = Descriptor {
            annotations: self.descriptor.annotations.clone(),
            ..Descriptor::of(self.descriptor.media_type.as_str(), &self.bytes)
        };
        self.manifests = entries;
        Ok(())
    }
}

/// Returns the subject of an attestation.
fn subject(entry: &Descriptor) -> Option<Digest> {
    let kind = entry.annotations.get(REFERENCE_TYPE)?;
    let digest = entry.annotations.get(REFERENCE_DIGEST)?;
    Digest::parse(digest).ok().filter(|_| kind == ATTESTATION)
}

/// True for the same platform in canonical form. The OS version counts only if it is requested.
pub(super) fn matches(wanted: &Platform, offered: &Platform) -> bool {
    let (wanted, offered) = (wanted.normalized(), offered.normalized());
    wanted.os == offered.os
        && wanted.architecture == offered.architecture
        && wanted.variant == offered.variant
        && offered.os_version.starts_with(&wanted.os_version)
        && offered
            .os_features
            .iter()
            .all(|feature| wanted.os_features.contains(feature))
}
