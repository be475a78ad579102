//! ONBUILD: an instruction for the images built on this one.

use super::super::super::error::ParseErrorKind;
use super::super::super::instruction::OnbuildInstruction;
use super::super::super::keyword::Keyword;
use super::super::split;
use super::{Parts, Result, instruction};

/// Parses ONBUILD. As in BuildKit, the flags and arguments of the trigger are checked only when it
/// runs.
pub(super) fn onbuild(parts: &Parts<'_>) -> Result<OnbuildInstruction> {
    if parts.args.is_empty() {
        return Err(parts.no_arguments("an instruction"));
    }
    let (word, _, _) = split(parts.args, parts.escape);
    check_lines(parts)?;
    parts.no_flags()?;
    if matches!(
        Keyword::parse(word),
        Some(Keyword::Onbuild | Keyword::Maintainer | Keyword::From)
    ) {
        return Err(ParseErrorKind::Trigger {
            trigger: word.to_uppercase(),
        });
    }
    Ok(OnbuildInstruction {
        expression: expression(parts),
    })
}

/// Checks the text of the trigger.
fn check_lines(parts: &Parts<'_>) -> Result<()> {
    let (mut word, mut flags, mut args) = split(parts.args, parts.escape);
    while Keyword::parse(word) == Some(Keyword::Onbuild) {
        (word, flags, args) = split(args, parts.escape);
    }
    let Some(keyword) = Keyword::parse(word) else {
        return Ok(());
    };
    let trigger = Parts {
        keyword,
        word,
        flags,
        args,
        text: args,
        bodies: Vec::new(),
        ..*parts
    };
    match instruction(&trigger) {
        Err(error) if error.is_lexical() => Err(error),
        _ => Ok(()),
    }
}

/// Returns everything after ONBUILD, and the heredocs.
fn expression(parts: &Parts<'_>) -> String {
    let text = parts.text.trim_start();
    let mut expression = text[parts.word.len()..]
        .trim_start_matches(WHITE_SPACE)
        .to_owned();
    for body in &parts.bodies {
        expression.push('\n');
        expression.push_str(&body.heredoc.content);
        expression.push_str(&body.heredoc.name);
    }
    expression
}

/// The white space that the reference's regular expression removes after the keyword.
const WHITE_SPACE: [char; 5] = ['\t', '\n', '\x0c', '\r', ' '];
