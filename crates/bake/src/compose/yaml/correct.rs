//! The text of a YAML file, with spaces where the parser needs more than the reference does.
//!
//! YAML ignores the blanks that are added here, so only columns change. They are mapped back.

use std::{borrow::Cow, collections::BTreeMap};

use saphyr_parser::{Marker, ScanError};

/// The most bytes that are parsed again after corrections. Each correction parses the whole file.
const MAX_PARSED_AGAIN: usize = 64 << 20;

// The parser's errors have no kinds.
const FLOW_INDENTATION: [&str; 2] = [
    "invalid indentation",
    "invalid indentation in flow construct",
];
const QUOTED_INDENTATION: &str = "invalid indentation in quoted scalar";
const COMMENT: &str = "comments must be separated from other tokens by whitespace";

pub(super) struct Corrected<'t> {
    text: Cow<'t, str>,
    /// The spaces added at the start of lines, by line.
    added: BTreeMap<usize, usize>,
    parsed_again: usize,
}

impl<'t> Corrected<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Corrected {
            text: Cow::Borrowed(text),
            added: BTreeMap::new(),
            parsed_again: 0,
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the column, from 0, that is at `column` of the corrected line.
    pub(super) fn original_column(&self, line: usize, column: usize) -> usize {
        column.saturating_sub(self.added.get(&line).copied().unwrap_or(0))
    }

    /// Corrects what `error` rejects. Returns false if the reference rejects it too, or if too
    /// much was parsed again. `indent` is where a line continues the innermost block.
    pub(super) fn correct(&mut self, error: &ScanError, indent: usize) -> bool {
        self.parsed_again = self.parsed_again.saturating_add(self.text.len());
        if self.parsed_again > MAX_PARSED_AGAIN || has_other_breaks(&self.text) {
            return false;
        }
        let (mark, info) = (error.marker(), error.info());
        if FLOW_INDENTATION.contains(&info) {
            self.indent_line(mark, indent)
        } else if info == QUOTED_INDENTATION {
            self.indent_quoted(mark, indent)
        } else if info == COMMENT {
            self.separate_comment(mark)
        } else {
            self.replace_tabs(mark)
        }
    }

    /// Moves the token at `mark`, the first of its line, to a column.
    fn indent_line(&mut self, mark: &Marker, column: usize) -> bool {
        let Some(start) = self.line_start(mark.line()) else {
            return false;
        };
        let spaces = column.saturating_sub(mark.col());
        if spaces == 0 || self.added.contains_key(&mark.line()) {
            return false;
        }
        self.text.to_mut().insert_str(start, &" ".repeat(spaces));
        self.added.insert(mark.line(), spaces);
        true
    }

    /// Indents the lines of the quoted text at `mark` after its first. Blanks at the start of a
    /// line are not part of the text.
    fn indent_quoted(&mut self, mark: &Marker, indent: usize) -> bool {
        let Some(start) = self.offset(mark) else {
            return false;
        };
        let quoted = &self.text[start..start + quoted_length(&self.text[start..])];
        let mut indented = String::with_capacity(quoted.len());
        let mut changed = false;
        for (number, line) in quoted.split_inclusive('\n').enumerate() {
            let present = line.len() - line.trim_start_matches(' ').len();
            let is_blank = line.trim().is_empty();
            if number > 0 && !is_blank && present < indent {
                let spaces = indent - present;
                indented.push_str(&" ".repeat(spaces));
                *self.added.entry(mark.line() + number).or_default() += spaces;
                changed = true;
            }
            indented.push_str(line);
        }
        let end = start + quoted.len();
        self.text.to_mut().replace_range(start..end, &indented);
        changed
    }

    /// Separates the comment at `mark` from the token before it. Nothing follows a comment, so no
    /// column changes.
    fn separate_comment(&mut self, mark: &Marker) -> bool {
        let Some(at) = self.offset(mark) else {
            return false;
        };
        let is_comment = self.text[at..].starts_with('#');
        if is_comment {
            self.text.to_mut().insert(at, ' ');
        }
        is_comment
    }

    /// Replaces the tabs between a colon and `mark` by spaces.
    fn replace_tabs(&mut self, mark: &Marker) -> bool {
        let Some((start, end)) = self.line_start(mark.line()).zip(self.offset(mark)) else {
            return false;
        };
        let before = &self.text[start..end];
        let kept = before.trim_end_matches('\t');
        let tabs = before.len() - kept.len();
        if tabs == 0 || !kept.ends_with(':') {
            return false;
        }
        let text = self.text.to_mut();
        text.replace_range(end - tabs..end, &" ".repeat(tabs));
        true
    }

    /// Returns where a line starts, in bytes. Lines count from 1.
    fn line_start(&self, line: usize) -> Option<usize> {
        match line {
            0 => None,
            1 => Some(0),
            _ => self
                .text
                .match_indices('\n')
                .nth(line - 2)
                .map(|(at, _)| at + 1),
        }
    }

    /// Returns where `mark` is, in bytes; the end of its line if the line is shorter.
    fn offset(&self, mark: &Marker) -> Option<usize> {
        let start = self.line_start(mark.line())?;
        let line = self.text[start..].split('\n').next().unwrap_or_default();
        let column = line.char_indices().nth(mark.col());
        Some(start + column.map_or(line.len(), |(at, _)| at))
    }
}

/// Returns true if a carriage return alone ends a line: the parser counts it, this file does not.
fn has_other_breaks(text: &str) -> bool {
    text.split('\r').skip(1).any(|rest| !rest.starts_with('\n'))
}

/// Returns the length of the quoted text that `text` begins with, or of all if no quote ends it.
fn quoted_length(text: &str) -> usize {
    let Some(quote) = text.chars().next() else {
        return 0;
    };
    let mut symbols = text.char_indices().skip(1).peekable();
    while let Some((at, symbol)) = symbols.next() {
        let is_escaped = match symbol {
            '\\' => quote == '"',
            _ if symbol != quote => continue,
            // Two single quotes are one in the text.
            _ => quote == '\'' && symbols.peek().is_some_and(|(_, next)| *next == '\''),
        };
        if is_escaped {
            symbols.next();
        } else if symbol == quote {
            return at + 1;
        }
    }
    text.len()
}
