//! Validates the parts of a compose file that bake uses: services and secrets.
//!
//! The rules are those of the compose specification's JSON schema. As in the reference, service
//! attributes that a build does not need are not validated.

use super::{
    path::{ITEM, Path},
    yaml::{Map, Node, Value},
};
use crate::diagnostic::{Diagnostic, Kind, nearest};

/// A JSON type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Bool,
    Int,
    Number,
    Null,
}

enum Shape {
    /// One of several types.
    Scalar(&'static [Type]),
    /// A list of texts.
    Texts,
    /// A mapping of scalars, or a list of unique texts.
    Dict,
    /// A mapping of texts and lists of texts, or a list of unique texts.
    Hosts,
    /// Limits by name.
    Ulimits,
    /// A list of mappings.
    Items(&'static Record),
    /// Text, or a list of unique texts.
    TextOrTexts,
    /// `true`, or the old form with a name.
    External,
    /// A mapping of texts and numbers.
    Options,
}

/// A mapping with known keys, and `x-…`.
struct Record {
    fields: &'static [(&'static str, Shape)],
    required: &'static [&'static str],
    with_extensions: bool,
}

const TEXT: Shape = Shape::Scalar(&[Type::Text]);
const FLAG: Shape = Shape::Scalar(&[Type::Bool, Type::Text]);

const SERVICE: &[(&str, Shape)] = &[
    ("image", TEXT),
    ("environment", Shape::Dict),
    ("env_file", Shape::Items(&ENV_FILE)),
];

const BUILD: Record = Record {
    fields: &[
        ("context", TEXT),
        ("dockerfile", TEXT),
        ("dockerfile_inline", TEXT),
        ("entitlements", Shape::Texts),
        ("args", Shape::Dict),
        ("ssh", Shape::Dict),
        ("labels", Shape::Dict),
        ("cache_from", Shape::Texts),
        ("cache_to", Shape::Texts),
        ("no_cache", FLAG),
        ("no_cache_filter", Shape::TextOrTexts),
        ("additional_contexts", Shape::Dict),
        ("network", TEXT),
        ("provenance", FLAG),
        ("sbom", FLAG),
        ("pull", FLAG),
        ("target", TEXT),
        ("shm_size", Shape::Scalar(&[Type::Int, Type::Text])),
        ("extra_hosts", Shape::Hosts),
        ("isolation", TEXT),
        ("privileged", FLAG),
        ("secrets", Shape::Items(&FILE_MOUNT)),
        ("tags", Shape::Texts),
        ("ulimits", Shape::Ulimits),
        ("platforms", Shape::Texts),
    ],
    required: &[],
    with_extensions: true,
};

const FILE_MOUNT: Record = Record {
    fields: &[
        ("source", TEXT),
        ("target", TEXT),
        ("uid", TEXT),
        ("gid", TEXT),
        ("mode", Shape::Scalar(&[Type::Number, Type::Text])),
    ],
    required: &[],
    with_extensions: true,
};

const ENV_FILE: Record = Record {
    fields: &[("path", TEXT), ("format", TEXT), ("required", FLAG)],
    required: &["path"],
    with_extensions: false,
};

const ULIMIT: Record = Record {
    fields: &[
        ("hard", Shape::Scalar(&[Type::Int, Type::Text])),
        ("soft", Shape::Scalar(&[Type::Int, Type::Text])),
    ],
    required: &["soft", "hard"],
    with_extensions: true,
};

const SECRET: Record = Record {
    fields: &[
        ("name", TEXT),
        ("environment", TEXT),
        ("file", TEXT),
        ("external", Shape::External),
        ("labels", Shape::Dict),
        ("driver", TEXT),
        ("driver_opts", Shape::Options),
        ("template_driver", TEXT),
    ],
    required: &[],
    with_extensions: true,
};

const EXTERNAL: Record = Record {
    fields: &[("name", TEXT)],
    required: &[],
    with_extensions: true,
};

/// Validates the services: their names and the attributes that a build needs.
pub(super) fn services(services: &Map) -> Result<(), Diagnostic> {
    let path = Path::ROOT.next("services");
    for (name, node) in services {
        check_name(name, node, &path)?;
        let Some(service) = node.as_map() else {
            continue;
        };
        let path = path.next(name);
        for (field, shape) in SERVICE {
            if let Some(node) = service.get(*field) {
                shape.check(node, &path.next(field))?;
            }
        }
        if let Some(node) = service.get("build") {
            BUILD.check(node, &path.next("build"))?;
        }
    }
    Ok(())
}

/// Validates the secrets of a project.
pub(super) fn secrets(node: &Node) -> Result<(), Diagnostic> {
    let path = Path::ROOT.next("secrets");
    for (name, node) in mapping(node, &path)? {
        check_name(name, node, &path)?;
        SECRET.check(node, &path.next(name))?;
    }
    Ok(())
}

fn check_name(name: &str, node: &Node, path: &Path<'_>) -> Result<(), Diagnostic> {
    let is_allowed = |symbol: char| symbol.is_ascii_alphanumeric() || "._-".contains(symbol);
    if !name.is_empty() && name.chars().all(is_allowed) {
        return Ok(());
    }
    let message =
        format!("{path}: the name {name:?} may have a-z, A-Z, 0-9, '.', '_' and '-' only");
    Err(Diagnostic::new(Kind::Name, message).at(node.place.span()))
}

fn mapping<'a>(node: &'a Node, path: &Path<'_>) -> Result<&'a Map, Diagnostic> {
    node.as_map().ok_or_else(|| wrong(node, path, "a mapping"))
}

fn wrong(node: &Node, path: &Path<'_>, wanted: &str) -> Diagnostic {
    super::canonical::wrong_type(node, path, wanted)
}

impl Record {
    fn check(&self, node: &Node, path: &Path<'_>) -> Result<(), Diagnostic> {
        let map = mapping(node, path)?;
        for (name, node) in map {
            match self.fields.iter().find(|(field, _)| field == name) {
                Some((_, shape)) => shape.check(node, &path.next(name))?,
                None if self.with_extensions && name.starts_with("x-") => {}
                None => {
                    let message = format!("{path} has no attribute {name:?}");
                    let failed = Diagnostic::new(Kind::Structure, message).at(node.place.span());
                    let words = format!("{path} additional properties '{name}' not allowed");
                    let failed = failed.in_reference_alone(words);
                    let known = self.fields.iter().map(|(field, _)| *field);
                    return Err(match nearest(name, known) {
                        Some(near) => failed.hint(format!("did you mean {near:?}?")),
                        None => failed,
                    });
                }
            }
        }
        match self.required.iter().find(|name| !map.contains_key(**name)) {
            None => Ok(()),
            Some(name) => {
                let message = format!("{path} needs {name:?}");
                Err(Diagnostic::new(Kind::Structure, message).at(node.place.span()))
            }
        }
    }
}

impl Shape {
    fn check(&self, node: &Node, path: &Path<'_>) -> Result<(), Diagnostic> {
        match self {
            Shape::Scalar(types) => scalar(node, types, path),
            Shape::Texts => texts(node, path, "a list of texts"),
            Shape::TextOrTexts if node.as_text().is_some() => Ok(()),
            Shape::TextOrTexts => unique_texts(node, path),
            Shape::Dict => match &node.value {
                Value::Map(map) => values(map, path, |node, path| {
                    scalar(
                        node,
                        &[Type::Text, Type::Number, Type::Bool, Type::Null],
                        path,
                    )
                }),
                Value::List(_) => unique_texts(node, path),
                _ => Err(wrong(node, path, "a mapping or a list")),
            },
            Shape::Hosts => match &node.value {
                Value::Map(map) => values(map, path, |node, path| match &node.value {
                    Value::List(_) => texts(node, path, "text or a list of texts"),
                    _ => scalar(node, &[Type::Text], path),
                }),
                Value::List(_) => unique_texts(node, path),
                _ => Err(wrong(node, path, "a mapping or a list")),
            },
            Shape::Ulimits => {
                for (name, node) in mapping(node, path)? {
                    // The schema validates only limits with lower-case names, and ignores others.
                    let is_known = name.bytes().all(|byte| byte.is_ascii_lowercase());
                    let path = path.next(name);
                    match &node.value {
                        _ if !is_known => {}
                        Value::Map(_) => ULIMIT.check(node, &path)?,
                        _ => scalar(node, &[Type::Int, Type::Text], &path)?,
                    }
                }
                Ok(())
            }
            Shape::Items(record) => {
                let list = node.as_list().ok_or_else(|| wrong(node, path, "a list"))?;
                list.iter()
                    .try_for_each(|item| record.check(item, &path.next(ITEM)))
            }
            Shape::External => match &node.value {
                Value::Map(_) => EXTERNAL.check(node, path),
                _ => scalar(node, &[Type::Bool, Type::Text], path),
            },
            Shape::Options => values(mapping(node, path)?, path, |node, path| {
                scalar(node, &[Type::Text, Type::Number], path)
            }),
        }
    }
}

fn values(
    map: &Map,
    path: &Path<'_>,
    check: impl Fn(&Node, &Path<'_>) -> Result<(), Diagnostic>,
) -> Result<(), Diagnostic> {
    map.iter().try_for_each(|(name, node)| {
        if name.is_empty() {
            let message = format!("{path}: a name cannot be empty");
            return Err(Diagnostic::new(Kind::Structure, message).at(node.place.span()));
        }
        check(node, &path.next(name))
    })
}

fn texts(node: &Node, path: &Path<'_>, wanted: &str) -> Result<(), Diagnostic> {
    let list = node.as_list().ok_or_else(|| wrong(node, path, wanted))?;
    list.iter()
        .try_for_each(|item| scalar(item, &[Type::Text], &path.next(ITEM)))
}

fn unique_texts(node: &Node, path: &Path<'_>) -> Result<(), Diagnostic> {
    texts(node, path, "a list of texts")?;
    let mut known = std::collections::BTreeSet::new();
    for item in node.as_list().unwrap_or_default() {
        if !known.insert(item.value.to_string()) {
            let message = format!("{path} has {} twice", item.value);
            return Err(Diagnostic::new(Kind::Structure, message).at(item.place.span()));
        }
    }
    Ok(())
}

fn scalar(node: &Node, types: &[Type], path: &Path<'_>) -> Result<(), Diagnostic> {
    if types.iter().any(|wanted| wanted.fits(&node.value)) {
        return Ok(());
    }
    let names: Vec<&str> = types.iter().map(|wanted| wanted.name()).collect();
    Err(wrong(node, path, &names.join(" or ")))
}

impl Type {
    fn fits(self, value: &Value) -> bool {
        match (self, value) {
            (Type::Text, Value::Text(_) | Value::Time(_)) => true,
            (Type::Bool, Value::Bool(_)) | (Type::Null, Value::Null) => true,
            (Type::Int | Type::Number, Value::Int(_) | Value::Uint(_)) => true,
            (Type::Int, Value::Float(number)) => number.is_finite() && number.fract() == 0.0,
            (Type::Number, Value::Float(number)) => number.is_finite(),
            _ => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Type::Text => "text",
            Type::Bool => "a boolean",
            Type::Int => "a whole number",
            Type::Number => "a number",
            Type::Null => "null",
        }
    }
}
