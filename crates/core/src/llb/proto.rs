//! The definition as a protobuf message, for requests to a daemon. The ops keep their bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use prost::Message;

use super::definition::{DefinedVertex, Definition};
use super::metadata::{LinuxResources, Location, Metadata, SourceFile};
use super::{Cap, CapSet};
use crate::proto::pb;

impl Definition {
    /// Returns the marshalled `pb.Definition`, which `buildctl build` reads from its standard
    /// input.
    pub fn encode(&self) -> Vec<u8> {
        self.to_proto().encode_to_vec()
    }

    /// Converts the definition to a message.
    #[doc(hidden)]
    pub fn to_proto(&self) -> pb::Definition {
        let Some(terminal) = self.terminal() else {
            return pb::Definition::default();
        };
        let mut sources = Sources::default();
        for vertex in self.vertices() {
            sources.add(vertex);
        }
        sources.files.extend(self.documents());
        let mut metadata: BTreeMap<String, pb::OpMetadata> = self
            .vertices()
            .iter()
            .map(|vertex| {
                (
                    vertex.digest_str().to_owned(),
                    op_metadata(vertex.metadata(), vertex.caps()),
                )
            })
            .collect();
        metadata.insert(
            terminal.digest.as_str().to_owned(),
            op_metadata(&Metadata::default(), terminal.caps),
        );
        pb::Definition {
            def: self.ops().cloned().collect(),
            metadata: metadata.into_iter().map(Into::into).collect(),
            source: Some(sources.finish()),
        }
    }
}

fn op_metadata(metadata: &Metadata, caps: CapSet) -> pb::OpMetadata {
    pb::OpMetadata {
        ignore_cache: metadata.ignore_cache,
        description: metadata
            .description()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
        export_cache: metadata.export_cache.map(|value| pb::ExportCache { value }),
        caps: caps
            .iter()
            .map(Cap::as_str)
            .map(|name| (name.to_owned(), true))
            .collect(),
        progress_group: metadata
            .progress_group
            .as_ref()
            .map(|group| pb::ProgressGroup {
                id: group.id.to_string(),
                name: group.name.to_string(),
                weak: group.weak,
            }),
        linux_resources: metadata.linux_resources.as_deref().map(linux_resources),
    }
}

fn linux_resources(limits: &LinuxResources) -> pb::LinuxResources {
    pb::LinuxResources {
        memory: limits.memory,
        memory_swap: limits.memory_swap,
        cpu_shares: limits.cpu_shares,
        cpu_period: limits.cpu_period,
        cpu_quota: limits.cpu_quota,
        cpuset_cpus: limits.cpuset_cpus.clone(),
        cpuset_mems: limits.cpuset_mems.clone(),
    }
}

/// The source map: each file once, and the locations of the vertices in them.
#[derive(Default)]
struct Sources<'a> {
    files: Vec<&'a Arc<SourceFile>>,
    /// Positions in `files`, by address: equal files are one.
    places: HashMap<*const SourceFile, usize>,
    locations: BTreeMap<String, pb::Locations>,
}

impl<'a> Sources<'a> {
    fn add(&mut self, vertex: &'a DefinedVertex) {
        let locations = vertex.locations().iter().map(|location| pb::Location {
            source_index: self.index(&location.file),
            ranges: ranges(location),
        });
        let locations: Vec<pb::Location> = locations.collect();
        self.locations
            .insert(vertex.digest_str().to_owned(), pb::Locations { locations });
    }

    fn index(&mut self, file: &'a Arc<SourceFile>) -> i32 {
        let files = &mut self.files;
        let at = *self.places.entry(Arc::as_ptr(file)).or_insert_with(|| {
            let known = files.iter().position(|known| known.is_same(file));
            known.unwrap_or_else(|| {
                files.push(file);
                files.len() - 1
            })
        });
        at as i32
    }

    fn finish(self) -> pb::Source {
        let infos = self.files.into_iter().map(|file| file.to_proto()).collect();
        pb::Source {
            locations: self.locations.into_iter().map(Into::into).collect(),
            infos,
        }
    }
}

impl SourceFile {
    /// True if it equals `other`. The definitions of the files are compared only if both have one.
    fn is_same(&self, other: &Self) -> bool {
        let last = |file: &Self| {
            let terminal = file.definition.as_ref()?.terminal()?;
            Some(terminal.op.clone())
        };
        self.filename == other.filename
            && self.language == other.language
            && self.data == other.data
            && match (last(self), last(other)) {
                (Some(own), Some(others)) => own == others,
                _ => true,
            }
    }

    /// Converts the file to a message.
    #[doc(hidden)]
    pub fn to_proto(&self) -> pb::SourceInfo {
        pb::SourceInfo {
            filename: self.filename.clone(),
            data: self.data.clone(),
            definition: self
                .definition
                .as_ref()
                .map(|definition| definition.to_proto()),
            language: self.language.clone(),
        }
    }
}

fn ranges(location: &Location) -> Vec<pb::Range> {
    let position = |at: super::Position| {
        Some(pb::Position {
            line: at.line,
            character: at.character,
        })
    };
    location
        .ranges
        .iter()
        .map(|range| pb::Range {
            start: position(range.start),
            end: position(range.end),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use crate::proto::pb;
    use prost::Message;

    #[test]
    fn a_file_of_two_definitions_is_listed_once() {
        let file = |data: &str| {
            Arc::new(SourceFile {
                filename: "Dockerfile".into(),
                data: data.into(),
                ..SourceFile::default()
            })
        };
        let infos = |first, second| {
            let at = |file: Arc<SourceFile>| {
                Constraints::new().at(Location {
                    file,
                    ranges: Arc::from([]),
                })
            };
            let state = image("a", ResolveMode::Default, at(first));
            let run = Exec::new(["true"]).constraints(at(second));
            let definition = state.run(run).root().marshal(&MarshalOptions::default());
            let message = pb::Definition::decode(&definition.unwrap().encode()[..]).unwrap();
            message.source.unwrap().infos.len()
        };
        assert_eq!(infos(file("FROM a"), file("FROM a")), 1);
        assert_eq!(infos(file("FROM a"), file("FROM b")), 2);
    }

    #[test]
    fn ops_decode_to_what_was_encoded_and_files_are_listed_once() {
        let file = Arc::new(SourceFile {
            filename: "Dockerfile".into(),
            ..SourceFile::default()
        });
        let at = |line| Location {
            file: file.clone(),
            ranges: Arc::from([Range {
                start: Position { line, character: 0 },
                end: Position { line, character: 0 },
            }]),
        };
        let state = image(
            "docker.io/library/a:1",
            ResolveMode::ForcePull,
            Constraints::new().at(at(1)),
        )
        .run(
            Exec::new(["true"])
                .valid_exit_codes([0, 3])
                .constraints(Constraints::new().named("n").at(at(2))),
        )
        .root();
        let definition = state.marshal(&MarshalOptions::default()).unwrap();
        let message = pb::Definition::decode(&definition.encode()[..]).unwrap();
        assert_eq!(message.def.len(), 3);
        let source = message.source.unwrap();
        assert_eq!((source.infos.len(), source.locations.len()), (1, 2));
        let op = pb::Op::decode(message.def[1].clone()).unwrap();
        let Some(pb::op::Op::Exec(exec)) = op.op else {
            panic!("{op:?}")
        };
        assert_eq!(exec.meta.unwrap().valid_exit_codes, [0, 3]);
        assert_eq!(op.inputs[0].digest, definition.vertices()[0].digest_str());
        let terminal = Digest::sha256(&message.def[2]);
        let mut metadata = message.metadata.into_iter();
        let terminal = metadata
            .find(|entry| entry.key == terminal.as_str())
            .unwrap();
        let terminal = terminal.value.unwrap();
        assert!(
            terminal.caps.contains_key("meta.description")
                && !terminal.caps.contains_key("meta.ignorecache")
        );
    }

    use crate::oci::Digest;
    use std::sync::Arc;
}
