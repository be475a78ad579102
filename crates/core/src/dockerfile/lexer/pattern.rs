//! The patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/text}`: `*`, `?`, and
//! `\` before these and itself. BuildKit converts them to regular expressions, so neither wildcard
//! matches a newline.

use std::borrow::Cow;

use super::ExpandErrorReason;
use super::glob::{Glob, Part};
use super::scan::BYTE_ORDER_MARK;

/// The largest product of the lengths of a pattern and a value; matching then takes about a quarter
/// of a second.
const MAX_EFFORT: usize = 32 << 20;

type Result<T> = std::result::Result<T, ExpandErrorReason>;

/// Returns the value without the shortest matching prefix; without the longest if the pattern
/// begins with a second `#`.
pub(super) fn trim_prefix<'v>(value: &'v str, word: &str) -> Result<&'v str> {
    let (pattern, greedy) = greediness(word, '#');
    check_effort(value, pattern)?;
    if needs_another(pattern, value) {
        return Ok(value);
    }
    let glob = compile(pattern, greedy)?;
    Ok(glob.prefix(value).map_or(value, |end| &value[end..]))
}

/// Returns the value without the shortest matching suffix; without the longest if the pattern
/// begins with a second `%`.
///
/// It matches the reversed pattern against the beginning of the reversed value.
pub(super) fn trim_suffix<'v>(value: &'v str, word: &str) -> Result<&'v str> {
    let (pattern, greedy) = greediness(word, '%');
    check_effort(value, pattern)?;
    if needs_another(pattern, value) {
        return Ok(value);
    }
    let glob = compile(&reversed_pattern(pattern), greedy)?;
    let reversed: String = value.chars().rev().collect();
    Ok(glob
        .prefix(&reversed)
        .map_or(value, |end| &value[..value.len() - end]))
}

/// Returns the value with its first match replaced; the replacement is literal.
pub(super) fn replace_first<'v>(
    value: &'v str,
    pattern: &str,
    replacement: &str,
) -> Result<Cow<'v, str>> {
    check_effort(value, pattern)?;
    Ok(match compile(pattern, true)?.find(value) {
        None => Cow::Borrowed(value),
        Some(found) => {
            Cow::Owned([&value[..found.start], replacement, &value[found.end..]].concat())
        }
    })
}

/// Returns the value with every match replaced. `$0` in the replacement is the match and other
/// references are empty, because BuildKit uses Go's `ReplaceAllString`. A result longer than
/// `limit` bytes is an error.
pub(super) fn replace_all<'v>(
    value: &'v str,
    pattern: &str,
    replacement: &str,
    limit: usize,
) -> Result<Cow<'v, str>> {
    check_effort(value, pattern)?;
    let glob = compile(pattern, true)?;
    let mut text = String::new();
    let mut last = 0;
    for found in glob.find_all(value) {
        text.push_str(&value[last..found.start]);
        last = found.end;
        push_template(&mut text, replacement, &value[found], limit)?;
    }
    text.push_str(&value[last..]);
    Ok(Cow::Owned(text))
}

/// Checks the product of the lengths, to which the time of matching is proportional.
fn check_effort(value: &str, pattern: &str) -> Result<()> {
    match pattern.len().saturating_mul(value.len().max(1 << 10)) > MAX_EFFORT {
        true => Err(ExpandErrorReason::PatternTooLong),
        false => Ok(()),
    }
}

/// True if the pattern has a character that the value lacks, and no escapes.
/// `${VERSION%%[a-z]*}` is common, and brackets have no meaning.
fn needs_another(pattern: &str, value: &str) -> bool {
    let mut chars = pattern.chars();
    let lacks = |c| !matches!(c, '*' | '?' | BYTE_ORDER_MARK) && !value.contains(c);
    !pattern.contains('\\') && chars.any(lacks)
}

fn greediness(word: &str, operator: char) -> (&str, bool) {
    match word.strip_prefix(operator) {
        Some(pattern) => (pattern, true),
        None => (word, false),
    }
}

fn compile(pattern: &str, greedy: bool) -> Result<Glob> {
    let pattern_text = pattern.strip_prefix(BYTE_ORDER_MARK).unwrap_or(pattern);
    let mut parts = Vec::with_capacity(pattern_text.len());
    let mut chars = pattern_text.chars().peekable();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '*' => Part::Star,
            '?' => Part::Any,
            // These must be escaped inside the substitution; the escape is not part of the pattern.
            '\\' if matches!(chars.peek(), Some('}' | '/')) => continue,
            '\\' => match chars.next() {
                Some(escaped @ ('*' | '?' | '\\')) => Part::Is(escaped),
                other => {
                    let escaped = other.unwrap_or(char::REPLACEMENT_CHARACTER);
                    return Err(ExpandErrorReason::Pattern {
                        pattern: pattern.to_owned(),
                        escaped,
                    });
                }
            },
            c => Part::Is(c),
        });
    }
    Ok(Glob::new(parts, greedy))
}

/// Returns the reversed pattern, each escape still before its character.
fn reversed_pattern(pattern: &str) -> String {
    let mut parts = Vec::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let escaped = rest[c.len_utf8()..].chars().next().filter(|_| c == '\\');
        let (part, after) = rest.split_at(c.len_utf8() + escaped.map_or(0, char::len_utf8));
        parts.push(part);
        rest = after;
    }
    parts.reverse();
    parts.concat()
}

/// Implements Go's `Regexp.Expand` for an expression without groups: `$0` and `${0}` are the match,
/// `$$` is a dollar, any other name is empty, and a `$` without a name is kept.
fn push_template(text: &mut String, template: &str, found: &str, limit: usize) -> Result<()> {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        if text.len() > limit {
            return Err(ExpandErrorReason::TooLong);
        }
        text.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            text.push('$');
            rest = after;
            continue;
        }
        match reference(rest) {
            None => text.push('$'),
            Some((name, after)) => {
                if name == "0" {
                    text.push_str(found);
                }
                rest = after;
            }
        }
    }
    text.push_str(rest);
    if text.len() > limit {
        Err(ExpandErrorReason::TooLong)
    } else {
        Ok(())
    }
}

/// Returns the name after a `$`, with or without braces, and the rest.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (braces, text) = text
        .strip_prefix('{')
        .map_or((false, text), |inside| (true, inside));
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    let after = if braces {
        after.strip_prefix('}')?
    } else {
        after
    };
    (!name.is_empty()).then_some((name, after))
}
