//! FROM: the start of a stage.

use super::super::super::ast::Stage;
use super::super::super::error::ParseErrorKind;
use super::super::arguments::split_blanks;
use super::super::flags::{Flag, Flags};
use super::variables::doc_comment;
use super::{Parts, Result};
use crate::text::lower_case;

/// Parses `FROM [--platform=…] base [AS name]`; the caller adds the stage's comments.
pub(in super::super) fn stage(parts: &Parts<'_>) -> Result<Stage> {
    let (base, written_name) = arguments(parts)?;
    let name = written_name.map(stage_name).transpose()?;
    let flags = Flags::parse(&parts.flags, &[Flag::text("platform")], parts.name())?;
    Ok(Stage {
        doc: name
            .as_deref()
            .and_then(|name| doc_comment(parts.comments, name)),
        name,
        written_name: written_name.map(str::to_owned),
        base: base.to_owned(),
        platform: flags.text("platform"),
        original: parts.text.trim().to_owned(),
        span: parts.span,
        comments: Vec::new(),
        invalid_utf8: parts.invalid_utf8,
        instructions: Vec::new(),
    })
}

/// Returns the base and the name.
fn arguments<'s>(parts: &Parts<'s>) -> Result<(&'s str, Option<&'s str>)> {
    let mut args = split_blanks(parts.args);
    match (args.next(), args.next(), args.next(), args.count()) {
        (Some(base), None, None, 0) => Ok((base, None)),
        (Some(base), Some(keyword), Some(name), 0) if keyword.eq_ignore_ascii_case("as") => {
            Ok((base, Some(name)))
        }
        _ => Err(ParseErrorKind::FromArguments {
            count: split_blanks(parts.args).count(),
        }),
    }
}

/// Returns the name in lower case, if it is valid.
fn stage_name(written: &str) -> Result<String> {
    let name = lower_case(written);
    let mut bytes = name.bytes();
    let starts_well = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
    if starts_well
        && bytes.all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
    {
        Ok(name.into_owned())
    } else {
        Err(ParseErrorKind::StageName {
            name: written.to_owned(),
        })
    }
}
