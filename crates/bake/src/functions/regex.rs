//! Regular expressions in RE2's syntax.

use std::collections::BTreeMap;

use regex::{Captures, Regex, RegexBuilder};

use crate::files::Host;
use crate::value::{Type, Value};

use super::arguments::{Arguments, Fault, reserve};
use super::error::CallReason;
use super::pattern::translate;
use super::{Definition, function, text};

/// The largest compiled pattern for short text, in bytes; longer text has a lower limit.
const MAX_COMPILED: usize = 4 << 20;

/// The largest compiled pattern for the longest text, in bytes.
const MIN_COMPILED: usize = 32 << 10;

/// The longest text that is searched, in bytes.
const MAX_TEXT: usize = 256 << 10;

/// The limit of a search: the compiled size times the length of the text.
const MAX_COST: usize = 4 << 30;

/// The number of characters shown of an error.
const MAX_PROBLEM: usize = 300;

pub(super) const FUNCTIONS: &[Definition] = &[
    function("regex", &[text("pattern"), text("string")], first_match),
    function("regexall", &[text("pattern"), text("string")], all_matches),
    function(
        "regex_replace",
        &[text("str"), text("pattern"), text("replace")],
        replace,
    ),
];

fn first_match(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let regex = compile(args.text(0)?, args.text(1)?).map_err(|reason| Fault::at(0, reason))?;
    let groups = Groups::of(&regex).map_err(|reason| Fault::at(0, reason))?;
    let captures = regex.captures(args.text(1)?);
    Ok(groups.value(&captures.ok_or(CallReason::NoMatch)?))
}

fn all_matches(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let regex = compile(args.text(0)?, args.text(1)?).map_err(|reason| Fault::at(0, reason))?;
    let groups = Groups::of(&regex).map_err(|reason| Fault::at(0, reason))?;
    let mut size = 0u64;
    let mut found = Vec::new();
    for captures in regex.captures_iter(args.text(1)?) {
        let value = groups.value(&captures);
        size = size.saturating_add(value.size());
        reserve(usize::try_from(size).unwrap_or(usize::MAX))?;
        found.push(value);
    }
    Ok(Value::list(groups.ty(), found))
}

fn replace(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let (text, template) = (args.text(0)?, args.text(2)?);
    let regex = compile(args.text(1)?, text)?;
    let mut out = String::new();
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        out.push_str(&text[end..whole.start()]);
        expand(template, &captures, &mut out);
        end = whole.end();
        reserve(out.len())?;
    }
    out.push_str(&text[end..]);
    Ok(Value::string(out))
}

/// Compiles the pattern, within limits that bound the time of searching `text`.
fn compile(pattern: &str, text: &str) -> Result<Regex, CallReason> {
    if text.len() > MAX_TEXT {
        return Err(CallReason::TextTooLong { most: MAX_TEXT });
    }
    let limit = (MAX_COST / (text.len() + 1)).clamp(MIN_COMPILED, MAX_COMPILED);
    let translated = translate(pattern).map_err(|problem| CallReason::Pattern {
        problem: problem.to_string(),
    })?;
    let regex = RegexBuilder::new(&translated)
        .size_limit(limit)
        .dfa_size_limit(MAX_COMPILED)
        .build();
    regex.map_err(|error| CallReason::Pattern {
        problem: error.to_string().chars().take(MAX_PROBLEM).collect(),
    })
}

/// The form of a match: text without groups, a tuple for unnamed groups, an object for named ones.
enum Groups {
    None,
    Unnamed(usize),
    Named(Vec<String>),
}

impl Groups {
    fn of(regex: &Regex) -> Result<Self, CallReason> {
        let groups = regex.captures_len() - 1;
        let names: Vec<String> = regex.capture_names().flatten().map(str::to_owned).collect();
        match names.len() {
            0 if groups == 0 => Ok(Self::None),
            0 => Ok(Self::Unnamed(groups)),
            named if named == groups => Ok(Self::Named(names)),
            _ => Err(CallReason::MixedGroups),
        }
    }

    fn ty(&self) -> Type {
        match self {
            Self::None => Type::String,
            Self::Unnamed(count) => Type::tuple(vec![Type::String; *count]),
            Self::Named(names) => {
                Type::object(names.iter().map(|name| (name.clone(), Type::String)))
            }
        }
    }

    /// Returns the value of a match. A group that is not part of the match is null.
    fn value(&self, captures: &Captures<'_>) -> Value {
        let group = |index: usize| match captures.get(index) {
            Some(found) => Value::string(found.as_str()),
            None => Value::Null(Type::String),
        };
        match self {
            Self::None => group(0),
            Self::Unnamed(count) => Value::tuple((1..=*count).map(group).collect()),
            Self::Named(names) => {
                let named = names.iter().enumerate();
                let entries = named.map(|(i, name)| (name.clone(), group(i + 1)));
                Value::object(entries.collect::<BTreeMap<_, _>>())
            }
        }
    }
}

/// Expands a replacement: `$1`, `$name` and `${name}` are groups, `$$` is a dollar.
///
/// A name is as long as possible, so `$1x` is a group named `1x`; unknown groups are empty.
fn expand(template: &str, captures: &Captures<'_>, out: &mut String) {
    let mut rest = template;
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        let after = &rest[dollar + 1..];
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = group_name(after) {
            let group = match name.parse::<usize>() {
                Ok(index) => captures.get(index),
                Err(_) => captures.name(name),
            };
            out.push_str(group.map_or("", |group| group.as_str()));
            rest = after;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
}

/// Returns the name after a dollar, and the rest.
fn group_name(text: &str) -> Option<(&str, &str)> {
    let (text, braced) = match text.strip_prefix('{') {
        Some(text) => (text, true),
        None => (text, false),
    };
    let ends = |c: char| !(c.is_alphanumeric() || c == '_');
    let (name, rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
    if name.is_empty() {
        return None;
    }
    if braced {
        return rest.strip_prefix('}').map(|rest| (name, rest));
    }
    Some((name, rest))
}
