//! Converts the documents of a YAML file to nodes.
//!
//! The parser's events first become raw nodes, and those values. Sizes are limited in both steps.

use std::{borrow::Cow, sync::Arc};

use saphyr_parser::{Event, Marker, Parser, ScanError};

use super::{
    build,
    raw::Arena,
    value::{Node, Place},
};
use crate::diagnostic::{Diagnostic, Kind};

/// The most tabs after colons that are corrected, and the largest file in which they are.
const MAX_TABS: usize = 50;
const MAX_TABBED: usize = 1 << 20;

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
    let message = format!("invalid YAML: {}", error.info());
    let failed = Diagnostic::new(Kind::Syntax, message).at(place.span());
    failed.in_reference_alone(format!(
        "failed to parse : yaml: {}: {}",
        mark(line, column),
        error.info()
    ))
}

/// Returns a position as the reference prints it: without a column at the start of a line.
fn mark(line: usize, column: usize) -> String {
    match column {
        1 => format!("line {line}"),
        _ => format!("line {line}, column {column}"),
    }
}

fn read(file: &Arc<str>, text: &str) -> Result<Vec<Document>, Failure> {
    let mut parser = Parser::new_from_str(text);
    let mut documents = Vec::new();
    let mut arena = Arena::default();
    while let Some(event) = parser.next_event() {
        let (event, mark) = event.map_err(Failure::Scan)?;
        if let Event::DocumentEnd = event {
            let finished = std::mem::take(&mut arena);
            documents.push(build::document(file, &finished).map_err(Failure::Other)?);
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

#[cfg(test)]
mod tests;
