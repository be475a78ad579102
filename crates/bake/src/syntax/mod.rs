//! Parses text to blocks and expressions with their ranges: HCL and its JSON form.
//!
//! This is an own parser because error positions must equal the reference's, which depend on its
//! error recovery, and because hostile nesting must result in an error, not a stack overflow.

mod range;

mod position;

pub(crate) mod token;

pub(crate) mod scan;

mod scan_symbol;

mod scan_text;

mod scan_check;

pub mod ast;

mod ast_range;

pub mod body;

mod parser;

mod parse_body;

mod parse_expression;

mod parse_steps;

mod parse_call;

mod parse_collection;

mod parse_for;

mod strings;

mod template;

mod template_trim;

mod template_tree;

mod json_scan;

mod json_text;

mod json_parse;

mod json_body;

mod json_string;

pub mod labels;

mod walk;

pub mod statics;

use std::sync::Arc;

pub use json_string::JsonString;
pub use range::Range;

pub use walk::{References, references};

use crate::diagnostic::{Diagnostic, Kind, Position};
use crate::limits::MAX_TOKENS;
use body::Body;
use parser::Parser;
use scan::{Mode, scan};
use token::TokenKind;

/// Parses an HCL file to its body.
///
/// # Errors
/// The first syntax error, with its position.
pub fn parse_hcl(bytes: &[u8], name: &str) -> Result<Body, Diagnostic> {
    let file: Arc<str> = name.into();
    let (text, bad_byte) = decode(bytes);
    let tokens = scan(text, Position::START, Mode::Normal);
    check_count(tokens.len())?;
    let wrong = scan_check::first_wrong(&tokens);
    if let Some(wrong) = wrong {
        let failed = Diagnostic::new(Kind::Syntax, wrong.message).at(wrong.range.within(&file));
        return Err(match wrong.reference {
            Some(reference) => failed.in_reference(reference),
            None => failed,
        });
    }
    if bad_byte {
        let end = tokens.last().map_or(Range::START, |token| token.range);
        return Err(Diagnostic::new(Kind::Syntax, "the file is not UTF-8").at(end.within(&file)));
    }
    let mut parser = Parser::new(tokens);
    let body = parser.body(&file, TokenKind::End);
    match parser.first {
        Some(error) => {
            let mut failed =
                Diagnostic::new(Kind::Syntax, error.message).at(error.range.within(&file));
            failed.others = u32::try_from(parser.errors - 1).unwrap_or(u32::MAX);
            Err(match error.reference {
                Some(reference) => failed.in_reference(reference),
                None => failed,
            })
        }
        None => Ok(body),
    }
}

pub use json_body::parse_json;

/// Rejects a file with too many tokens for a bake file.
fn check_count(tokens: usize) -> Result<(), Diagnostic> {
    if tokens <= MAX_TOKENS {
        return Ok(());
    }
    let message = format!("the file has more than {MAX_TOKENS} words and symbols");
    Err(Diagnostic::new(Kind::Limit, message))
}

/// Returns the text of a file up to its first byte that is not UTF-8, and true if there is one.
fn decode(bytes: &[u8]) -> (&str, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            (std::str::from_utf8(valid).unwrap_or_default(), true)
        }
    }
}
