//! The instructions of ONBUILD triggers.

use super::super::ast::Instruction;
use super::super::error::{ParseError, ParseErrorKind};
use super::super::span::Span;
use super::statement::StatementReader;
use super::{Parts, heredocs, instruction, place};

/// Parses the text of an ONBUILD trigger, from
/// [`OnbuildInstruction`](crate::dockerfile::OnbuildInstruction) or from an image's config.
///
/// The instruction and all errors have the lines of `span`: those of the FROM that uses the base
/// image.
///
/// # Errors
/// [`ParseError`] if the text is not a single instruction, or FROM.
pub fn parse_trigger(text: &str, span: Span) -> Result<Instruction, ParseError> {
    trigger(text, span).map_err(|error| ParseError {
        span: Some(span),
        ..error
    })
}

fn trigger(text: &str, span: Span) -> Result<Instruction, ParseError> {
    let mut reader = StatementReader::new(text, text.as_bytes());
    let mut first = None;
    let mut count = 0;
    while let Some(mut statement) = reader.next()? {
        count += 1;
        let built = heredocs(&mut reader, &mut statement).and_then(|bodies| {
            instruction(&Parts::new(&statement, bodies, reader.directives.escape)?)
        });
        match built {
            Err(error) if error.kind.is_lexical() => return Err(error),
            built => first = first.or(Some(built.map(|kind| place(kind, statement)))),
        }
    }
    match first {
        Some(built) if count == 1 => built.map(|instruction| Instruction {
            span,
            ..instruction
        }),
        _ => Err(ParseError::new(
            ParseErrorKind::TriggerCount { count },
            span,
        )),
    }
}
