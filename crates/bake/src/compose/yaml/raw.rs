//! The raw nodes of a document, as the parser's events give them.

use std::collections::BTreeMap;

use saphyr_parser::{Event, ScalarStyle, Tag};

use super::{limits, scalar::ScalarTag, value::Place};
use crate::diagnostic::Diagnostic;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Plain,
    Reset,
    Override,
}

#[derive(Debug)]
pub(super) enum Raw {
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
pub(super) struct RawNode {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) mode: Mode,
    pub(super) raw: Raw,
}

/// The raw nodes of one document.
#[derive(Debug, Default)]
pub(super) struct Arena {
    pub(super) nodes: Vec<RawNode>,
    open: Vec<usize>,
    pub(super) anchors: BTreeMap<usize, usize>,
}

/// A node that an event begins.
struct Begun {
    raw: Raw,
    mode: Mode,
    /// 0 means none.
    anchor: usize,
}

impl Arena {
    /// Adds the node of an event at `place`, or ends the innermost list or mapping.
    pub(super) fn push(&mut self, event: Event<'_>, place: &Place) -> Result<(), Diagnostic> {
        if matches!(event, Event::SequenceEnd | Event::MappingEnd) {
            self.open.pop();
            return Ok(());
        }
        let Some(Begun { raw, mode, anchor }) = begun(event) else {
            return Ok(());
        };
        self.check_size(place)?;
        let index = self.nodes.len();
        if anchor != 0 {
            self.anchors.insert(anchor, index);
        }
        if let Some(parent) = self.open.last()
            && let Raw::List(children) | Raw::Map(children) = &mut self.nodes[*parent].raw
        {
            children.push(index);
        }
        if matches!(raw, Raw::List(_) | Raw::Map(_)) {
            self.open.push(index);
        }
        self.nodes.push(RawNode {
            line: place.line,
            column: place.column,
            mode,
            raw,
        });
        Ok(())
    }

    /// Returns the column, from 0, right of all lists and mappings that have not ended.
    pub(super) fn indent(&self) -> usize {
        let columns = self.open.iter().map(|index| self.nodes[*index].column);
        columns.max().unwrap_or(0)
    }

    /// Fails if there is no room for a node, which is at `place`.
    fn check_size(&self, place: &Place) -> Result<(), Diagnostic> {
        if self.nodes.len() >= limits::NODES {
            let message = format!("the document has more than {} nodes", limits::NODES);
            return Err(limits::exceeded(message, place));
        }
        if self.open.len() >= limits::DEPTH {
            return Err(limits::too_deep(place));
        }
        Ok(())
    }
}

fn begun(event: Event<'_>) -> Option<Begun> {
    let (raw, tag, anchor) = match event {
        Event::Scalar(text, style, anchor, tag) => {
            let raw = Raw::Scalar {
                text: text.into_owned(),
                tag: scalar_tag(tag.as_deref()),
                is_plain: style == ScalarStyle::Plain,
            };
            (raw, tag, anchor)
        }
        Event::SequenceStart(anchor, tag) => (Raw::List(Vec::new()), tag, anchor),
        Event::MappingStart(anchor, tag) => (Raw::Map(Vec::new()), tag, anchor),
        Event::Alias(target) => (Raw::Alias(target), None, 0),
        _ => return None,
    };
    let mode = mode(tag.as_deref());
    Some(Begun { raw, mode, anchor })
}

fn scalar_tag(tag: Option<&Tag>) -> ScalarTag {
    let Some(tag) = tag else {
        return ScalarTag::None;
    };
    match tag.suffix.as_str() {
        _ if !tag.is_yaml_core_schema() => ScalarTag::Other,
        "str" => ScalarTag::Text,
        "bool" => ScalarTag::Bool,
        "int" => ScalarTag::Int,
        "float" => ScalarTag::Float,
        "null" => ScalarTag::Null,
        "timestamp" => ScalarTag::Time,
        "binary" => ScalarTag::Binary,
        _ => ScalarTag::Other,
    }
}

fn mode(tag: Option<&Tag>) -> Mode {
    match tag.map(|tag| (tag.handle.as_str(), tag.suffix.as_str())) {
        Some(("!", "reset")) => Mode::Reset,
        Some(("!", "override")) => Mode::Override,
        _ => Mode::Plain,
    }
}
