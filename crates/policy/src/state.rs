//! The state of one evaluation: the input, its unknown fields, and the fields and files that were
//! read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use regorus::Value;

use crate::Files;
use crate::error::Place;
use crate::functions::string;
use crate::input::Input;
use crate::source::Described;

/// A part of the input with fields that may be unknown: an image, a repository, a download.
#[derive(Debug)]
struct Node {
    /// The path in the input: `image`, `image.provenance.materials[0].git`.
    path: String,
    value: Value,
    unknown: BTreeSet<String>,
}

/// The state of one evaluation.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) input: Input,
    pub(crate) image_value: Value,
    nodes: Vec<Node>,
    files: Arc<Files>,
    has_unverified_signatures: bool,
    /// The unknown fields that were read.
    pub(crate) fields: BTreeSet<String>,
    /// The files that were read and are missing.
    pub(crate) missing_files: BTreeSet<String>,
    /// The digests that the policy pins the image to.
    pub(crate) pins: BTreeSet<String>,
    /// Reasons that forbid `allow`, whatever the policy decides.
    pub(crate) blocked: BTreeSet<&'static str>,
    /// The reason the evaluation is invalid.
    pub(crate) failed: Option<&'static str>,
    /// The lines of messages.
    pub(crate) places: BTreeMap<String, Place>,
    /// The messages for the log.
    pub(crate) notes: Vec<String>,
}

impl State {
    pub(crate) fn new(described: &Described, files: &Arc<Files>) -> Self {
        let image = described.input.image.as_ref();
        let mut state = Self {
            input: described.input.clone(),
            image_value: image.map_or(Value::Undefined, value),
            nodes: Vec::new(),
            files: Arc::clone(files),
            has_unverified_signatures: described.has_unverified_signatures,
            fields: BTreeSet::new(),
            missing_files: BTreeSet::new(),
            pins: BTreeSet::new(),
            blocked: BTreeSet::new(),
            failed: None,
            places: BTreeMap::new(),
            notes: Vec::new(),
        };
        state.add_nodes(&described.input, "", &described.unknown);
        state
    }

    fn add_nodes(&mut self, input: &Input, prefix: &str, unknown: &[String]) {
        let mut add = |kind: &str, value: Option<Value>| {
            let Some(value) = value else { return };
            let path = format!("{prefix}{kind}");
            let start = format!("{path}.");
            let own = unknown
                .iter()
                .filter_map(|field| field.strip_prefix(start.as_str()));
            let own: BTreeSet<String> = own
                .filter(|field| !field.contains(['.', '[']))
                .map(str::to_owned)
                .collect();
            let has_more = kind == "image" && prefix.is_empty();
            if !own.is_empty() || has_more {
                self.nodes.push(Node {
                    path,
                    value,
                    unknown: own,
                });
            }
        };
        add("image", input.image.as_ref().map(value));
        add("git", input.git.as_ref().map(value));
        add("http", input.http.as_ref().map(value));
        for (index, material) in input.materials().iter().enumerate() {
            let prefix = format!("{prefix}image.provenance.materials[{index}].");
            self.add_nodes(material, &prefix, unknown);
        }
    }

    /// `X.field`: returns the field's value and records it if it is unknown.
    pub(crate) fn read(&mut self, values: &[Value]) -> Value {
        let [of, key] = values else {
            return Value::Undefined;
        };
        let name = string(Some(key)).unwrap_or_default();
        if matches!(of, Value::Object(_)) {
            for node in self.nodes.iter().filter(|node| node.value == *of) {
                if node.unknown.contains(&name) {
                    self.fields.insert(format!("{}.{name}", node.path));
                } else if name == "signatures"
                    && node.path == "image"
                    && self.has_unverified_signatures
                {
                    self.blocked
                        .insert("the signatures of the image cannot be verified");
                }
            }
        }
        of[key].clone()
    }

    /// Returns a message and records the line of its rule.
    pub(crate) fn message(&mut self, values: &[Value]) -> Value {
        let [file, line, message] = values else {
            return Value::Undefined;
        };
        if let (Some(file), Ok(line), Some(text)) =
            (string(Some(file)), line.as_u32(), string(Some(message)))
        {
            self.places.entry(text).or_insert(Place { file, line });
        }
        message.clone()
    }

    /// Returns a file beside the policy, and records it if it is missing.
    pub(crate) fn file(&mut self, path: &str, limit: usize) -> Option<Arc<[u8]>> {
        match self.files.get(path) {
            None => {
                self.missing_files.insert(path.to_owned());
                None
            }
            Some(None) => {
                self.note(format!("failed opening file {path:?}"));
                None
            }
            Some(Some(bytes)) if bytes.len() > limit => {
                self.note(format!("the file {path:?} is larger than {limit} bytes"));
                None
            }
            Some(Some(bytes)) => Some(Arc::clone(bytes)),
        }
    }

    pub(crate) fn need(&mut self, field: &str) {
        self.fields.insert(field.to_owned());
    }

    pub(crate) fn block(&mut self, reason: &'static str) {
        self.blocked.insert(reason);
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }
}

/// Converts a part of the input to a policy's value.
pub(crate) fn value(part: &impl serde::Serialize) -> Value {
    serde_json::to_value(part).map_or(Value::Undefined, Value::from)
}
