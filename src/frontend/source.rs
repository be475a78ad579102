//! The Dockerfile's text and its lines, for errors, the daemon's source maps and warnings.

use std::sync::Arc;

use crate::client::SourceDetail;
use crate::dockerfile::Span;
use crate::llb::{self, Location, SourceFile};
use crate::progress::{SourceExcerpt, SourceInfo, SourcePosition, SourceRange};

/// A Dockerfile that was read.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path, for messages.
    pub path: String,
    /// Its text, and its name without folder, which the daemon shows and stores.
    pub file: Arc<SourceFile>,
}

impl Source {
    /// Wraps the text of a Dockerfile; `path` is its name in messages.
    pub fn new(path: impl Into<String>, text: Vec<u8>) -> Self {
        let path = path.into();
        let name = path.rsplit('/').next().unwrap_or(&path);
        let file = SourceFile {
            filename: name.to_owned(),
            language: "Dockerfile".to_owned(),
            data: text,
            definition: None,
        };
        Self {
            file: Arc::new(file),
            path,
        }
    }

    /// Wraps the text of a Dockerfile that a daemon reads through `definition`; it has the same
    /// name for all purposes.
    pub(super) fn inside(filename: &str, text: Vec<u8>, definition: Arc<llb::Definition>) -> Self {
        let file = SourceFile {
            filename: filename.to_owned(),
            language: "Dockerfile".to_owned(),
            data: text,
            definition: Some(definition),
        };
        Self {
            file: Arc::new(file),
            path: filename.to_owned(),
        }
    }

    /// Returns the definition through which a daemon reads it, if any.
    pub(crate) fn definition(&self) -> Option<&llb::Definition> {
        self.file.definition.as_deref()
    }

    /// Returns its bytes.
    pub fn text(&self) -> &[u8] {
        &self.file.data
    }

    /// Returns the lines of a finding.
    pub(super) fn location(&self, span: Span) -> Location {
        let position = |line: u32| llb::Position {
            line: number(line),
            character: 0,
        };
        Location {
            file: self.file.clone(),
            ranges: Arc::from([llb::Range {
                start: position(span.first),
                end: position(span.last),
            }]),
        }
    }

    /// Returns the lines around `spans` with marks, under the file's path; empty without spans.
    pub(super) fn excerpt(&self, spans: &[Span]) -> String {
        self.excerpt_of(&self.detail(spans))
    }

    /// Returns the lines that the daemon names, under this file's path. They can be those of a
    /// linked build, which keep their name.
    pub(super) fn excerpt_of(&self, lines: &SourceDetail) -> String {
        let mut file = lines.info.clone();
        if file.data[..] == *self.text() {
            file.filename.clone_from(&self.path);
        }
        let ranges = lines.ranges.clone();
        SourceExcerpt { file, ranges }.render()
    }

    /// Returns the lines that a graph was created from, those of the first file; `None` without
    /// any.
    pub(super) fn detail_at(&self, locations: &[Location]) -> Option<SourceDetail> {
        let first = locations.first()?;
        let position = |at: llb::Position| SourcePosition {
            line: at.line,
            character: at.character,
        };
        let ranges = locations.iter().flat_map(|location| location.ranges.iter());
        Some(SourceDetail {
            info: SourceInfo::from(first.file.to_proto()),
            ranges: ranges
                .map(|range| SourceRange {
                    start: position(range.start),
                    end: position(range.end),
                })
                .collect(),
        })
    }

    /// Returns the same for the daemon.
    pub(super) fn detail(&self, spans: &[Span]) -> SourceDetail {
        SourceDetail {
            info: SourceInfo::from(self.file.to_proto()),
            ranges: spans
                .iter()
                .map(|span| SourceRange::lines(number(span.first), number(span.last)))
                .collect(),
        }
    }
}

fn number(line: u32) -> i32 {
    i32::try_from(line).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_another_file_keep_its_name() {
        let app = Source::new("deploy/app.Dockerfile", b"FROM base\nRUN a\n".to_vec());
        let base = Source::new("base.Dockerfile", b"FROM b\nRUN c\n".to_vec());
        let lines = |source: &Source| {
            let mut lines = SourceDetail::default();
            lines.info = SourceInfo::from(source.file.to_proto());
            lines.ranges = vec![SourceRange::lines(2, 2)];
            lines
        };
        let own = app.excerpt_of(&lines(&app));
        assert!(own.starts_with("deploy/app.Dockerfile:2\n"), "{own}");
        let linked = app.excerpt_of(&lines(&base));
        assert!(linked.starts_with("base.Dockerfile:2\n"), "{linked}");
    }
}
