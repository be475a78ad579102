//! Results: refs to file systems in the daemon, with metadata.

use std::{collections::BTreeMap, fmt};

use super::Error;
use crate::client::AnswerProblem;
use crate::llb::Definition;
use crate::proto::{
    moby::buildkit::v1::frontend::{self as proto, result},
    pb,
};

/// A solved file system in the daemon. It is valid until the build ends.
#[derive(Clone, Default, PartialEq)]
pub struct Ref {
    id: String,
    definition: Option<pb::Definition>,
}

impl Ref {
    /// Returns the empty file system, like `FROM scratch`.
    pub fn scratch() -> Self {
        Self::default()
    }

    /// Returns true for the empty file system, which has nothing to read.
    pub fn is_scratch(&self) -> bool {
        self.id.is_empty()
    }

    /// Returns the id in the daemon.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the graph from which a frontend in the daemon made it, if the daemon reports it.
    ///
    /// # Errors
    /// [`Error::Client`] if the graph is malformed.
    pub fn definition(&self) -> Result<Option<Definition>, Error> {
        let definition = self.definition.clone().map(Definition::from_proto);
        definition.transpose().map_err(|source| {
            let name = "the graph of a result".to_owned();
            Error::invalid("solving", AnswerProblem::Input { name, source })
        })
    }

    fn from_proto(found: proto::Ref) -> Self {
        Self {
            id: found.id,
            definition: found.def,
        }
    }

    fn to_proto(&self) -> proto::Ref {
        proto::Ref {
            id: self.id.clone(),
            def: self.definition.clone(),
        }
    }
}

impl fmt::Debug for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ref").field(&self.id).finish()
    }
}

/// One file system, or one per platform.
#[derive(Debug, Clone, PartialEq)]
pub enum Refs {
    /// One file system.
    One(Ref),
    /// File systems by platform id, as in the metadata `refs.platforms`.
    Platforms(BTreeMap<String, Ref>),
}

impl Default for Refs {
    fn default() -> Self {
        Self::One(Ref::scratch())
    }
}

/// The result of a build or of a part of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BuildResult {
    /// The file systems.
    pub refs: Refs,
    /// Metadata for exporters: `containerimage.config`, `refs.platforms` and others. With several
    /// platforms the key ends with `/<platform id>`.
    pub metadata: BTreeMap<String, Vec<u8>>,
    /// Attestations by platform id.
    pub attestations: BTreeMap<String, Vec<Attestation>>,
}

/// A statement about an image, exported with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attestation {
    /// The kind of attestation.
    pub kind: AttestationKind,
    /// The metadata, for example `attestation-reason`.
    pub metadata: BTreeMap<String, Vec<u8>>,
    /// The file system that contains it.
    pub reference: Ref,
    /// The path in that file system.
    pub path: String,
    /// The type of the in-toto predicate.
    pub predicate_type: String,
    /// The subjects of the statement.
    pub subjects: Vec<Subject>,
}

/// The kinds of attestations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttestationKind {
    /// An in-toto statement.
    #[default]
    InToto,
    /// A folder of in-toto statements.
    Bundle,
}

/// A subject of an in-toto statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The kind of subject.
    pub kind: SubjectKind,
    /// The digests, if the subject is not the image.
    pub digests: Vec<String>,
    /// The subject's name.
    pub name: String,
}

/// The kinds of subjects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubjectKind {
    /// The image that the statement is attached to.
    #[default]
    Image,
    /// The given digests.
    Digests,
}

impl BuildResult {
    /// Returns a result with one file system and no metadata.
    pub fn one(reference: Ref) -> Self {
        Self {
            refs: Refs::One(reference),
            ..Self::default()
        }
    }

    /// Returns all file systems.
    pub fn refs(&self) -> impl Iterator<Item = &Ref> {
        let (one, many) = match &self.refs {
            Refs::One(one) => (Some(one), None),
            Refs::Platforms(many) => (None, Some(many.values())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    pub(super) fn from_proto(found: proto::Result) -> Self {
        let by_id = |id| Ref {
            id,
            definition: None,
        };
        let refs = match found.result {
            None => Refs::default(),
            Some(result::Result::RefDeprecated(id)) => Refs::One(by_id(id)),
            Some(result::Result::Ref(one)) => Refs::One(Ref::from_proto(one)),
            Some(result::Result::RefsDeprecated(many)) => Refs::Platforms(
                many.refs
                    .into_iter()
                    .map(|(platform, id)| (platform, by_id(id)))
                    .collect(),
            ),
            Some(result::Result::Refs(many)) => {
                let refs = many.refs.into_iter();
                Refs::Platforms(
                    refs.map(|entry| (entry.key, Ref::from_proto(entry.value.unwrap_or_default())))
                        .collect(),
                )
            }
        };
        let attestations = found.attestations.into_iter().map(|entry| {
            let list = entry.value.unwrap_or_default();
            (
                entry.key,
                list.attestation
                    .into_iter()
                    .map(Attestation::from_proto)
                    .collect(),
            )
        });
        Self {
            refs,
            metadata: found.metadata,
            attestations: attestations.collect(),
        }
    }

    /// `arrays`: the daemon supports refs with definitions; older ones accept only ids.
    pub(super) fn to_proto(&self, arrays: bool) -> proto::Result {
        let refs = match &self.refs {
            Refs::One(one) if arrays => result::Result::Ref(one.to_proto()),
            Refs::One(one) => result::Result::RefDeprecated(one.id.clone()),
            Refs::Platforms(many) if arrays => {
                let refs = many
                    .iter()
                    .map(|(platform, found)| (platform.clone(), found.to_proto()));
                result::Result::Refs(proto::RefMap {
                    refs: refs.map(Into::into).collect(),
                })
            }
            Refs::Platforms(many) => {
                let refs = many
                    .iter()
                    .map(|(platform, found)| (platform.clone(), found.id.clone()));
                result::Result::RefsDeprecated(proto::RefMapDeprecated {
                    refs: refs.collect(),
                })
            }
        };
        let attestations = self.attestations.iter().map(|(platform, list)| {
            let attestation = list.iter().map(Attestation::to_proto).collect();
            (platform.clone(), proto::Attestations { attestation })
        });
        proto::Result {
            metadata: self.metadata.clone(),
            attestations: attestations.map(Into::into).collect(),
            result: Some(refs),
        }
    }
}

impl Attestation {
    fn from_proto(found: proto::Attestation) -> Self {
        let kind = match found.kind() {
            proto::AttestationKind::InToto => AttestationKind::InToto,
            proto::AttestationKind::Bundle => AttestationKind::Bundle,
        };
        Self {
            kind,
            metadata: found.metadata,
            reference: found.r#ref.map(Ref::from_proto).unwrap_or_default(),
            path: found.path,
            predicate_type: found.in_toto_predicate_type,
            subjects: found
                .in_toto_subjects
                .into_iter()
                .map(Subject::from_proto)
                .collect(),
        }
    }

    fn to_proto(&self) -> proto::Attestation {
        let kind = match self.kind {
            AttestationKind::InToto => proto::AttestationKind::InToto,
            AttestationKind::Bundle => proto::AttestationKind::Bundle,
        };
        proto::Attestation {
            kind: kind.into(),
            metadata: self.metadata.clone(),
            r#ref: Some(self.reference.to_proto()),
            path: self.path.clone(),
            in_toto_predicate_type: self.predicate_type.clone(),
            in_toto_subjects: self.subjects.iter().map(Subject::to_proto).collect(),
        }
    }
}

impl Subject {
    fn from_proto(found: proto::InTotoSubject) -> Self {
        let kind = match found.kind() {
            proto::InTotoSubjectKind::Self_ => SubjectKind::Image,
            proto::InTotoSubjectKind::Raw => SubjectKind::Digests,
        };
        Self {
            kind,
            digests: found.digest,
            name: found.name,
        }
    }

    fn to_proto(&self) -> proto::InTotoSubject {
        let kind = match self.kind {
            SubjectKind::Image => proto::InTotoSubjectKind::Self_,
            SubjectKind::Digests => proto::InTotoSubjectKind::Raw,
        };
        proto::InTotoSubject {
            kind: kind.into(),
            digest: self.digests.clone(),
            name: self.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
