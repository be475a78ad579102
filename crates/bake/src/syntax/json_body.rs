//! Converts JSON values to bodies: properties become blocks or attributes.

use std::collections::HashSet;
use std::sync::Arc;

use super::ast::{Attribute, Brackets, Expression, Node};
use super::body::{Block, Body};
use super::check_count;
use super::json_parse::{Json, Property, parse};
use super::json_scan::scan_json;
use super::json_string::JsonString;
use super::range::Range;
use crate::diagnostic::{Diagnostic, Kind};
use crate::limits::MAX_SEQUENCES;

/// A parsed JSON file that is not converted yet.
#[derive(Debug)]
pub struct JsonFile {
    file: Arc<str>,
    root: Json,
}

/// Parses the JSON of a file.
///
/// # Errors
/// The first syntax error, with its position.
pub fn parse_json(bytes: &[u8], name: &str) -> Result<JsonFile, Diagnostic> {
    let file: Arc<str> = name.into();
    let text = String::from_utf8_lossy(bytes);
    let tokens = scan_json(&text);
    check_count(tokens.len())?;
    let sequences = text.matches("${").count() + text.matches("%{").count();
    if sequences > MAX_SEQUENCES {
        let message = format!("the file has more than {MAX_SEQUENCES} ${{…}} and %{{…}}");
        return Err(Diagnostic::new(Kind::Limit, message));
    }
    match parse(&tokens) {
        Ok(root) => Ok(JsonFile { file, root }),
        Err(failed) => {
            let first = failed.first;
            let mut error =
                Diagnostic::new(Kind::Syntax, first.message).at(first.range.within(&file));
            error.others = u32::try_from(failed.others).unwrap_or(u32::MAX);
            Err(match first.reference {
                Some(reference) => error.in_reference(reference),
                None => error,
            })
        }
    }
}

impl JsonFile {
    /// Converts the file to a body: `variable`, `function`, `group` and `target` are blocks with
    /// one label.
    ///
    /// # Errors
    /// If a block is not an object, or a property is repeated.
    pub fn into_body(self) -> Result<Body, Diagnostic> {
        let converter = Converter { file: self.file };
        let top = matches!(self.root, Json::Object { .. });
        let open = self.root.start_range();
        let mut body = Body::default();
        let mut rest = converter.properties(self.root, None)?;
        for kinds in [["variable", "function"], ["group", "target"]] {
            let (blocks, others): (Vec<_>, Vec<_>) = rest
                .into_iter()
                .partition(|property| kinds.contains(&property.name.as_str()));
            for property in blocks {
                converter.labelled(property, &mut body.blocks)?;
            }
            rest = others;
        }
        if !top {
            let failed = converter.fail(open, "the file must hold one JSON object, not an array");
            return failed.map_err(|error| {
                error.in_reference(
                    "Incorrect JSON value type; A JSON object is required here, setting the \
                     arguments for this block.",
                )
            });
        }
        body.attributes = converter.attributes(rest)?;
        Ok(body)
    }
}

/// Converts the JSON of one file.
struct Converter {
    file: Arc<str>,
}

impl Converter {
    fn fail<T>(&self, range: Range, message: impl Into<String>) -> Result<T, Diagnostic> {
        Err(Diagnostic::new(Kind::Structure, message).at(range.within(&self.file)))
    }

    /// Returns the properties of an object, or of all objects of an array. `label` names their
    /// meaning.
    fn properties(&self, value: Json, label: Option<&str>) -> Result<Vec<Property>, Diagnostic> {
        let expected = label.unwrap_or("attributes and blocks");
        match value {
            value if value.is_null() => Ok(Vec::new()),
            Json::Object { properties, .. } => Ok(properties),
            Json::Array { items, .. } => {
                let mut all = Vec::new();
                for item in items {
                    match item {
                        Json::Object { properties, .. } => all.extend(properties),
                        other => {
                            let message = format!("expected an object of {expected}");
                            return self.fail(other.start_range(), message);
                        }
                    }
                }
                Ok(all)
            }
            other => {
                let message = format!("expected an object of {expected}");
                self.fail(other.start_range(), message)
            }
        }
    }

    /// Adds the blocks of `"target": { "name": { … } }`.
    fn labelled(&self, property: Property, blocks: &mut Vec<Block>) -> Result<(), Diagnostic> {
        let Property {
            name: kind,
            name_range: kind_range,
            value,
        } = property;
        let start = value.start_range();
        let labels = self.properties(value, Some("names"))?;
        if labels.is_empty() {
            return self.fail(
                start,
                format!("expected an object with the name of a {kind}"),
            );
        }
        for label in labels {
            let header = Header {
                kind: kind.clone(),
                kind_range,
                labels: vec![(label.name, label.name_range)],
            };
            self.block(header, label.value, blocks)?;
        }
        Ok(())
    }

    /// Adds the block or blocks of a value.
    fn block(&self, header: Header, value: Json, out: &mut Vec<Block>) -> Result<(), Diagnostic> {
        let open = value.start_range();
        match value {
            value if value.is_null() => Ok(()),
            Json::Object { .. } => {
                out.push(self.single(header, value, open)?);
                Ok(())
            }
            Json::Array { items, .. } => {
                for item in items {
                    out.push(self.single(header.clone(), item, open)?);
                }
                Ok(())
            }
            _ => {
                let message = format!(
                    "expected an object or an array of objects for the {:?} block",
                    header.kind
                );
                self.fail(open, message)
            }
        }
    }

    /// Returns one block.
    fn single(&self, header: Header, value: Json, open: Range) -> Result<Block, Diagnostic> {
        let missing = match &value {
            Json::Object { close, .. } => *close,
            other => other.start_range(),
        };
        let nested = header.kind == "variable";
        let (blocks, properties): (Vec<_>, Vec<_>) = self
            .properties(value, None)?
            .into_iter()
            .partition(|property| nested && property.name == "validation");
        let mut body = Body {
            attributes: self.attributes(properties)?,
            blocks: Vec::new(),
        };
        for property in blocks {
            let header = Header {
                kind: property.name,
                kind_range: property.name_range,
                labels: Vec::new(),
            };
            self.block(header, property.value, &mut body.blocks)?;
        }
        Ok(Block {
            file: self.file.clone(),
            kind: header.kind,
            kind_range: header.kind_range,
            labels: header.labels,
            open,
            missing,
            body,
        })
    }

    /// Converts properties to attributes. `//` is a comment.
    fn attributes(&self, properties: Vec<Property>) -> Result<Vec<Attribute>, Diagnostic> {
        let mut seen = HashSet::new();
        let mut attributes = Vec::new();
        for property in properties {
            if property.name == "//" {
                continue;
            }
            if !seen.insert(property.name.clone()) {
                let message = format!("attribute {:?} is set already", property.name);
                return self.fail(property.name_range, message);
            }
            let range = property.name_range.to(property.value.range());
            attributes.push(Attribute {
                name: property.name,
                name_range: property.name_range,
                range,
                expression: Expression {
                    file: self.file.clone(),
                    node: Arc::new(node(property.value)),
                },
            });
        }
        Ok(attributes)
    }
}

/// The words before a block's body.
#[derive(Clone)]
struct Header {
    kind: String,
    kind_range: Range,
    labels: Vec<(String, Range)>,
}

/// Converts a JSON value to an expression.
fn node(value: Json) -> Node {
    match value {
        Json::String(text, range) => Node::JsonString(JsonString::new(text, range)),
        Json::Constant(value, range) => Node::Literal(value, range),
        Json::Array { items, open, close } => Node::Tuple(
            items.into_iter().map(node).collect(),
            Brackets {
                range: open.to(close),
                open,
            },
        ),
        Json::Object {
            properties,
            open,
            close,
        } => Node::JsonObject(
            properties
                .into_iter()
                .map(|property| {
                    let name = JsonString::new(property.name, property.name_range);
                    (name, node(property.value))
                })
                .collect(),
            Brackets {
                range: open.to(close),
                open,
            },
        ),
    }
}
