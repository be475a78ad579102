//! Formats errors with the lines around them.

use std::fmt::Write;

use super::error::ParseError;
use super::span::Span;
use crate::{causes, text};

/// Formats the error: file and line, the lines around it with `>>>` before the wrong ones, the
/// fault and the expected text.
///
/// ```
/// use solvekit_core::dockerfile::{parse, render_error};
///
/// let source = b"FROM alpine\nRUNN true";
/// let error = parse(source).unwrap_err();
/// assert_eq!(render_error("Dockerfile", source, &error), "\
/// Dockerfile:2
/// --------------------
///    1 |     FROM alpine
///    2 | >>> RUNN true
/// --------------------
/// unknown instruction \"RUNN\"; did you mean RUN?
/// expected: ADD, ARG, CMD, COPY, ENTRYPOINT, ENV, EXPOSE, FROM, HEALTHCHECK, LABEL, \
/// MAINTAINER, ONBUILD, RUN, SHELL, STOPSIGNAL, USER, VOLUME, WORKDIR
/// ");
/// ```
pub fn render_error(file_name: &str, source: &[u8], error: &ParseError) -> String {
    let mut text = match error.shown_span() {
        Some(span) => render_source(file_name, source, span),
        None => format!("{}\n", text::one_line(file_name)),
    };
    text.push_str(&text::lines(&causes::in_one_line(error)));
    text.push('\n');
    if let Some(expected) = error.expected() {
        let _ = writeln!(text, "expected: {expected}");
    }
    text
}

/// Formats file and line, then the lines of the span and those around it; see [`text::excerpt`].
pub fn render_source(file_name: &str, source: &[u8], span: Span) -> String {
    text::excerpt(
        file_name,
        source,
        &[span.first as usize..=span.last as usize],
    )
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    fn rendered(source: &str) -> String {
        render_error(
            "Dockerfile",
            source.as_bytes(),
            &parse(source.as_bytes()).unwrap_err(),
        )
    }

    #[test]
    fn lines_around_are_shown_and_those_that_matter_marked() {
        let text = rendered("FROM a\n\nRUN b\nENV c=1 \\\n  d\nRUN f\n\nRUN g\n");
        assert!(
            text.starts_with(
                "Dockerfile:4\n--------------------\n   3 |     RUN b\n   4 | \
            >>> ENV c=1 \\\n   5 | >>>   d\n   6 |     RUN f\n--------------------\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn long_stretches_are_cut() {
        let text = rendered(&format!("FROM a\nRUN <<EOF\n{}", "x\n".repeat(50)));
        assert!(
            text.contains("  13 | >>> x\n     | >>> … up to line 52\n--------------------\n"),
            "{text}"
        );
        assert!(
            text.ends_with(
                "the heredoc <<EOF does not end\nexpected: a line with nothing but EOF\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn causes_and_lines_of_directives_are_reported() {
        assert!(
            rendered("FROM a\nRUN --mount=from=$x true")
                .contains("invalid --mount: from= takes no variables: \"$x\"\n")
        );
        assert!(
            rendered("# escape=x\nFROM a")
                .starts_with("Dockerfile:1\n--------------------\n   1 | >>> # escape=x\n")
        );
        assert_eq!(
            render_error("Dockerfile", b"", &parse(b"").unwrap_err())
                .lines()
                .next(),
            Some("Dockerfile")
        );
    }

    #[test]
    fn terminals_get_no_control_characters() {
        assert!(rendered("FROM a\n\u{1b}[31mRED\u{7}").contains(">>> [31mRED\n"));
    }
}
