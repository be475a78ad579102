//! `--set`: texts such as `app.tags=x`, sorted by target and key.

use std::collections::HashMap;

use super::pattern::Pattern;
use crate::diagnostic::{Diagnostic, Kind};
use crate::files::Environment;
use crate::target::Target;

/// Keys whose values add up: `--set` may be given several times.
const LISTS: [&str; 12] = [
    "annotations",
    "attest",
    "cache-from",
    "cache-to",
    "entitlements",
    "network",
    "output",
    "platform",
    "policy",
    "secrets",
    "ssh",
    "tags",
];

/// What `--set` says about one key of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Override {
    /// The key, such as `tags` or `args.VERSION`.
    pub key: String,
    /// The text of a key with one value.
    pub value: String,
    /// The texts of a key with many values.
    pub values: Vec<String>,
    /// True if the values are added: `+=`.
    pub append: bool,
}

/// Overrides by the name of their target, in the order they were given.
pub(super) type Overrides = HashMap<String, Vec<Override>>;

/// An override that was read, without its target.
struct Parsed<'a> {
    pattern: &'a str,
    /// The key, whole.
    key: String,
    /// The parts of the key: at most two.
    parts: Vec<&'a str>,
    value: Option<&'a str>,
    append: bool,
}

/// Reads all `--set` texts.
pub(super) fn parse_overrides(
    texts: &[String],
    targets: &[Target],
    environment: &Environment,
) -> Result<Overrides, Diagnostic> {
    let mut overrides = Overrides::new();
    for text in texts {
        let parsed = parse(text)?;
        let names = expand(parsed.pattern, targets)?;
        let value = match argument(&parsed, environment)? {
            Some(value) => value,
            None => continue,
        };
        for name in names {
            let list = overrides.entry(name.to_owned()).or_default();
            let entry = match list.iter().position(|entry| entry.key == parsed.key) {
                Some(index) => &mut list[index],
                None => {
                    list.push(Override {
                        key: parsed.key.clone(),
                        ..Override::default()
                    });
                    let last = list.len() - 1;
                    &mut list[last]
                }
            };
            if parsed.parts.first().is_some_and(|key| LISTS.contains(key)) {
                entry.append = parsed.append;
                entry.values.push(value.to_owned());
            } else {
                value.clone_into(&mut entry.value);
            }
        }
    }
    Ok(overrides)
}

/// An override of one target, as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GivenOverride<'a> {
    /// The whole text.
    pub(crate) text: &'a str,
    /// The first part of the key.
    pub(crate) key: String,
    /// The second part of the key.
    pub(crate) name: Option<String>,
    /// True for `+=`.
    pub(crate) append: bool,
}

/// Those of `texts` that change the target `name`, in their order. Others are passed over, and so
/// are wrong ones: a plan tells about them.
pub(crate) fn overrides_of<'a>(
    texts: &'a [String],
    targets: &[Target],
    name: &str,
) -> Vec<GivenOverride<'a>> {
    let mut given = Vec::new();
    for text in texts {
        let Ok(parsed) = parse(text) else { continue };
        if expand(parsed.pattern, targets).is_ok_and(|names| names.contains(&name)) {
            let mut parts = parsed.parts.iter().map(|part| (*part).to_owned());
            given.push(GivenOverride {
                text,
                key: parts.next().unwrap_or_default(),
                name: parts.next(),
                append: parsed.append,
            });
        }
    }
    given
}

/// An error about an override.
pub(super) fn fail(message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Kind::Override, message)
}

/// Reads one text.
fn parse(text: &str) -> Result<Parsed<'_>, Diagnostic> {
    let (left, value) = match text.split_once('=') {
        Some((left, value)) => (left, Some(value)),
        None => (text, None),
    };
    let key = left.strip_suffix('+');
    let (key, append) = (key.unwrap_or(left), key.is_some());
    let mut parts = key.splitn(3, '.');
    let pattern = parts.next().unwrap_or_default();
    let parts: Vec<&str> = parts.collect();
    let Some(first) = parts.first() else {
        return Err(fail(format!(
            "{key:?} names no key: write TARGET.KEY=VALUE"
        )));
    };
    if value.is_none() && *first != "args" {
        return Err(fail(format!(
            "{text:?} has no value: write TARGET.KEY=VALUE"
        )));
    }
    let named = ["resources", "secret", "args", "contexts"];
    if named.contains(first) && parts.len() < 2 {
        return Err(fail(format!(
            "{left:?} needs a name: write TARGET.{first}.NAME=VALUE"
        )));
    }
    if append && ["resources", "secret"].contains(first) {
        return Err(fail(format!(
            "{first} cannot be added to: write = instead of +="
        )));
    }
    Ok(Parsed {
        pattern,
        key: parts.join("."),
        parts,
        value,
        append,
    })
}

/// The value; none if an argument is taken from the environment and not set there.
fn argument<'a>(
    parsed: &Parsed<'a>,
    environment: &'a Environment,
) -> Result<Option<&'a str>, Diagnostic> {
    if let Some(value) = parsed.value {
        return Ok(Some(value));
    }
    if environment.lookup_disabled {
        return Ok(Some(""));
    }
    let name = parsed.parts.get(1).copied().unwrap_or_default();
    Ok(environment.variables.get(name).map(String::as_str))
}

/// The names of the targets that a pattern matches.
fn expand<'a>(pattern: &'a str, targets: &'a [Target]) -> Result<Vec<&'a str>, Diagnostic> {
    if targets.iter().any(|target| target.name == pattern) {
        return Ok(vec![pattern]);
    }
    let matcher = Pattern::parse(pattern).map_err(|error| fail(format!("{pattern:?}: {error}")))?;
    let names = targets.iter().map(|target| target.name.as_str());
    let names: Vec<&str> = names.filter(|name| matcher.matches(name)).collect();
    if names.is_empty() {
        let known = targets.iter().map(|target| target.name.as_str());
        let message = format!("no target matches {pattern:?}");
        return Err(Diagnostic::new(Kind::UnknownTarget, message).suggest(pattern, known));
    }
    Ok(names)
}
