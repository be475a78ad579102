//! Services and secrets as typed values, with the attributes that a build needs.

use std::collections::BTreeMap;

use solvekit_core::units;

use super::{
    canonical::wrong_type,
    interpolate::boolean,
    path::Path,
    yaml::{Map, Node, Place, Value},
};
use crate::diagnostic::{Diagnostic, Kind};

/// A service.
pub(super) struct Service {
    pub(super) place: Place,
    pub(super) image: String,
    pub(super) build: Option<Build>,
    /// Variables; one without a value takes the project's.
    pub(super) environment: BTreeMap<String, Option<String>>,
    pub(super) env_files: Vec<EnvFile>,
}

/// A file of variables.
pub(super) struct EnvFile {
    pub(super) place: Place,
    pub(super) path: String,
    pub(super) is_required: bool,
    pub(super) format: String,
}

/// The `build` of a service. Empty text means unset.
pub(super) struct Build {
    pub(super) place: Place,
    pub(super) context: String,
    pub(super) dockerfile: String,
    pub(super) dockerfile_inline: String,
    pub(super) args: BTreeMap<String, Option<String>>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) additional_contexts: BTreeMap<String, String>,
    pub(super) extra_hosts: BTreeMap<String, Vec<String>>,
    /// Paths of keys by id; an empty path means the agent.
    pub(super) ssh: BTreeMap<String, String>,
    /// The names of secrets.
    pub(super) secrets: Vec<(Place, String)>,
    pub(super) cache_from: Vec<String>,
    pub(super) cache_to: Vec<String>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) platforms: Option<Vec<String>>,
    pub(super) no_cache: bool,
    pub(super) pull: bool,
    pub(super) network: String,
    pub(super) target: String,
    pub(super) provenance: String,
    pub(super) sbom: String,
    pub(super) shm_size: i64,
    /// Soft and hard limits by name.
    pub(super) ulimits: BTreeMap<String, (i64, i64)>,
    pub(super) x_bake: Option<Node>,
}

/// A secret of the project.
pub(super) struct Secret {
    pub(super) place: Place,
    pub(super) is_external: bool,
    pub(super) file: String,
    pub(super) environment: String,
}

impl Service {
    pub(super) fn read(node: &Node, path: &Path<'_>) -> Result<Service, Diagnostic> {
        let empty = Map::new();
        let fields = Fields {
            map: node.as_map().unwrap_or(&empty),
            path,
        };
        let build = match fields.map.get("build") {
            None => None,
            Some(node) => Some(Build::read(node, &path.next("build"))?),
        };
        Ok(Service {
            place: node.place.clone(),
            image: fields.text("image")?,
            build,
            environment: fields.variables("environment")?,
            env_files: fields
                .list("env_file")
                .iter()
                .map(|node| EnvFile::read(node, path))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl EnvFile {
    fn read(node: &Node, path: &Path<'_>) -> Result<EnvFile, Diagnostic> {
        let empty = Map::new();
        let path = &path.next("env_file");
        let fields = Fields {
            map: node.as_map().unwrap_or(&empty),
            path,
        };
        Ok(EnvFile {
            place: node.place.clone(),
            path: fields.text("path")?,
            is_required: fields.flag("required")?,
            format: fields.text("format")?,
        })
    }
}

impl Build {
    fn read(node: &Node, path: &Path<'_>) -> Result<Build, Diagnostic> {
        let empty = Map::new();
        let fields = Fields {
            map: node.as_map().unwrap_or(&empty),
            path,
        };
        // Not used, but checked as in the reference.
        fields.flag("privileged")?;
        fields.text("isolation")?;
        Ok(Build {
            place: node.place.clone(),
            context: fields.text("context")?,
            dockerfile: fields.text("dockerfile")?,
            dockerfile_inline: fields.text("dockerfile_inline")?,
            args: fields.variables("args")?,
            labels: fields.labels(),
            additional_contexts: fields.contexts(),
            extra_hosts: fields.hosts()?,
            ssh: fields.keys(),
            secrets: fields
                .list("secrets")
                .iter()
                .map(|node| secret_name(node, path))
                .collect::<Result<_, _>>()?,
            cache_from: fields.texts("cache_from")?,
            cache_to: fields.texts("cache_to")?,
            tags: fields.optional_texts("tags")?,
            platforms: fields.optional_texts("platforms")?,
            no_cache: fields.flag("no_cache")?,
            pull: fields.flag("pull")?,
            network: fields.text("network")?,
            target: fields.text("target")?,
            provenance: fields.text("provenance")?,
            sbom: fields.text("sbom")?,
            shm_size: fields.size("shm_size")?,
            ulimits: fields.ulimits()?,
            x_bake: fields.map.get("x-bake").cloned(),
        })
    }
}

impl Secret {
    pub(super) fn read(node: &Node, path: &Path<'_>) -> Result<Secret, Diagnostic> {
        let empty = Map::new();
        let fields = Fields {
            map: node.as_map().unwrap_or(&empty),
            path,
        };
        Ok(Secret {
            place: node.place.clone(),
            is_external: fields.flag("external")?,
            file: fields.text("file")?,
            environment: fields.text("environment")?,
        })
    }
}

fn secret_name(node: &Node, path: &Path<'_>) -> Result<(Place, String), Diagnostic> {
    let empty = Map::new();
    let path = &path.next("secrets");
    let fields = Fields {
        map: node.as_map().unwrap_or(&empty),
        path,
    };
    if let Some(mode) = fields.map.get("mode")
        && let Some(text) = mode.as_text()
        && i64::from_str_radix(text, 8).is_err()
    {
        return Err(wrong_type(mode, &path.next("mode"), "an octal number"));
    }
    Ok((node.place.clone(), fields.text("source")?))
}

/// The entries of a validated mapping.
struct Fields<'a> {
    map: &'a Map,
    path: &'a Path<'a>,
}

impl<'a> Fields<'a> {
    fn refuse(&self, name: &str, node: &Node, problem: &dyn std::fmt::Display) -> Diagnostic {
        let message = format!("{}: {problem}", self.path.next(name));
        Diagnostic::new(Kind::Compose, message).at(node.place.span())
    }

    fn text(&self, name: &str) -> Result<String, Diagnostic> {
        match self.map.get(name) {
            None => Ok(String::new()),
            Some(node) => match node.as_text() {
                Some(text) => Ok(text.to_owned()),
                None => Err(wrong_type(node, &self.path.next(name), "text")),
            },
        }
    }

    fn flag(&self, name: &str) -> Result<bool, Diagnostic> {
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

    fn list(&self, name: &str) -> &'a [Node] {
        self.map
            .get(name)
            .and_then(Node::as_list)
            .unwrap_or_default()
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, Diagnostic> {
        self.list(name)
            .iter()
            .map(|node| match node.as_text() {
                Some(text) => Ok(text.to_owned()),
                None => Err(wrong_type(node, &self.path.next(name), "a list of texts")),
            })
            .collect()
    }

    fn optional_texts(&self, name: &str) -> Result<Option<Vec<String>>, Diagnostic> {
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

    fn variables(&self, name: &str) -> Result<BTreeMap<String, Option<String>>, Diagnostic> {
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

    fn labels(&self) -> BTreeMap<String, String> {
        let entries = self.entries("labels").into_iter();
        entries
            .map(|(key, _, value)| (key, value.unwrap_or_default()))
            .collect()
    }

    fn contexts(&self) -> BTreeMap<String, String> {
        let entries = self.entries("additional_contexts").into_iter();
        entries
            .map(|(key, _, value)| (key, value.unwrap_or_default()))
            .collect()
    }

    fn keys(&self) -> BTreeMap<String, String> {
        let entries = self.entries("ssh").into_iter();
        entries
            .map(|(key, _, value)| (key, value.unwrap_or_default()))
            .collect()
    }

    fn hosts(&self) -> Result<BTreeMap<String, Vec<String>>, Diagnostic> {
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

    fn size(&self, name: &str) -> Result<i64, Diagnostic> {
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

    fn ulimits(&self) -> Result<BTreeMap<String, (i64, i64)>, Diagnostic> {
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
