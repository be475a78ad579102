//! Converts the documents of a YAML file to nodes.
//!
//! The parser's events first become an arena of raw nodes. `Builder` converts those to values: it
//! copies the targets of aliases, applies merge keys and records the positions of `!reset` and
//! `!override`. Sizes are limited in both steps, so that a small file cannot grow into a large one.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span as Mark, Tag};

use super::{
    scalar::{ScalarTag, resolve},
    value::{Map, Node, Place, Value},
};
use crate::diagnostic::{Diagnostic, Kind};

/// The most nodes of one document; the limit of compose-go.
const MAX_NODES: usize = 100_000;
/// The most nodes of one document after its aliases are copied.
const MAX_COPIES: usize = 400_000;
/// The most bytes of text of one document after its aliases are copied.
const MAX_TEXT: usize = 64 << 20;
/// The most tabs after colons that are corrected, and the largest file in which they are.
const MAX_TABS: usize = 50;
const MAX_TABBED: usize = 1 << 20;
/// The deepest nesting.
const MAX_DEPTH: usize = 200;

/// One document of a file.
#[derive(Debug)]
pub(in crate::compose) struct Document {
    pub(in crate::compose) root: Node,
    /// Paths marked `!reset` or `!override`: the values of earlier files are dropped.
    pub(in crate::compose) resets: Vec<Vec<String>>,
}

/// Reads every document of a file.
pub(in crate::compose) fn documents(name: &str, text: &str) -> Result<Vec<Document>, Diagnostic> {
    let file: Arc<str> = name.into();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    check_symbols(&file, text)?;
    let mut text = Cow::Borrowed(text);
    for _ in 0..MAX_TABS {
        match read(&file, &text) {
            Ok(documents) => return Ok(documents),
            Err(Failure::Other(error)) => return Err(error),
            Err(Failure::Scan(error)) => match without_tab(&text, error.marker()) {
                Some(spaced) => text = Cow::Owned(spaced),
                None => return Err(scan_error(&file, &error)),
            },
        }
    }
    read(&file, &text).map_err(|failure| match failure {
        Failure::Other(error) => error,
        Failure::Scan(error) => scan_error(&file, &error),
    })
}

enum Failure {
    Scan(ScanError),
    Other(Diagnostic),
}

fn scan_error(file: &Arc<str>, error: &ScanError) -> Diagnostic {
    let (line, column) = (error.marker().line(), error.marker().col() + 1);
    let place = Place {
        file: file.clone(),
        line,
        column,
    };
    Diagnostic::new(Kind::Syntax, format!("invalid YAML: {}", error.info())).at(place.span())
}

fn read(file: &Arc<str>, text: &str) -> Result<Vec<Document>, Failure> {
    let mut parser = Parser::new_from_str(text);
    let mut documents = Vec::new();
    let mut arena = Arena::default();
    while let Some(event) = parser.next_event() {
        let (event, mark) = event.map_err(Failure::Scan)?;
        if let Event::DocumentEnd = event {
            let finished = std::mem::take(&mut arena);
            documents.push(finished.document(file).map_err(Failure::Other)?);
        } else {
            arena.push(file, event, mark).map_err(Failure::Other)?;
        }
    }
    Ok(documents)
}

/// Rejects control characters, which YAML does not allow.
fn check_symbols(file: &Arc<str>, text: &str) -> Result<(), Diagnostic> {
    let is_refused =
        |symbol: char| symbol.is_control() && !matches!(symbol, '\t' | '\n' | '\r' | '\u{85}');
    let Some(at) = text.find(is_refused) else {
        return Ok(());
    };
    let before = &text[..at];
    let line = 1 + before.matches('\n').count();
    let column = 1 + before
        .chars()
        .rev()
        .take_while(|symbol| *symbol != '\n')
        .count();
    let place = Place {
        file: file.clone(),
        line,
        column,
    };
    let message = "invalid YAML: control characters are not allowed";
    Err(Diagnostic::new(Kind::Syntax, message).at(place.span()))
}

/// Returns the text with spaces for the tabs between a colon and `mark`: the parser rejects tabs
/// there, YAML and the reference do not.
fn without_tab(text: &str, mark: &Marker) -> Option<String> {
    if text.len() > MAX_TABBED {
        return None;
    }
    let lines = text
        .split_inclusive('\n')
        .take(mark.line().saturating_sub(1));
    let start: usize = lines.map(str::len).sum();
    let line = text.get(start..)?;
    let end = line
        .char_indices()
        .nth(mark.col())
        .map_or(line.len(), |(at, _)| at);
    let before = line.get(..end)?;
    let kept = before.trim_end_matches('\t');
    let tabs = before.len() - kept.len();
    if tabs == 0 || !kept.ends_with(':') {
        return None;
    }
    let at = start + kept.len();
    let mut spaced = text.to_owned();
    spaced.replace_range(at..at + tabs, &" ".repeat(tabs));
    Some(spaced)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Plain,
    Reset,
    Override,
}

#[derive(Debug)]
enum Raw {
    Scalar {
        text: String,
        tag: ScalarTag,
        is_plain: bool,
    },
    List(Vec<usize>),
    /// Keys and values, alternating.
    Map(Vec<usize>),
    Alias(usize),
}

#[derive(Debug)]
struct RawNode {
    line: usize,
    column: usize,
    mode: Mode,
    raw: Raw,
}

/// The raw nodes of one document.
#[derive(Debug, Default)]
struct Arena {
    nodes: Vec<RawNode>,
    open: Vec<usize>,
    anchors: BTreeMap<usize, usize>,
}

impl Arena {
    fn push(&mut self, file: &Arc<str>, event: Event<'_>, mark: Mark) -> Result<(), Diagnostic> {
        let (raw, anchor, mode, is_open) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let (scalar_tag, mode) = tag_of(tag.as_ref());
                let is_plain = style == ScalarStyle::Plain;
                let text = text.into_owned();
                (
                    Raw::Scalar {
                        text,
                        tag: scalar_tag,
                        is_plain,
                    },
                    anchor,
                    mode,
                    false,
                )
            }
            Event::SequenceStart(anchor, tag) => {
                (Raw::List(Vec::new()), anchor, tag_of(tag.as_ref()).1, true)
            }
            Event::MappingStart(anchor, tag) => {
                (Raw::Map(Vec::new()), anchor, tag_of(tag.as_ref()).1, true)
            }
            Event::Alias(anchor) => (Raw::Alias(anchor), 0, Mode::Plain, false),
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
                return Ok(());
            }
            _ => return Ok(()),
        };
        let index = self.nodes.len();
        let (line, column) = (mark.start.line(), mark.start.col() + 1);
        let place = || {
            Place {
                file: file.clone(),
                line,
                column,
            }
            .span()
        };
        if index >= MAX_NODES {
            return Err(
                too_large(format!("the document has more than {MAX_NODES} nodes")).at(place()),
            );
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(
                too_large(format!("the document nests deeper than {MAX_DEPTH} levels")).at(place()),
            );
        }
        self.nodes.push(RawNode {
            line,
            column,
            mode,
            raw,
        });
        if anchor != 0 {
            self.anchors.insert(anchor, index);
        }
        if let Some(parent) = self.open.last()
            && let Raw::List(children) | Raw::Map(children) = &mut self.nodes[*parent].raw
        {
            children.push(index);
        }
        if is_open {
            self.open.push(index);
        }
        Ok(())
    }

    fn document(self, file: &Arc<str>) -> Result<Document, Diagnostic> {
        let mut builder = Builder {
            file: file.clone(),
            arena: &self,
            active: vec![false; self.nodes.len()],
            copies: 0,
            text: 0,
            depth: 0,
            path: Vec::new(),
            resets: Vec::new(),
        };
        let place = Place {
            file: file.clone(),
            line: 1,
            column: 1,
        };
        let root = match self.nodes.first() {
            Some(_) => builder.build(0)?,
            None => None,
        };
        let root = root.unwrap_or_else(|| Node::new(&place, Value::Null));
        Ok(Document {
            root,
            resets: builder.resets,
        })
    }
}

fn tag_of(tag: Option<&Cow<'_, Tag>>) -> (ScalarTag, Mode) {
    let Some(tag) = tag else {
        return (ScalarTag::None, Mode::Plain);
    };
    let scalar = match tag.suffix.as_str() {
        _ if !tag.is_yaml_core_schema() => ScalarTag::Other,
        "str" => ScalarTag::Text,
        "bool" => ScalarTag::Bool,
        "int" => ScalarTag::Int,
        "float" => ScalarTag::Float,
        "null" => ScalarTag::Null,
        "timestamp" => ScalarTag::Time,
        "binary" => ScalarTag::Binary,
        _ => ScalarTag::Other,
    };
    let mode = match (tag.handle.as_str(), tag.suffix.as_str()) {
        ("!", "reset") => Mode::Reset,
        ("!", "override") => Mode::Override,
        _ => Mode::Plain,
    };
    (scalar, mode)
}

fn too_large(message: String) -> Diagnostic {
    Diagnostic::new(Kind::Limit, message)
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
        if self.copies > MAX_COPIES || self.text > MAX_TEXT {
            let message = "the document grows too large by its aliases".to_owned();
            return Err(too_large(message).at(self.place(index).span()));
        }
        Ok(())
    }

    /// Builds the content of a node, which must not contain itself.
    fn nested<T>(
        &mut self,
        index: usize,
        inside: impl FnOnce(&mut Self) -> Result<T, Diagnostic>,
    ) -> Result<T, Diagnostic> {
        if self.depth >= MAX_DEPTH {
            let message = format!("the document nests deeper than {MAX_DEPTH} levels");
            return Err(too_large(message).at(self.place(index).span()));
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
                return Err(self.error(key, message));
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

#[cfg(test)]
mod tests;
