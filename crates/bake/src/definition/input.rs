//! Detects the language of each file, and merges all files.

use std::collections::HashMap;

use super::interpreter::Interpreter;
use super::rebase::{rebase, set_compose_source};
use super::sources::Sources;
use super::variable_info::Variable;
use crate::compose;
use crate::diagnostic::{Diagnostic, Kind};
use crate::files::{Environment, FileKind, FileReader, Host, InputFile};
use crate::limits::MAX_BYTES;
use crate::syntax::body::Body;
use crate::syntax::{parse_hcl, parse_json};
use crate::target::Definition;

/// The declarations of the files, before targets are selected.
pub(crate) struct Declared {
    pub(crate) definition: Definition,
    /// The parsed files.
    pub(crate) sources: Sources,
    /// The variables; `None` without an HCL or JSON file.
    pub(crate) variables: Option<Vec<Variable>>,
}

/// Evaluates the declarations of `files`.
pub(crate) fn declare(
    files: &[InputFile],
    environment: &Environment,
    reader: &dyn FileReader,
    host: &dyn Host,
    file_relative: bool,
) -> Result<Declared, Diagnostic> {
    let mut compose_files = Vec::new();
    let mut bodies = Vec::new();
    if files.iter().map(|file| file.bytes.len()).sum::<usize>() > MAX_BYTES {
        let message = format!("the files are larger than {} MiB together", MAX_BYTES >> 20);
        return Err(Diagnostic::new(Kind::Limit, message));
    }
    for file in files {
        match file.kind() {
            FileKind::Compose => {
                compose::check(file, environment, reader, host)?;
                compose_files.push(file.clone());
            }
            FileKind::Hcl => bodies.push(parse_hcl(&file.bytes, &file.name)?),
            FileKind::Json => bodies.push(parse_json(&file.bytes, &file.name)?.into_body()?),
            FileKind::Unknown => {
                if compose::check(file, environment, reader, host).is_ok() {
                    compose_files.push(file.clone());
                } else {
                    bodies.push(hcl_or_json(file)?);
                }
            }
        }
    }
    let (mut definition, mut sources) = (Definition::default(), Sources::default());
    if let Some(first) = compose_files.first() {
        let loaded = compose::load_with_places(&compose_files, environment, reader, host)?;
        (definition, sources.compose) = loaded;
        if file_relative {
            set_compose_source(&mut definition, &first.name);
        }
        definition = without_twins(definition);
    }
    let mut variables = None;
    if !bodies.is_empty() {
        let body = merge(bodies);
        let mut interpreter = Interpreter::new(&body, environment, host)?;
        let (declared, known) = interpreter.run(definition)?;
        let outputs = interpreter.into_outputs(&body);
        sources = Sources::new(body, outputs, sources.compose);
        definition = declared;
        variables = Some(known);
    }
    if file_relative {
        rebase(&mut definition);
    }
    Ok(Declared {
        definition,
        variables,
        sources,
    })
}

/// Parses a file with an ambiguous name as HCL, or else as JSON. Errors are those of HCL.
fn hcl_or_json(file: &InputFile) -> Result<Body, Diagnostic> {
    let error = match parse_hcl(&file.bytes, &format!("{}.hcl", file.name)) {
        Ok(body) => return Ok(body),
        Err(error) if error.kind == Kind::Limit => return Err(error),
        Err(error) => error,
    };
    match parse_json(&file.bytes, &format!("{}.json", file.name)) {
        Ok(json) => json.into_body(),
        Err(_) => Err(error),
    }
}

/// Merges the bodies of several files. An attribute of a later file replaces an earlier one.
fn merge(bodies: Vec<Body>) -> Body {
    let mut merged = Body::default();
    for body in bodies {
        merged.attributes.extend(body.attributes);
        merged.blocks.extend(body.blocks);
    }
    merged
}

/// Merges targets of one name, and removes duplicate groups.
fn without_twins(definition: Definition) -> Definition {
    let mut merged = Definition::default();
    for mut group in definition.groups {
        super::collect::keep_first(&mut group.targets);
        merged.groups.push(group);
    }
    let mut places: HashMap<String, usize> = HashMap::new();
    for target in definition.targets {
        let end = merged.targets.len();
        let place = *places.entry(target.name.clone()).or_insert(end);
        match merged.targets.get_mut(place) {
            Some(twin) => twin.merge(target),
            None => merged.targets.push(target),
        }
    }
    merged
}
