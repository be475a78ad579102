//! pb.Definition: all ops, their metadata and their source lines.
//!
//! The bytes are those that prost writes for the message of `llb::proto`, without the message:
//! default values are omitted, in map entries too.

use super::super::caps::{Cap, CapSet};
use super::super::definition::{DefinedVertex, Definition};
use super::super::metadata::{LinuxResources, Location, Metadata, Position, SourceFile};
use super::super::source_files::SourceFiles;
use super::wire::Writer;

impl Definition {
    /// Returns the marshalled `pb.Definition`, which `buildctl build` reads from its standard
    /// input.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(self.size());
        write(&mut w, self);
        w.into_inner()
    }

    /// Returns about the number of encoded bytes.
    fn size(&self) -> usize {
        let ops: usize = self.ops().map(|op| op.len() + 512).sum();
        let locations = self.vertices().iter().flat_map(DefinedVertex::locations);
        let file = locations.map(|location| location.file.data.len()).next();
        ops + file.unwrap_or_default()
    }
}

fn write(w: &mut Writer, definition: &Definition) {
    let Some(terminal) = definition.terminal() else {
        return;
    };
    for op in definition.ops() {
        w.bytes_always(1, op);
    }
    let mut vertices: Vec<&DefinedVertex> = definition.vertices().iter().collect();
    vertices.sort_unstable_by_key(|vertex| vertex.digest_text());
    let none = Metadata::default();
    let entries = vertices.iter();
    let entries = entries.map(|vertex| (vertex.digest_text(), vertex.metadata(), vertex.caps()));
    let mut entries: Vec<_> = entries.collect();
    let place = entries.partition_point(|(digest, ..)| **digest < terminal.digest);
    entries.insert(place, (&terminal.digest, &none, terminal.caps));
    let mut names = Vec::new();
    for (digest, metadata, caps) in entries {
        w.message(2, |w| {
            w.bytes(1, digest.as_bytes());
            w.message(2, |w| write_metadata(w, metadata, caps, &mut names));
        });
    }
    let mut sources = SourceFiles::of(definition);
    w.message(3, |w| {
        for vertex in vertices {
            w.message(1, |w| {
                w.bytes(1, vertex.digest_text().as_bytes());
                w.message(2, |w| write_locations(w, &mut sources, vertex));
            });
        }
        for file in sources.files {
            w.message(2, |w| write_file(w, file));
        }
    });
}

/// Writes a pb.OpMetadata. `names` is a buffer for the names of the capabilities.
fn write_metadata(
    w: &mut Writer,
    metadata: &Metadata,
    caps: CapSet,
    names: &mut Vec<&'static str>,
) {
    w.bool(1, metadata.ignore_cache);
    for (key, value) in metadata.description() {
        w.message(2, |w| {
            w.bytes(1, key);
            w.bytes(2, value);
        });
    }
    if let Some(export) = metadata.export_cache {
        w.message(4, |w| w.bool(1, export));
    }
    names.clear();
    names.extend(caps.iter().map(Cap::as_str));
    names.sort_unstable();
    for name in names {
        w.message(5, |w| {
            w.bytes(1, *name);
            w.bool(2, true);
        });
    }
    if let Some(group) = &metadata.progress_group {
        w.message(6, |w| {
            w.bytes(1, &*group.id);
            w.bytes(2, &*group.name);
            w.bool(3, group.weak);
        });
    }
    if let Some(limits) = &metadata.linux_resources {
        w.message(7, |w| write_limits(w, limits));
    }
}

fn write_limits(w: &mut Writer, limits: &LinuxResources) {
    w.int(1, limits.memory);
    w.int(2, limits.memory_swap);
    w.uint(3, limits.cpu_shares);
    w.uint(4, limits.cpu_period);
    w.int(5, limits.cpu_quota);
    w.bytes(6, &limits.cpuset_cpus);
    w.bytes(7, &limits.cpuset_mems);
}

fn write_locations<'a>(w: &mut Writer, sources: &mut SourceFiles<'a>, vertex: &'a DefinedVertex) {
    for location in vertex.locations() {
        let file = sources.index(&location.file);
        w.message(1, |w| write_location(w, file, location));
    }
}

fn write_location(w: &mut Writer, file: i32, location: &Location) {
    w.int(1, i64::from(file));
    for range in location.ranges.iter() {
        w.message(2, |w| {
            w.message(1, |w| write_position(w, range.start));
            w.message(2, |w| write_position(w, range.end));
        });
    }
}

fn write_position(w: &mut Writer, position: Position) {
    w.int(1, i64::from(position.line));
    w.int(2, i64::from(position.character));
}

fn write_file(w: &mut Writer, file: &SourceFile) {
    w.bytes(1, &file.filename);
    w.bytes(2, &file.data);
    if let Some(definition) = &file.definition {
        w.message(3, |w| write(w, definition));
    }
    w.bytes(4, &file.language);
}
