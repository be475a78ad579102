//! Strings of JSON files, which are evaluated as templates.

use std::sync::OnceLock;

use super::ast::Node;
use super::parser::{ParseError, Parser};
use super::range::Range;
use super::scan::{Mode, scan};
use super::scan_check::first_wrong;
use super::token::TokenKind;
use crate::diagnostic::Position;
use crate::limits::MAX_TOKENS;

/// A string of a JSON file.
#[derive(Debug)]
pub struct JsonString {
    /// The text, without JSON's escapes.
    pub text: String,
    /// The range, including quotes.
    pub range: Range,
    template: OnceLock<Result<Box<Node>, ParseError>>,
    expression: OnceLock<Option<Box<Node>>>,
}

impl JsonString {
    /// Returns a string with its range.
    pub(super) fn new(text: String, range: Range) -> Self {
        Self {
            text,
            range,
            template: OnceLock::new(),
            expression: OnceLock::new(),
        }
    }

    /// Parses the string as a template.
    ///
    /// # Errors
    /// If the template is malformed: the range and the message.
    pub fn template(&self) -> Result<&Node, (Range, &str)> {
        let parsed = self.template.get_or_init(|| {
            let start = self.range.start;
            let start = Position {
                column: start.column + 1,
                byte: start.byte + 1,
                ..start
            };
            let tokens = scan(&self.text, start, Mode::BareTemplate);
            if tokens.len() > MAX_TOKENS {
                let range = self.range;
                let message = "the string has too many parts".to_owned();
                return Err(ParseError {
                    range,
                    message,
                    reference: None,
                });
            }
            let wrong = first_wrong(&tokens);
            let mut parser = Parser::new(tokens);
            let node = parser.bare_template();
            match wrong {
                Some(wrong) => Err(ParseError {
                    range: wrong.range,
                    message: wrong.message,
                    reference: wrong.reference.map(str::to_owned),
                }),
                None => parser.first.take().map_or(Ok(Box::new(node)), Err),
            }
        });
        match parsed {
            Ok(node) => Ok(node),
            Err(error) => Err((error.range, &error.message)),
        }
    }

    /// Parses the string as an expression, if it is one. Types and names are written this way.
    pub fn expression(&self) -> Option<&Node> {
        let parsed = self
            .expression
            .get_or_init(|| parse_expression(&self.text, self.range.start).map(Box::new));
        parsed.as_deref()
    }
}

/// Parses `text` as an expression, if it is one.
fn parse_expression(text: &str, start: Position) -> Option<Node> {
    let tokens = scan(text, start, Mode::Normal);
    if tokens.len() > MAX_TOKENS || first_wrong(&tokens).is_some() {
        return None;
    }
    let mut parser = Parser::new(tokens);
    let node = parser.with_newlines(false, |parser| {
        let node = parser.expression();
        (parser.peek_kind() == TokenKind::End).then_some(node)
    });
    node.filter(|_| parser.errors == 0)
}
