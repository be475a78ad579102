//! pb.Op: inputs, the op itself, platform, constraints; and the ops that fit in a few lines.

use super::super::Error;
use super::super::caps::{Cap, CapSet};
use super::super::metadata::Constraints;
use super::super::source::SourceOp;
use super::super::vertex::{Kind, Output, Vertex};
use super::wire::Writer;
use super::{Input, Pass, exec, file};
use crate::oci::Platform;

/// pb.InputIndex and pb.OutputIndex of nothing.
pub(super) const NONE: i64 = -1;

/// Writes `vertex` as a pb.Op; the capabilities that it needs.
///
/// The op itself comes last: protobuf-go's deterministic order is by field number with oneofs behind all other fields
/// (`LegacyFieldOrder`), and the digests depend on it.
pub(super) fn write(w: &mut Writer, pass: &Pass<'_>, vertex: &Vertex) -> Result<CapSet, Error> {
    let constraints = &vertex.constraints;
    let own_platform = constraints.platform.as_deref();
    match &vertex.kind {
        Kind::Source(source) => {
            let platform = own_platform.unwrap_or(&pass.options.platform);
            write_envelope(
                w,
                &Inputs::default(),
                source.has_platform().then_some(platform),
                constraints,
            );
            Ok(write_source(w, pass, source))
        }
        Kind::Exec(exec) => {
            let platform = own_platform
                .or(exec.settings.platform.as_deref())
                .unwrap_or(&pass.options.platform);
            exec::write(w, pass, exec, platform, constraints)
        }
        Kind::File(file) => file::write(w, pass, file, constraints),
        Kind::Merge(inputs) => write_merge(w, pass, inputs, constraints),
        Kind::Diff { lower, upper } => {
            write_diff(w, pass, [lower.as_ref(), upper.as_ref()], constraints)
        }
        Kind::Deferred(_) => Err(Error::UnresolvedSource),
    }
}

/// Everything of a pb.Op but the op: inputs, platform, constraints.
pub(super) fn write_envelope(
    w: &mut Writer,
    inputs: &Inputs<'_>,
    platform: Option<&Platform>,
    constraints: &Constraints,
) {
    for input in &inputs.0 {
        w.message(1, |w| write_input(w, input));
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

/// The content of a pb.Input.
pub(super) fn write_input(w: &mut Writer, input: &Input<'_>) {
    w.bytes(1, input.digest);
    w.int(2, input.index);
}

/// Inputs in the order in which they are asked for, each once.
#[derive(Default)]
pub(super) struct Inputs<'a>(Vec<Input<'a>>);

impl<'a> Inputs<'a> {
    /// The index of `output`; scratch has none.
    pub(super) fn index(
        &mut self,
        pass: &'a Pass<'_>,
        output: Option<&Output>,
    ) -> Result<i64, Error> {
        let Some(output) = output else {
            return Ok(NONE);
        };
        let input = pass.input(output)?;
        let at = self
            .0
            .iter()
            .position(|known| *known == input)
            .unwrap_or_else(|| {
                self.0.push(input);
                self.0.len() - 1
            });
        Ok(at as i64)
    }

    /// One more, even when it is there already.
    fn push(&mut self, pass: &'a Pass<'_>, output: &Output) -> Result<(), Error> {
        self.0.push(pass.input(output)?);
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
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
        // local.unique sorts after all other attributes of local sources.
        for (key, value) in &source.attributes {
            w.entry(2, key, value);
        }
        if unique {
            w.entry(2, "local.unique", &pass.options.unique_id);
        }
    });
    caps
}

fn write_merge(
    w: &mut Writer,
    pass: &Pass<'_>,
    outputs: &[Output],
    constraints: &Constraints,
) -> Result<CapSet, Error> {
    let mut inputs = Inputs::default();
    for output in outputs {
        inputs.push(pass, output)?;
    }
    write_envelope(w, &inputs, None, constraints);
    w.message(6, |w| {
        for index in 0..inputs.len() {
            w.message(1, |w| w.int(1, index as i64));
        }
    });
    Ok(CapSet::EMPTY.with(Cap::MergeOp))
}

fn write_diff(
    w: &mut Writer,
    pass: &Pass<'_>,
    sides: [Option<&Output>; 2],
    constraints: &Constraints,
) -> Result<CapSet, Error> {
    let mut inputs = Inputs::default();
    let mut indexes = [NONE; 2];
    for (index, side) in indexes.iter_mut().zip(sides) {
        if let Some(output) = side {
            *index = inputs.len() as i64;
            inputs.push(pass, output)?;
        }
    }
    write_envelope(w, &inputs, None, constraints);
    w.message(7, |w| {
        w.message(1, |w| w.int(1, indexes[0]));
        w.message(2, |w| w.int(1, indexes[1]));
    });
    Ok(CapSet::EMPTY.with(Cap::DiffOp))
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
