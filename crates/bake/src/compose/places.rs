//! The positions of targets' attributes in compose files.

use super::yaml::{Map, Node, Place, Value};
use crate::diagnostic::Span;
use crate::target::sanitize_name;

/// The positions of one service's attributes.
#[derive(Clone, Debug, Default)]
pub(crate) struct ComposeSource {
    /// The name of the target.
    pub(crate) target: String,
    pub(crate) places: Vec<AttributePlace>,
    /// The unknown keys of `x-bake`.
    pub(crate) unknown: Vec<(String, Span)>,
}

/// The position of an attribute, or of an entry of it.
#[derive(Clone, Debug)]
pub(crate) struct AttributePlace {
    /// The attribute's name in bake files.
    pub(crate) attribute: String,
    /// The key of a map's entry.
    pub(crate) key: Option<String>,
    pub(crate) span: Span,
}

/// The keys of `build`, with the attributes they set.
const BUILD: [(&str, &str); 21] = [
    ("context", "context"),
    ("dockerfile", "dockerfile"),
    ("dockerfile_inline", "dockerfile-inline"),
    ("args", "args"),
    ("labels", "labels"),
    ("additional_contexts", "contexts"),
    ("extra_hosts", "extra-hosts"),
    ("ssh", "ssh"),
    ("secrets", "secret"),
    ("cache_from", "cache-from"),
    ("cache_to", "cache-to"),
    ("tags", "tags"),
    ("platforms", "platforms"),
    ("no_cache", "no-cache"),
    ("pull", "pull"),
    ("network", "network"),
    ("target", "target"),
    ("provenance", "attest"),
    ("sbom", "attest"),
    ("shm_size", "shm-size"),
    ("ulimits", "ulimits"),
];

/// The keys of `x-bake`, which have the names of bake files' attributes.
pub(crate) const X_BAKE: [&str; 11] = [
    "tags",
    "cache-from",
    "cache-to",
    "secret",
    "ssh",
    "platforms",
    "output",
    "pull",
    "no-cache",
    "no-cache-filter",
    "contexts",
];

/// Returns the positions of a service with a `build`.
pub(super) fn places(name: &str, service: &Node) -> Option<ComposeSource> {
    let service = service.as_map()?;
    let build = service.get("build")?;
    let mut source = ComposeSource {
        target: sanitize_name(name),
        ..ComposeSource::default()
    };
    let Some(build) = build.as_map() else {
        return Some(source);
    };
    for (key, attribute) in BUILD {
        source.add(build, key, attribute);
    }
    if let Some(extension) = build.get("x-bake").and_then(Node::as_map) {
        for key in X_BAKE {
            source.add(extension, key, key);
        }
        let unknown = extension
            .iter()
            .filter(|(key, _)| !X_BAKE.contains(&key.as_str()));
        source.unknown = unknown
            .map(|(key, node)| (key.clone(), node.place.span()))
            .collect();
    }
    let tagged = |place: &AttributePlace| place.attribute == "tags";
    if !source.places.iter().any(tagged) {
        source.add(service, "image", "tags");
    }
    Some(source)
}

impl ComposeSource {
    /// Adds the position of a key, and those of a map's entries.
    fn add(&mut self, map: &Map, key: &str, attribute: &str) {
        let Some(node) = map.get(key) else { return };
        let mut put = |key: Option<String>, place: &Place| {
            self.places.push(AttributePlace {
                attribute: attribute.to_owned(),
                key,
                span: place.span(),
            });
        };
        put(None, &node.place);
        match &node.value {
            Value::Map(entries) => {
                for (name, node) in entries {
                    put(Some(name.clone()), &node.place);
                }
            }
            Value::List(items) => {
                for item in items {
                    let text = item.as_text().unwrap_or_default();
                    let name = text.split_once('=').map_or(text, |(name, _)| name);
                    put(Some(name.to_owned()), &item.place);
                }
            }
            _ => {}
        }
    }
}
