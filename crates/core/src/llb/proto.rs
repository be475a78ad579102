//! The definition as a protobuf message, for requests to a daemon. The ops keep their bytes.

use std::collections::BTreeMap;

use super::definition::Definition;
use super::metadata::{LinuxResources, Location, Metadata, SourceFile};
use super::source_files::SourceFiles;
use super::{Cap, CapSet};
use crate::proto::pb;

impl Definition {
    /// Converts the definition to a message.
    #[doc(hidden)]
    pub fn to_proto(&self) -> pb::Definition {
        let Some(terminal) = self.terminal() else {
            return pb::Definition::default();
        };
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
            source: Some(source(self)),
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

fn source(definition: &Definition) -> pb::Source {
    let mut sources = SourceFiles::of(definition);
    let mut locations = BTreeMap::new();
    for vertex in definition.vertices() {
        let found = vertex.locations().iter().map(|location| pb::Location {
            source_index: sources.index(&location.file),
            ranges: ranges(location),
        });
        let found = pb::Locations {
            locations: found.collect(),
        };
        locations.insert(vertex.digest_str().to_owned(), found);
    }
    pb::Source {
        locations: locations.into_iter().map(Into::into).collect(),
        infos: sources.files.iter().map(|file| file.to_proto()).collect(),
    }
}

impl SourceFile {
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

    #[test]
    fn the_bytes_are_those_of_the_message() {
        let file = |text: &str, definition| {
            Arc::new(SourceFile {
                filename: "Dockerfile".into(),
                data: text.repeat(100).into(),
                definition,
                ..SourceFile::default()
            })
        };
        let at = |file: &Arc<SourceFile>, line| {
            let position = |line| Position { line, character: 7 };
            let range = |line| Range {
                start: position(line),
                end: position(line + 1),
            };
            let ranges = [range(line), range(-1)].into();
            let file = file.clone();
            Location { file, ranges }
        };
        let base = image("a", ResolveMode::ForcePull, Constraints::new());
        let inner = Arc::new(base.marshal(&MarshalOptions::default()).unwrap());
        let files = [file("FROM a", None), file("FROM b", Some(inner))];
        let limits = LinuxResources {
            memory_swap: -1,
            cpu_shares: 2,
            cpuset_cpus: "0-3".into(),
            ..LinuxResources::default()
        };
        let all = Constraints::new()
            .named("")
            .described("", "x")
            .at(at(&files[1], 1))
            .at(at(&files[0], 300))
            .ignoring_cache(true)
            .limited(Arc::new(limits))
            .in_group(ProgressGroup {
                id: "id".into(),
                name: "name".into(),
                weak: true,
            });
        let run = base.run(Exec::new(["true"]).constraints(all)).root();
        let late = Constraints::new()
            .at(at(&files[1], 2))
            .exporting_cache(false);
        let run = run.run(Exec::new(["x"]).constraints(late)).root();
        let definition = run.marshal(&MarshalOptions::default()).unwrap();
        let definition = definition.with_document(file("bake", None));
        let message = definition.to_proto();
        assert_eq!(message.source.as_ref().unwrap().infos.len(), 3);
        assert_eq!(definition.encode(), message.encode_to_vec());
        assert!(Definition::default().encode().is_empty());
    }

    use crate::oci::Digest;
    use std::sync::Arc;
}
