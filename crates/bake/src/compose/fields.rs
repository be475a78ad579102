//! The fields of services and secrets as typed values.

use std::collections::BTreeMap;

use solvekit_core::units;

use super::{
    canonical::wrong_type,
    interpolate::boolean,
    path::Path,
    yaml::{Map, Node, Value},
};
use crate::diagnostic::{Diagnostic, Kind};

/// The entries of a validated mapping.
pub(super) struct Fields<'a> {
    pub(super) map: &'a Map,
    path: &'a Path<'a>,
}

static NOTHING: Map = Map::new();

impl<'a> Fields<'a> {
    /// The entries of a node; none if it is not a mapping.
    pub(super) fn of(node: &'a Node, path: &'a Path<'a>) -> Self {
        Self {
            map: node.as_map().unwrap_or(&NOTHING),
            path,
        }
    }

    fn refuse(&self, name: &str, node: &Node, problem: &dyn std::fmt::Display) -> Diagnostic {
        let message = format!("{}: {problem}", self.path.next(name));
        Diagnostic::new(Kind::Compose, message).at(node.place.span())
    }

    pub(super) fn text(&self, name: &str) -> Result<String, Diagnostic> {
        match self.map.get(name) {
            None => Ok(String::new()),
            Some(node) => match node.as_text() {
                Some(text) => Ok(text.to_owned()),
                None => Err(wrong_type(node, &self.path.next(name), "text")),
            },
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Diagnostic> {
        let Some(node) = self.map.get(name) else {
            return Ok(false);
        };
        match &node.value {
            Value::Bool(flag) => Ok(*flag),
            Value::Text(text) => boolean(text).ok_or_else(|| {
                self.refuse(
                    name,
                    node,
                    &format!("{text:?} is not a boolean: write true or false"),
                )
            }),
            _ => Err(wrong_type(node, &self.path.next(name), "a boolean")),
        }
    }

    pub(super) fn list(&self, name: &str) -> &'a [Node] {
        self.map
            .get(name)
            .and_then(Node::as_list)
            .unwrap_or_default()
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Diagnostic> {
        self.list(name)
            .iter()
            .map(|node| match node.as_text() {
                Some(text) => Ok(text.to_owned()),
                None => Err(wrong_type(node, &self.path.next(name), "a list of texts")),
            })
            .collect()
    }

    pub(super) fn optional_texts(&self, name: &str) -> Result<Option<Vec<String>>, Diagnostic> {
        if self.map.contains_key(name) {
            self.texts(name).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Returns the entries of a mapping, or of a list of `NAME=VALUE`.
    fn entries(&self, name: &str) -> Vec<(String, Option<&'a Node>, Option<String>)> {
        match self.map.get(name).map(|node| &node.value) {
            Some(Value::Map(map)) => map
                .iter()
                .map(|(key, node)| {
                    let value = (!node.is_null()).then(|| node.value.to_string());
                    (key.clone(), Some(node), value)
                })
                .collect(),
            Some(Value::List(items)) => items
                .iter()
                .map(|item| {
                    let text = item.value.to_string();
                    match text.split_once('=') {
                        Some((key, value)) => (key.to_owned(), Some(item), Some(value.to_owned())),
                        None => (text, Some(item), None),
                    }
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn variables(
        &self,
        name: &str,
    ) -> Result<BTreeMap<String, Option<String>>, Diagnostic> {
        let is_list = self
            .map
            .get(name)
            .is_some_and(|node| node.as_list().is_some());
        let entries = self.entries(name);
        for (key, node, _) in &entries {
            if let Some(node) = node
                && is_list
                && key.ends_with(char::is_whitespace)
            {
                return Err(self.refuse(name, node, &format!("{key:?} ends with a space")));
            }
        }
        Ok(entries
            .into_iter()
            .map(|(key, _, value)| (key, value))
            .collect())
    }

    /// The same without positions; an entry without a value has an empty one.
    pub(super) fn texts_by_name(&self, name: &str) -> BTreeMap<String, String> {
        let entries = self.entries(name).into_iter();
        entries
            .map(|(key, _, value)| (key, value.unwrap_or_default()))
            .collect()
    }

    pub(super) fn hosts(&self) -> Result<BTreeMap<String, Vec<String>>, Diagnostic> {
        let mut hosts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let Some(node) = self.map.get("extra_hosts") else {
            return Ok(hosts);
        };
        match &node.value {
            Value::Map(map) => {
                for (host, node) in map {
                    let addresses = match &node.value {
                        Value::List(items) => {
                            items.iter().map(|item| item.value.to_string()).collect()
                        }
                        Value::Null => vec![String::new()],
                        value => vec![value.to_string()],
                    };
                    hosts.insert(host.clone(), addresses);
                }
            }
            Value::List(items) => {
                for item in items {
                    let text = item.value.to_string();
                    let parts = text.split_once('=').or_else(|| text.split_once(':'));
                    let Some((host, addresses)) = parts else {
                        let problem = format!("{text:?} has no address");
                        return Err(self.refuse("extra_hosts", item, &problem));
                    };
                    let addresses = addresses.split(',').map(str::to_owned);
                    hosts.entry(host.to_owned()).or_default().extend(addresses);
                }
            }
            _ => {}
        }
        for (host, addresses) in &mut hosts {
            if host.is_empty() || host.contains([':', '=']) {
                let problem = format!("{host:?} is not a host name");
                return Err(self.refuse("extra_hosts", node, &problem));
            }
            for address in addresses {
                let inner = address
                    .strip_prefix('[')
                    .and_then(|rest| rest.strip_suffix(']'));
                if let Some(inner) = inner.filter(|inner| !inner.is_empty()) {
                    *address = inner.to_owned();
                }
            }
        }
        Ok(hosts)
    }

    pub(super) fn size(&self, name: &str) -> Result<i64, Diagnostic> {
        let Some(node) = self.map.get(name) else {
            return Ok(0);
        };
        match &node.value {
            Value::Int(bytes) => Ok(*bytes),
            Value::Text(text) => match text.parse() {
                Ok(bytes) => Ok(bytes),
                Err(_) => units::parse_size(text).map_err(|error| self.refuse(name, node, &error)),
            },
            // The reference ignores numbers with a point.
            _ => Ok(0),
        }
    }

    pub(super) fn ulimits(&self) -> Result<BTreeMap<String, (i64, i64)>, Diagnostic> {
        let mut limits = BTreeMap::new();
        let Some(map) = self.map.get("ulimits").and_then(Node::as_map) else {
            return Ok(limits);
        };
        let path = self.path.next("ulimits");
        for (name, node) in map {
            let path = path.next(name);
            let number = |key: &str| match node.as_map().and_then(|map| map.get(key)) {
                None => Ok(0),
                Some(Node {
                    value: Value::Int(number),
                    ..
                }) => Ok(*number),
                Some(node) => Err(wrong_type(node, &path.next(key), "a whole number")),
            };
            // The reference stores a single number separately and prints 0:0 for it.
            limits.insert(name.clone(), (number("soft")?, number("hard")?));
        }
        Ok(limits)
    }
}
