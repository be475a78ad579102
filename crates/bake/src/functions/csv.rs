//! Comma-separated values, parsed with the rules of Go's `encoding/csv`.

use super::error::{CallReason, CsvProblem};

/// The rows of CSV text.
pub(super) struct Rows<'a> {
    rest: &'a str,
    /// The number of the first line of `rest`.
    line: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            line: 1,
        }
    }

    /// Returns the fields of the next row that is not empty; their number must be `wanted`.
    pub(super) fn next(
        &mut self,
        wanted: Option<usize>,
    ) -> Result<Option<Vec<String>>, CallReason> {
        loop {
            let start = self.line;
            let Some(line) = self.next_line() else {
                return Ok(None);
            };
            if line == "\n" {
                continue;
            }
            let fields = self.fields(line)?;
            return match wanted {
                Some(wanted) if wanted != fields.len() => Err(CallReason::Csv {
                    line: start,
                    problem: CsvProblem::FieldCount,
                }),
                _ => Ok(Some(fields)),
            };
        }
    }

    /// Returns the next line, with `\n` at its end unless it is the last one.
    fn next_line(&mut self) -> Option<String> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = match self.rest.split_once('\n') {
            Some((line, rest)) => (
                format!("{}\n", line.strip_suffix('\r').unwrap_or(line)),
                rest,
            ),
            None => (
                self.rest.strip_suffix('\r').unwrap_or(self.rest).to_owned(),
                "",
            ),
        };
        self.rest = rest;
        self.line += 1;
        Some(line)
    }

    fn fields(&mut self, mut line: String) -> Result<Vec<String>, CallReason> {
        let mut fields = Vec::new();
        let mut at = 0;
        loop {
            if line[at..].starts_with('"') {
                fields.push(self.quoted(&mut line, &mut at)?);
            } else {
                let text = &line[at..];
                let field = &text[..text.find([',', '\n']).unwrap_or(text.len())];
                if field.contains('"') {
                    return Err(self.wrong(CsvProblem::BareQuote));
                }
                fields.push(field.to_owned());
                at += field.len();
            }
            match &line[at..] {
                "" | "\n" => return Ok(fields),
                rest if rest.starts_with(',') => at += 1,
                _ => return Err(self.wrong(CsvProblem::Quote)),
            }
        }
    }

    /// Parses the field whose quote is at `at`; it may continue on the next lines.
    fn quoted(&mut self, line: &mut String, at: &mut usize) -> Result<String, CallReason> {
        let mut field = String::new();
        *at += 1;
        loop {
            let Some(quote) = line[*at..].find('"') else {
                field.push_str(&line[*at..]);
                *line = self
                    .next_line()
                    .ok_or_else(|| self.wrong(CsvProblem::Quote))?;
                *at = 0;
                continue;
            };
            field.push_str(&line[*at..*at + quote]);
            *at += quote + 1;
            if !line[*at..].starts_with('"') {
                return Ok(field);
            }
            field.push('"');
            *at += 1;
        }
    }

    fn wrong(&self, problem: CsvProblem) -> CallReason {
        CallReason::Csv {
            line: self.line - 1,
            problem,
        }
    }
}
