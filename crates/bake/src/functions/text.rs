//! Text: case, parts, joining, splitting, trimming. Characters are graphemes.

use unicode_segmentation::UnicodeSegmentation;

use crate::files::Host;
use crate::value::Value;

use super::arguments::{Arguments, Fault, reserve};
use super::error::CallReason;
use super::letters::{lower, title, upper};
use super::{Definition, Parameter, ParameterType, function, number, parameter, text};

const STR: &[Parameter] = &[text("str")];

const fn texts(name: &'static str) -> Parameter {
    parameter(name, ParameterType::TextList)
}

pub(super) const FUNCTIONS: &[Definition] = &[
    function("chomp", STR, |args, _| {
        Ok(Value::string(args.text(0)?.trim_end_matches(['\r', '\n'])))
    }),
    function("indent", &[number("spaces"), text("str")], indent),
    function("join", &[text("separator")], join).and_more(texts("lists")),
    function("lower", STR, |args, _| {
        Ok(Value::string(lower(args.text(0)?)))
    }),
    function(
        "replace",
        &[text("str"), text("substr"), text("replace")],
        replace,
    ),
    function("reverse", STR, |args, _| {
        Ok(Value::string(
            args.text(0)?.graphemes(true).rev().collect::<String>(),
        ))
    }),
    function("sanitize", &[text("name")], |args, _| {
        Ok(Value::string(sanitize(args.text(0)?)))
    }),
    function("sort", &[texts("list")], sort),
    function("split", &[text("separator"), text("str")], split),
    function("strlen", STR, |args, _| {
        Ok(Value::count(args.text(0)?.graphemes(true).count()))
    }),
    function(
        "substr",
        &[text("str"), number("offset"), number("length")],
        substr,
    ),
    function("title", STR, |args, _| {
        Ok(Value::string(title(args.text(0)?)))
    }),
    function("trim", &[text("str"), text("cutset")], trim),
    function("trimprefix", &[text("str"), text("prefix")], |args, _| {
        let text = args.text(0)?;
        Ok(Value::string(
            text.strip_prefix(args.text(1)?).unwrap_or(text),
        ))
    }),
    function("trimspace", STR, |args, _| {
        Ok(Value::string(args.text(0)?.trim()))
    }),
    function("trimsuffix", &[text("str"), text("suffix")], |args, _| {
        let text = args.text(0)?;
        Ok(Value::string(
            text.strip_suffix(args.text(1)?).unwrap_or(text),
        ))
    }),
    function("upper", STR, |args, _| {
        Ok(Value::string(upper(args.text(0)?)))
    }),
];

/// Indents every line except the first.
fn indent(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let spaces = usize::try_from(args.int(0)?).map_err(|_| CallReason::Negative)?;
    let text = args.text(1)?;
    let lines = text.matches('\n').count();
    reserve(
        spaces
            .saturating_mul(lines.max(1))
            .saturating_add(text.len()),
    )?;
    let pad = format!("\n{}", " ".repeat(spaces));
    Ok(Value::string(text.replace('\n', &pad)))
}

fn join(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let separator = args.text(0)?;
    let mut parts = Vec::new();
    for list in 1..args.len() {
        for (index, item) in args.items(list)?.iter().enumerate() {
            let part = item.as_str();
            parts.push(part.ok_or_else(|| Fault::at(list, CallReason::NullElement { index }))?);
        }
    }
    if args.len() == 1 {
        return Err(CallReason::NoArguments.into());
    }
    reserve(separator.len().saturating_mul(parts.len()))?;
    Ok(Value::string(parts.join(separator)))
}

fn replace(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let (text, old, new) = (args.text(0)?, args.text(1)?, args.text(2)?);
    let count = text.matches(old).count();
    reserve(new.len().saturating_mul(count).saturating_add(text.len()))?;
    Ok(Value::string(text.replace(old, new)))
}

/// Removes the characters that a target's name must not have.
fn sanitize(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    name.chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect()
}

fn sort(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let mut texts = Vec::new();
    for (index, item) in args.items(0)?.iter().enumerate() {
        texts.push(item.as_str().ok_or(CallReason::NullElement { index })?);
    }
    texts.sort_unstable();
    Ok(Value::strings(texts))
}

/// An empty separator splits into code points.
fn split(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let (separator, text) = (args.text(0)?, args.text(1)?);
    if separator.is_empty() {
        return Ok(Value::strings(text.chars().map(String::from)));
    }
    reserve(
        text.matches(separator)
            .count()
            .saturating_mul(size_of::<Value>()),
    )?;
    Ok(Value::strings(text.split(separator)))
}

/// A negative offset counts from the end; a negative length means the whole rest.
fn substr(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let text = args.text(0)?;
    let (offset, length) = (args.int(1)?, args.int(2)?);
    let from_end = offset < 0;
    if !from_end && length == 0 {
        return Ok(Value::string(""));
    }
    let skipped = if from_end {
        let count = i64::try_from(text.graphemes(true).count()).unwrap_or(i64::MAX);
        offset.saturating_add(count)
    } else {
        offset
    };
    let skipped = usize::try_from(skipped.max(0)).unwrap_or(usize::MAX);
    let rest = text.graphemes(true).skip(skipped);
    // After a negative offset, the reference treats the length 0 as the whole rest.
    let taken: String = match usize::try_from(length) {
        Ok(length @ 1..) => rest.take(length).collect(),
        _ => rest.collect(),
    };
    Ok(Value::string(taken))
}

fn trim(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let set: std::collections::HashSet<char> = args.text(1)?.chars().collect();
    let trimmed = args.text(0)?.trim_matches(|c| set.contains(&c));
    Ok(Value::string(trimmed))
}
