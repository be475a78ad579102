//! `--set`: texts such as `app.tags=x`, sorted by target and key.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::budget::Budget;
use super::pattern::Pattern;
use crate::diagnostic::{Diagnostic, Kind};
use crate::files::Environment;
use crate::target::Target;

/// Keys whose values accumulate when `--set` is repeated.
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

/// The cost in bytes of matching a name with a pattern.
const COST: usize = 64;

/// The override of one key of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Override {
    /// The key, such as `tags` or `args.VERSION`.
    pub key: String,
    /// The text of a key with one value.
    pub value: String,
    /// The texts of a key with many values.
    pub values: Vec<String>,
    /// True to append the values: `+=`.
    pub append: bool,
}

/// The overrides of all targets.
#[derive(Default)]
pub(super) struct Overrides<'a> {
    given: Vec<(Parsed<'a>, &'a str)>,
    /// The indices of a target's overrides, in the given order.
    by_target: HashMap<&'a str, Vec<u32>>,
}

impl<'a> Overrides<'a> {
    /// Parses all `--set` texts.
    pub(super) fn parse(
        texts: &'a [String],
        targets: &'a [Target],
        environment: &'a Environment,
        budget: &Budget,
    ) -> Result<Self, Diagnostic> {
        let mut overrides = Self::default();
        let names = Names::new(targets);
        let mut expanded: HashMap<&str, Rc<Vec<&'a str>>> = HashMap::new();
        for text in texts {
            let parsed = parse(text)?;
            let matched = match expanded.get(parsed.pattern) {
                Some(matched) => matched.clone(),
                None => {
                    let matched = Rc::new(names.expand(parsed.pattern, budget)?);
                    expanded.insert(parsed.pattern, matched.clone());
                    matched
                }
            };
            let Some(value) = argument(&parsed, environment)? else {
                continue;
            };
            budget.spend(matched.len() * size_of::<u32>())?;
            let index = u32::try_from(overrides.given.len()).unwrap_or(u32::MAX);
            overrides.given.push((parsed, value));
            for name in matched.iter() {
                overrides.by_target.entry(name).or_default().push(index);
            }
        }
        Ok(overrides)
    }

    /// Returns the overrides of a target, one for each key; `None` if there are none.
    pub(super) fn of(
        &self,
        name: &str,
        budget: &Budget,
    ) -> Result<Option<Vec<Override>>, Diagnostic> {
        let Some(indices) = self.by_target.get(name) else {
            return Ok(None);
        };
        let mut list: Vec<Override> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        let given = indices.iter().filter_map(|index| {
            let index = usize::try_from(*index).ok()?;
            self.given.get(index)
        });
        for (parsed, value) in given {
            budget.spend(size_of::<Override>() + parsed.key.len() + value.len())?;
            let place = *places.entry(&parsed.key).or_insert_with(|| {
                list.push(Override {
                    key: parsed.key.clone(),
                    ..Override::default()
                });
                list.len() - 1
            });
            let Some(entry) = list.get_mut(place) else {
                continue;
            };
            if parsed.parts.first().is_some_and(|key| LISTS.contains(key)) {
                entry.append = parsed.append;
                entry.values.push((*value).to_owned());
            } else {
                (*value).clone_into(&mut entry.value);
            }
        }
        Ok(Some(list))
    }
}

/// The existing targets.
struct Names<'a> {
    targets: &'a [Target],
    names: HashSet<&'a str>,
}

impl<'a> Names<'a> {
    fn new(targets: &'a [Target]) -> Self {
        let names = targets.iter().map(|target| target.name.as_str()).collect();
        Self { targets, names }
    }

    /// True if a pattern matches the target `name`.
    fn matches(&self, pattern: &str, name: &str) -> bool {
        if self.names.contains(pattern) {
            return pattern == name;
        }
        Pattern::parse(pattern).is_ok_and(|pattern| pattern.matches(name))
    }

    /// Returns the names of the targets that a pattern matches.
    fn expand(&self, pattern: &str, budget: &Budget) -> Result<Vec<&'a str>, Diagnostic> {
        if let Some(name) = self.names.get(pattern) {
            return Ok(vec![name]);
        }
        let matcher =
            Pattern::parse(pattern).map_err(|error| fail(format!("{pattern:?}: {error}")))?;
        budget.spend(self.targets.len() * COST)?;
        let names = self.targets.iter().map(|target| target.name.as_str());
        let names: Vec<&str> = names.filter(|name| matcher.matches(name)).collect();
        if names.is_empty() {
            let known = self.names.iter().copied();
            let message = format!("no target matches {pattern:?}");
            let shown = Diagnostic::new(Kind::UnknownTarget, message).suggest(pattern, known);
            return Err(
                shown.in_reference(format!("could not find any target matching '{pattern}'"))
            );
        }
        Ok(names)
    }
}

/// A parsed override, without its target.
struct Parsed<'a> {
    pattern: &'a str,
    /// The whole key.
    key: String,
    /// The parts of the key, at most two.
    parts: Vec<&'a str>,
    value: Option<&'a str>,
    append: bool,
}

/// An override of one target, as given.
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

/// Returns those of `texts` that change the target `name`, in their order. Others are skipped, as
/// are malformed ones, which a plan reports.
pub(crate) fn overrides_of<'a>(
    texts: &'a [String],
    targets: &[Target],
    name: &str,
) -> Vec<GivenOverride<'a>> {
    let names = Names::new(targets);
    let mut given = Vec::new();
    for text in texts {
        let Ok(parsed) = parse(text) else { continue };
        if names.matches(parsed.pattern, name) {
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

/// Returns an error about an override.
pub(super) fn fail(message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Kind::Override, message)
}

/// Parses one text.
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
        return Err(fail(format!("{key:?} has no key: write TARGET.KEY=VALUE"))
            .in_reference(format!("invalid override key {key}, expected target.name")));
    };
    if value.is_none() && *first != "args" {
        return Err(
            fail(format!("{text:?} has no value: write TARGET.KEY=VALUE")).in_reference(format!(
                "invalid override {text}, expected target.name=value"
            )),
        );
    }
    let named = ["resources", "secret", "args", "contexts"];
    if named.contains(first) && parts.len() < 2 {
        return Err(fail(format!(
            "{left:?} needs a name: write TARGET.{first}.NAME=VALUE"
        ))
        .in_reference(format!("invalid key {key}, {first} requires name")));
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

/// Returns the value; `None` if an argument is taken from the environment and not set there.
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
