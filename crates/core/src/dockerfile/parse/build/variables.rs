//! ARG, ENV and LABEL.

use super::super::super::error::ParseErrorKind;
use super::super::super::instruction::{
    ArgInstruction, ArgVariable, EnvInstruction, KeyValue, LabelInstruction,
};
use super::super::arguments::{pairs, words};
use super::{Parts, Result};

/// Parses `ARG name[=default] …`. Flags are ignored silently, as in BuildKit.
pub(super) fn arg(parts: &Parts<'_>) -> Result<ArgInstruction> {
    let words = words(parts.args, parts.escape);
    if words.is_empty() {
        return Err(parts.no_arguments("<name>[=<default>]"));
    }
    let mut variables = Vec::with_capacity(words.len());
    for word in words {
        variables.push(variable(word, parts)?);
    }
    Ok(ArgInstruction { variables })
}

fn variable(word: &str, parts: &Parts<'_>) -> Result<ArgVariable> {
    let (name, default) = word
        .split_once('=')
        .map_or((word, None), |(name, default)| (name, Some(default)));
    if name.is_empty() {
        return Err(ParseErrorKind::EmptyName {
            instruction: parts.name(),
        });
    }
    Ok(ArgVariable {
        name: name.to_owned(),
        default: default.map(str::to_owned),
        doc: doc_comment(parts.comments, name),
    })
}

/// Parses `ENV name=value …`, or `ENV name value`.
pub(super) fn env(parts: &Parts<'_>) -> Result<EnvInstruction> {
    Ok(EnvInstruction {
        pairs: key_values(parts)?,
    })
}

/// Parses `LABEL name=value …`, or `LABEL name value`.
pub(super) fn label(parts: &Parts<'_>) -> Result<LabelInstruction> {
    Ok(LabelInstruction {
        pairs: key_values(parts)?,
    })
}

fn key_values(parts: &Parts<'_>) -> Result<Vec<KeyValue>> {
    let pairs = pairs(parts.args, parts.escape, parts.name())?;
    parts.no_flags()?;
    if pairs.is_empty() {
        return Err(parts.no_arguments("<name>=<value>"));
    }
    if pairs.iter().any(|pair| pair.key.is_empty()) {
        return Err(ParseErrorKind::EmptyName {
            instruction: parts.name(),
        });
    }
    Ok(pairs)
}

/// Returns the text of the first comment of the form `name text`.
pub(super) fn doc_comment(comments: &[String], name: &str) -> Option<String> {
    let text = comments
        .iter()
        .find_map(|comment| comment.strip_prefix(name)?.strip_prefix(' '))?;
    Some(text.to_owned())
}
