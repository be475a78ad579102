//! Converts raw nodes to values: copies the targets of aliases, applies merge keys and records the
//! positions of `!reset` and `!override`.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    limits,
    raw::{Arena, Mode, Raw},
    read::Document,
    scalar::{ScalarTag, resolve},
    value::{Map, Node, Place, Value},
};
use crate::diagnostic::{Diagnostic, Kind};

/// Builds the document of these nodes.
pub(super) fn document(file: &Arc<str>, arena: &Arena) -> Result<Document, Diagnostic> {
    let mut builder = Builder {
        file: file.clone(),
        arena,
        active: vec![false; arena.nodes.len()],
        copies: 0,
        text: 0,
        depth: 0,
        path: Vec::new(),
        resets: Vec::new(),
    };
    let root = match arena.nodes.first() {
        Some(_) => builder.build(0)?,
        None => None,
    };
    let start = Place {
        file: file.clone(),
        line: 1,
        column: 1,
    };
    Ok(Document {
        root: root.unwrap_or_else(|| Node::new(&start, Value::Null)),
        resets: builder.resets,
    })
}

/// Converts raw nodes to values.
struct Builder<'a> {
    file: Arc<str>,
    arena: &'a Arena,
    /// The nodes that are being built: an alias to one of them is a cycle.
    active: Vec<bool>,
    copies: usize,
    text: usize,
    depth: usize,
    path: Vec<String>,
    resets: Vec<Vec<String>>,
}

impl<'a> Builder<'a> {
    fn place(&self, index: usize) -> Place {
        let node = &self.arena.nodes[index];
        Place {
            file: self.file.clone(),
            line: node.line,
            column: node.column,
        }
    }

    fn error(&self, index: usize, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Kind::Syntax, message).at(self.place(index).span())
    }

    /// Returns the value of a node, or nothing if it is marked `!reset`.
    fn build(&mut self, index: usize) -> Result<Option<Node>, Diagnostic> {
        let arena = self.arena;
        let node = &arena.nodes[index];
        self.count(index)?;
        match node.mode {
            Mode::Reset => {
                self.resets.push(self.path.clone());
                return Ok(None);
            }
            Mode::Override => self.resets.push(self.path.clone()),
            Mode::Plain => {}
        }
        let value = match &node.raw {
            Raw::Alias(_) => {
                let target = self.follow(index)?;
                return self.build(target);
            }
            Raw::Scalar {
                text,
                tag,
                is_plain,
            } => resolve(*tag, text, *is_plain)
                .map_err(|_| self.error(index, format!("{text:?} does not fit its tag")))?,
            Raw::List(children) => {
                self.nested(index, |builder| builder.list(children).map(Value::List))?
            }
            Raw::Map(children) => {
                let mut map = Map::new();
                self.nested(index, |builder| builder.map(children, &mut map))?;
                Value::Map(map)
            }
        };
        Ok(Some(Node {
            place: self.place(index),
            value,
        }))
    }

    /// Counts a node that is built or merged, against the limits of a document.
    fn count(&mut self, index: usize) -> Result<(), Diagnostic> {
        self.copies += 1;
        if let Raw::Scalar { text, .. } = &self.arena.nodes[index].raw {
            self.text += text.len();
        }
        if self.copies > limits::COPIES || self.text > limits::TEXT {
            let message = "the document grows too large by its aliases";
            return Err(limits::exceeded(message, &self.place(index)));
        }
        Ok(())
    }

    /// Builds the content of a node, which must not contain itself.
    fn nested<T>(
        &mut self,
        index: usize,
        inside: impl FnOnce(&mut Self) -> Result<T, Diagnostic>,
    ) -> Result<T, Diagnostic> {
        if self.depth >= limits::DEPTH {
            return Err(limits::too_deep(&self.place(index)));
        }
        self.depth += 1;
        self.active[index] = true;
        let built = inside(self);
        self.active[index] = false;
        self.depth -= 1;
        built
    }

    fn list(&mut self, children: &[usize]) -> Result<Vec<Node>, Diagnostic> {
        let mut items = Vec::with_capacity(children.len());
        for (position, child) in children.iter().enumerate() {
            self.path.push(position.to_string());
            items.extend(self.build(*child)?);
            self.path.pop();
        }
        Ok(items)
    }

    /// Adds the entries of a mapping that `map` lacks; a mapping's own entries override merged
    /// ones.
    fn map(&mut self, children: &[usize], map: &mut Map) -> Result<(), Diagnostic> {
        let mut lines = BTreeMap::new();
        let mut merges = Vec::new();
        for pair in children.chunks_exact(2) {
            let (key, value) = (pair[0], pair[1]);
            let name = self.key(key)?;
            if let Some(line) = lines.insert(name, self.arena.nodes[key].line) {
                let message = format!("the key {name:?} is already set at line {line}");
                let here = self.arena.nodes[key].line;
                return Err(self.error(key, message).in_reference_alone(format!(
                    "failed to parse : yaml: construct errors:\n  line 1: line {here}: mapping key \
                     {name:?} already defined at line {line}"
                )));
            }
            if self.is_merge_key(key) {
                merges.push(value);
                continue;
            }
            self.path.push(name.to_owned());
            let node = self.build(value)?;
            self.path.pop();
            if let Some(node) = node
                && !map.contains_key(name)
            {
                map.insert(
                    name.to_owned(),
                    Node {
                        place: self.place(key),
                        ..node
                    },
                );
            }
        }
        merges
            .into_iter()
            .try_for_each(|value| self.merge(value, map))
    }

    /// Returns the text of a key, which must be text.
    fn key(&self, index: usize) -> Result<&'a str, Diagnostic> {
        let arena = self.arena;
        if let Raw::Scalar {
            text,
            tag,
            is_plain,
        } = &arena.nodes[self.follow(index)?].raw
        {
            if let Ok(Value::Text(_)) = resolve(*tag, text, *is_plain) {
                return Ok(text);
            }
            return Err(self
                .error(index, format!("the key {text} is not text"))
                .hint(format!("write it with quotes: {text:?}")));
        }
        Err(self.error(index, "a key must be text"))
    }

    /// Returns the node itself, or the target of an alias.
    fn follow(&self, index: usize) -> Result<usize, Diagnostic> {
        let Raw::Alias(anchor) = &self.arena.nodes[index].raw else {
            return Ok(index);
        };
        match self.arena.anchors.get(anchor) {
            Some(target) if *target < index && !self.active[*target] => Ok(*target),
            Some(_) => Err(self.error(index, "the alias refers to a value that contains it")),
            None => Err(self.error(
                index,
                "the alias refers to an anchor that is not defined before it",
            )),
        }
    }

    fn is_merge_key(&self, index: usize) -> bool {
        let raw = &self.arena.nodes[index].raw;
        matches!(raw, Raw::Scalar { text, tag: ScalarTag::None, is_plain: true } if text == "<<")
    }

    /// Adds the target of a merge key: a mapping, or a list of mappings of which the first wins.
    fn merge(&mut self, index: usize, map: &mut Map) -> Result<(), Diagnostic> {
        self.count(index)?;
        let target = self.follow(index)?;
        let arena = self.arena;
        match &arena.nodes[target].raw {
            Raw::Map(children) => self.nested(target, |builder| builder.map(children, map)),
            Raw::List(items) => {
                for item in items {
                    self.count(*item)?;
                    let item = self.follow(*item)?;
                    let Raw::Map(children) = &arena.nodes[item].raw else {
                        return Err(self.error(item, MERGE_NEEDS_MAPPING));
                    };
                    self.nested(item, |builder| builder.map(children, map))?;
                }
                Ok(())
            }
            _ => Err(self.error(target, MERGE_NEEDS_MAPPING)),
        }
    }
}

const MERGE_NEEDS_MAPPING: &str = "a merge key takes a mapping or a list of mappings";
