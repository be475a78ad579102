//! Converts the documents of a YAML file to nodes.
//!
//! The parser's events first become raw nodes, and those values. Sizes are limited in both steps.

use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScanError};

use super::{
    build,
    correct::Corrected,
    raw::Arena,
    value::{Node, Place},
};
use crate::diagnostic::{Diagnostic, Kind};

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
    let mut text = Corrected::new(text);
    loop {
        match read(&file, &text) {
            Ok(documents) => return Ok(documents),
            Err(Failure::Other(error)) => return Err(error),
            Err(Failure::Scan { error, indent }) if text.correct(&error, indent) => {}
            Err(Failure::Scan { error, .. }) => return Err(scan_error(&file, &text, &error)),
        }
    }
}

enum Failure {
    Scan {
        error: ScanError,
        /// The column, from 0, at which a line continues the innermost block.
        indent: usize,
    },
    Other(Diagnostic),
}

fn scan_error(file: &Arc<str>, text: &Corrected<'_>, error: &ScanError) -> Diagnostic {
    let line = error.marker().line();
    let column = text.original_column(line, error.marker().col()) + 1;
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

fn read(file: &Arc<str>, text: &Corrected<'_>) -> Result<Vec<Document>, Failure> {
    let mut parser = Parser::new_from_str(text.as_str());
    let mut documents = Vec::new();
    let mut arena = Arena::default();
    while let Some(event) = parser.next_event() {
        let (event, mark) = event.map_err(|error| Failure::Scan {
            error,
            indent: arena.indent(),
        })?;
        if let Event::DocumentEnd = event {
            let finished = std::mem::take(&mut arena);
            documents.push(build::document(file, &finished).map_err(Failure::Other)?);
        } else {
            let (line, column) = (mark.start.line(), mark.start.col());
            let place = Place {
                file: file.clone(),
                line,
                column: text.original_column(line, column) + 1,
            };
            arena.push(event, &place).map_err(Failure::Other)?;
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

#[cfg(test)]
mod tests;
