//! pb.Op: inputs, platform, constraints, and the op itself; ops of a few lines are here too.

use std::collections::HashMap;

use super::super::Error;
use super::super::caps::{Cap, CapSet};
use super::super::metadata::Constraints;
use super::super::source::SourceOp;
use super::super::vertex::{Kind, Output, Vertex};
use super::wire::Writer;
use super::{Input, Pass, exec, file};
use crate::oci::Platform;

/// The value of pb.InputIndex and pb.OutputIndex for none.
pub(super) const NONE: i64 = -1;

/// Writes `vertex` as a pb.Op and returns the capabilities that it needs.
///
/// The op itself is written last: protobuf-go's deterministic order is by field number with oneofs
/// after all other fields (`LegacyFieldOrder`), and the digests depend on it.
pub(super) fn write(
    w: &mut Writer,
    pass: &Pass<'_>,
    vertex: &Vertex,
    inputs: &mut Inputs,
) -> Result<CapSet, Error> {
    let constraints = &vertex.constraints;
    let own_platform = constraints.platform.as_deref();
    match &vertex.kind {
        Kind::Source(source) => {
            let platform = own_platform.unwrap_or(&pass.options.platform);
            let platform = source.has_platform().then_some(platform);
            write_envelope(w, pass, inputs, platform, constraints);
            Ok(write_source(w, pass, source))
        }
        Kind::Exec(exec) => {
            let platform = own_platform
                .or(exec.settings.platform.as_deref())
                .unwrap_or(&pass.options.platform);
            for mount in &exec.mounts {
                inputs.ask(pass, mount.source.as_ref())?;
            }
            write_envelope(w, pass, inputs, Some(platform), constraints);
            exec::write(w, pass, exec, platform, &inputs.indexes)
        }
        Kind::File(file) => {
            inputs.ask(pass, file.base.as_ref())?;
            for step in &file.steps {
                inputs.ask(pass, step.source())?;
            }
            write_envelope(w, pass, inputs, None, constraints);
            Ok(file::write(w, file, inputs))
        }
        Kind::Merge(outputs) => {
            for output in outputs {
                inputs.list.push(pass.input(output)?);
            }
            write_envelope(w, pass, inputs, None, constraints);
            Ok(write_merge(w, outputs.len()))
        }
        Kind::Passthrough {
            id,
            inputs: all,
            outputs,
        } => {
            if id.is_empty() || outputs.is_empty() {
                return Err(Error::EmptyPassthrough);
            }
            for output in all {
                inputs.list.push(pass.input(output)?);
            }
            write_envelope(w, pass, inputs, None, constraints);
            Ok(write_passthrough(w, id, outputs))
        }
        Kind::Diff { lower, upper } => {
            for side in [lower, upper] {
                inputs.ask_again(pass, side.as_ref())?;
            }
            write_envelope(w, pass, inputs, None, constraints);
            Ok(write_diff(w, &inputs.indexes))
        }
        Kind::Defined(defined) => {
            w.raw(&defined.op);
            Ok(defined.caps)
        }
        Kind::Deferred(_) => Err(Error::UnresolvedSource),
    }
}

/// Writes everything of a pb.Op except the op: inputs, platform, constraints.
fn write_envelope(
    w: &mut Writer,
    pass: &Pass<'_>,
    inputs: &Inputs,
    platform: Option<&Platform>,
    constraints: &Constraints,
) {
    for input in &inputs.list {
        w.message(1, |w| write_input(w, pass.digest(*input), input.index));
    }
    if let Some(platform) = platform {
        w.message(10, |w| write_platform(w, platform));
    }
    w.message(11, |w| {
        for filter in &constraints.filter {
            w.bytes_always(1, filter);
        }
    });
}

/// Writes the content of a pb.Input.
pub(super) fn write_input(w: &mut Writer, digest: &[u8], index: i64) {
    w.bytes(1, digest);
    w.int(2, index);
}

/// The inputs of one vertex, each once, and the index for each request.
#[derive(Default)]
pub(super) struct Inputs {
    list: Vec<Input>,
    /// The first position of each input in the list.
    places: HashMap<Input, i64>,
    /// For each request the index in the list; scratch has none.
    pub(super) indexes: Vec<i64>,
}

impl Inputs {
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.places.clear();
        self.indexes.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Requests an input, which is added if it is not in the list.
    fn ask(&mut self, pass: &Pass<'_>, output: Option<&Output>) -> Result<(), Error> {
        let index = match output.map(|output| pass.input(output)).transpose()? {
            None => NONE,
            Some(input) => match self.places.get(&input) {
                Some(at) => *at,
                None => self.add(input),
            },
        };
        self.indexes.push(index);
        Ok(())
    }

    /// Requests an input, which is added even if it is in the list.
    fn ask_again(&mut self, pass: &Pass<'_>, output: Option<&Output>) -> Result<(), Error> {
        let index = match output {
            None => NONE,
            Some(output) => self.add(pass.input(output)?),
        };
        self.indexes.push(index);
        Ok(())
    }

    fn add(&mut self, input: Input) -> i64 {
        let place = self.list.len() as i64;
        self.list.push(input);
        self.places.entry(input).or_insert(place);
        place
    }
}

fn write_source(w: &mut Writer, pass: &Pass<'_>, source: &SourceOp) -> CapSet {
    let mut caps = source.caps;
    let unique = source.is_local_without_session();
    if unique {
        caps.insert(Cap::SourceLocalUnique);
    }
    w.message(3, |w| {
        w.bytes(1, &source.identifier);
        // `local.unique` sorts after all other attributes of local sources.
        for (key, value) in &source.attributes {
            w.entry(2, key, value);
        }
        if unique {
            w.entry(2, "local.unique", &pass.options.unique_id);
        }
    });
    caps
}

fn write_merge(w: &mut Writer, inputs: usize) -> CapSet {
    w.message(6, |w| {
        for index in 0..inputs {
            w.message(1, |w| w.int(1, index as i64));
        }
    });
    CapSet::EMPTY.with(Cap::MergeOp)
}

/// Writes a diff op; the indexes are lower, then upper.
fn write_diff(w: &mut Writer, indexes: &[i64]) -> CapSet {
    w.message(7, |w| {
        for (field, index) in (1..).zip(indexes) {
            w.message(field, |w| w.int(1, *index));
        }
    });
    CapSet::EMPTY.with(Cap::DiffOp)
}

fn write_passthrough(w: &mut Writer, id: &str, outputs: &[usize]) -> CapSet {
    w.message(8, |w| {
        w.bytes(1, id);
        w.packed(2, outputs.iter().map(|at| *at as i64));
    });
    CapSet::EMPTY.with(Cap::PassthroughOp)
}

fn write_platform(w: &mut Writer, platform: &Platform) {
    w.bytes(1, &platform.architecture);
    w.bytes(2, &platform.os);
    w.bytes(3, &platform.variant);
    w.bytes(4, &platform.os_version);
    for feature in &platform.os_features {
        w.bytes_always(5, feature);
    }
}
