//! Formats a diagnostic: one line with its position, and an excerpt of the file.

use std::fmt;

use super::{Diagnostic, Span};
use crate::files::InputFile;

/// The number of lines shown before and after the position.
const AROUND: u32 = 2;
/// The number of columns shown of a line.
const WIDTH: usize = 200;

/// Formats as `NAME:LINE,COLUMN-COLUMN: message, and N other diagnostic(s)`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(&self.message, f)
    }
}

impl Diagnostic {
    /// Returns the same text with buildx's message, if that is well-known.
    pub fn to_reference(&self) -> Option<String> {
        let message = self.reference.as_deref()?;
        if self.is_reference_alone() {
            return Some(message.to_owned());
        }
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(message, &mut text);
        Some(text)
    }

    fn write(&self, message: &str, out: &mut impl fmt::Write) -> fmt::Result {
        if let Some(span) = &self.span {
            write!(out, "{span}: ")?;
        }
        out.write_str(message)?;
        if self.others > 0 {
            write!(out, ", and {} other diagnostic(s)", self.others)?;
        }
        Ok(())
    }

    /// Adds the lines around the position, from the file among `files`.
    #[must_use]
    pub fn with_source(mut self, files: &[InputFile]) -> Self {
        if let (Some(span), None) = (&self.span, self.excerpt()) {
            let named = |file: &&InputFile| {
                *file.name == *span.file
                    || span.file.strip_suffix(".hcl") == Some(&file.name)
                    || span.file.strip_suffix(".json") == Some(&file.name)
            };
            if let Some(file) = files.iter().find(named) {
                let text = String::from_utf8_lossy(&file.bytes);
                let excerpt = excerpt(span, &text);
                self.excerpt = Some(excerpt);
            }
        }
        self
    }
}

/// Returns the numbered lines of `text` around `span`, with the span's own lines marked.
fn excerpt(span: &Span, text: &str) -> String {
    const RULE: &str = "--------------------";
    let first = span.start.line.saturating_sub(AROUND).max(1);
    let last = span.end.line.min(span.start.line + 2 * AROUND) + AROUND;
    let mut out = format!("{}:{}\n{RULE}\n", span.file, span.start.line);
    let skipped = usize::try_from(first - 1).unwrap_or(usize::MAX);
    for (number, line) in (first..=last).zip(text.split('\n').skip(skipped)) {
        let marked = (span.start.line..=span.end.line).contains(&number);
        let mark = if marked { ">>> " } else { "    " };
        let shown: String = line.trim_end().chars().take(WIDTH).collect();
        out.push_str(&format!("{number:4} | {mark}{shown}\n"));
    }
    out.push_str(RULE);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Kind, Position};

    fn span(line: u32) -> Span {
        let point = |column| Position {
            line,
            column,
            byte: 0,
        };
        Span {
            file: "docker-bake.hcl".into(),
            start: point(3),
            end: point(5),
        }
    }

    #[test]
    fn place_comes_before_the_message() {
        let shown = Diagnostic::new(Kind::Syntax, "expected a value").at(span(2));
        assert_eq!(shown.to_string(), "docker-bake.hcl:2,3-5: expected a value");
    }

    #[test]
    fn excerpt_marks_the_line() {
        let file = InputFile {
            name: "docker-bake.hcl".into(),
            bytes: b"one\ntwo\nthree\n".to_vec(),
        };
        let shown = Diagnostic::new(Kind::Syntax, "x").at(span(2));
        assert_eq!(
            shown.with_source(&[file]).excerpt(),
            Some(
                "docker-bake.hcl:2\n--------------------\n   1 |     one\n   2 | >>> two\n   3 \
                 |     three\n   4 |     \n--------------------"
            )
        );
    }
}
