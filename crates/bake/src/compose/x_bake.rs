//! `x-bake`: attributes of bake that compose does not have.

use std::{collections::BTreeMap, fmt::Display};

use super::{
    canonical::wrong_type,
    path::{ITEM, Path},
    target::named_contexts,
    yaml::{Node, Place, Value},
};
use crate::{
    diagnostic::{Diagnostic, Kind},
    target::{Cache, Output, Secret, Ssh, Target},
};

/// The attributes of `x-bake`; others are ignored, as in the reference.
#[derive(Debug, Default)]
pub(super) struct XBake {
    tags: Vec<String>,
    cache_from: Vec<String>,
    cache_to: Vec<String>,
    secrets: Vec<String>,
    ssh: Vec<String>,
    platforms: Vec<String>,
    outputs: Vec<String>,
    pull: Option<bool>,
    no_cache: Option<bool>,
    no_cache_filter: Vec<String>,
    contexts: BTreeMap<String, String>,
}

impl XBake {
    pub(super) fn read(node: &Node) -> Result<XBake, Diagnostic> {
        let path = Path::ROOT.next("x-bake");
        let mut read = XBake::default();
        if node.is_null() {
            return Ok(read);
        }
        let map = node
            .as_map()
            .ok_or_else(|| wrong_type(node, &path, "a mapping"))?;
        for (name, node) in map {
            let path = path.next(name);
            let texts = match name.as_str() {
                "tags" => &mut read.tags,
                "cache-from" => &mut read.cache_from,
                "cache-to" => &mut read.cache_to,
                "secret" => &mut read.secrets,
                "ssh" => &mut read.ssh,
                "platforms" => &mut read.platforms,
                "output" => &mut read.outputs,
                "no-cache-filter" => &mut read.no_cache_filter,
                "pull" => {
                    read.pull = flag(node, &path)?;
                    continue;
                }
                "no-cache" => {
                    read.no_cache = flag(node, &path)?;
                    continue;
                }
                "contexts" => {
                    read.contexts = contexts(node, &path)?;
                    continue;
                }
                _ => continue,
            };
            *texts = self::texts(node, &path)?;
        }
        Ok(read)
    }

    /// Adds the attributes to those of the build section.
    pub(super) fn add_to(self, target: &mut Target, place: &Place) -> Result<(), Diagnostic> {
        let refuse = |attribute: &str, error: &dyn Display| {
            let message = format!("{attribute} of x-bake: {error}");
            Diagnostic::new(Kind::Attribute, message).at(place.span())
        };
        add_distinct(&mut target.tags, self.tags);
        add_distinct(&mut target.platforms, self.platforms);
        for (attribute, texts, caches) in [
            ("cache-from", &self.cache_from, &mut target.cache_from),
            ("cache-to", &self.cache_to, &mut target.cache_to),
        ] {
            if texts.is_empty() {
                continue;
            }
            let mut all = caches.take().unwrap_or_default();
            for text in texts {
                let parsed = Cache::parse_entries(text);
                all.extend(parsed.map_err(|error| refuse(attribute, &error))?);
            }
            *caches = Cache::normalize(all);
        }
        let filled = |texts: Vec<String>| texts.into_iter().filter(|text| !text.is_empty());
        if !self.secrets.is_empty() {
            let mut all = std::mem::take(&mut target.secrets);
            for text in filled(self.secrets) {
                all.push(Secret::parse(&text).map_err(|error| refuse("secret", &error))?);
            }
            target.secrets = Secret::normalize(all);
        }
        if !self.ssh.is_empty() {
            let mut all = std::mem::take(&mut target.ssh);
            all.extend(filled(self.ssh).map(|text| Ssh::parse(&text)));
            target.ssh = Ssh::normalize(all);
            target.ssh.sort();
        }
        if !self.outputs.is_empty() {
            let mut all = Vec::new();
            for text in filled(self.outputs) {
                all.push(Output::parse(&text).map_err(|error| refuse("output", &error))?);
            }
            target.outputs = Some(all);
        }
        target.pull = self.pull.or(target.pull);
        target.no_cache = self.no_cache.or(target.no_cache);
        if !self.no_cache_filter.is_empty() {
            target.no_cache_filter = distinct(self.no_cache_filter);
        }
        for (name, context) in named_contexts(&self.contexts) {
            target.contexts.entry(name).or_insert(context);
        }
        Ok(())
    }
}

fn add_distinct(list: &mut Option<Vec<String>>, texts: Vec<String>) {
    if !texts.is_empty() {
        let mut all = list.take().unwrap_or_default();
        all.extend(texts);
        *list = Some(distinct(all));
    }
}

fn distinct(texts: Vec<String>) -> Vec<String> {
    let mut known = std::collections::BTreeSet::new();
    texts
        .into_iter()
        .filter(|text| known.insert(text.clone()))
        .collect()
}

/// Returns a list of texts; a single text is split at blanks.
fn texts(node: &Node, path: &Path<'_>) -> Result<Vec<String>, Diagnostic> {
    match &node.value {
        Value::Null => Ok(Vec::new()),
        Value::List(items) => items
            .iter()
            .filter(|item| !item.is_null())
            .map(|item| text(item, &path.next(ITEM)))
            .collect(),
        _ => Ok(text(node, path)?
            .split_whitespace()
            .map(str::to_owned)
            .collect()),
    }
}

fn text(node: &Node, path: &Path<'_>) -> Result<String, Diagnostic> {
    match &node.value {
        Value::List(_) | Value::Map(_) => Err(wrong_type(node, path, "text")),
        value => Ok(value.to_string()),
    }
}

/// Returns a boolean, also for the words of YAML 1.1.
fn flag(node: &Node, path: &Path<'_>) -> Result<Option<bool>, Diagnostic> {
    match &node.value {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(*flag)),
        Value::Text(text) => match text.as_str() {
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Ok(Some(true)),
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Ok(Some(false)),
            _ => Err(wrong_type(node, path, "a boolean")),
        },
        _ => Err(wrong_type(node, path, "a boolean")),
    }
}

fn contexts(node: &Node, path: &Path<'_>) -> Result<BTreeMap<String, String>, Diagnostic> {
    match &node.value {
        Value::Null => Ok(BTreeMap::new()),
        Value::Map(map) => map
            .iter()
            .map(|(name, node)| {
                let value = if node.is_null() {
                    String::new()
                } else {
                    text(node, &path.next(name))?
                };
                Ok((name.clone(), value))
            })
            .collect(),
        _ => Err(wrong_type(node, path, "a mapping")),
    }
}
