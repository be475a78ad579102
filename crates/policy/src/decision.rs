//! What a policy decides.

use std::collections::{BTreeMap, BTreeSet};

use regorus::Value;

use crate::error::{Error, Place};
use crate::format::plain;

/// The capabilities that a policy may ask for.
const CAPABILITIES: &[&str] = &["exec.proxy"];

/// What a policy decides about a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// What its `allow` says; `None` if it says nothing, which denies.
    pub allow: Option<bool>,
    /// Why not.
    pub deny_messages: Vec<DenyMessage>,
    /// The capabilities that it asks for.
    pub capabilities: BTreeMap<String, bool>,
    /// The digests that it pins the image to; more than one is an error.
    pub pins: BTreeSet<String>,
    /// The rule that decides.
    pub place: Option<Place>,
}

/// A reason for which a source is denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenyMessage {
    /// The reason.
    pub text: String,
    /// The rule that gives it, if it is known.
    pub place: Option<Place>,
}

/// What is done with the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is used.
    Allow,
    /// It is used with this digest.
    Pin(String),
    /// It is not used.
    Deny,
}

impl Decision {
    /// True if the source may be used.
    pub fn is_allowed(&self) -> bool {
        self.allow == Some(true)
    }

    /// What is done with the source.
    pub fn action(&self) -> Action {
        match (self.is_allowed(), self.pins.first()) {
            (false, _) => Action::Deny,
            (true, Some(digest)) => Action::Pin(digest.clone()),
            (true, None) => Action::Allow,
        }
    }

    /// What `policy test` shows of a decision, whatever else is wrong with it.
    pub(crate) fn read_loosely(value: &Value) -> Option<Self> {
        let object = value.as_object().ok()?;
        let get = |name: &str| object.get(&Value::from(name));
        let deny_messages = match get("deny_msg") {
            Some(text @ Value::String(_)) => vec![DenyMessage {
                text: plain(text),
                place: None,
            }],
            Some(messages) => texts(messages),
            None => Vec::new(),
        };
        let capabilities = get("caps").and_then(|caps| caps.as_object().ok());
        let capabilities = capabilities.into_iter().flat_map(|caps| caps.iter());
        Some(Self {
            allow: get("allow").and_then(|allow| allow.as_bool().ok()).copied(),
            deny_messages,
            capabilities: capabilities
                .filter_map(|(name, wanted)| Some((plain(name), *wanted.as_bool().ok()?)))
                .collect(),
            ..Self::default()
        })
    }

    /// Reads the value of `data.docker.decision`.
    pub(crate) fn read(value: &Value) -> Result<Self, Error> {
        if *value == Value::Undefined {
            return Err(Error::NoDecision);
        }
        let object = value
            .as_object()
            .map_err(|_| invalid("decision", "an object", value))?;
        let mut decision = Self::default();
        if let Some(allow) = object.get(&Value::from("allow")) {
            let allow = allow
                .as_bool()
                .map_err(|_| invalid("allow", "a boolean", allow))?;
            decision.allow = Some(*allow);
        }
        if let Some(messages) = object.get(&Value::from("deny_msg")) {
            decision.deny_messages = texts(messages);
        }
        if let Some(capabilities) = object.get(&Value::from("caps")) {
            decision.capabilities = read_capabilities(capabilities)?;
        }
        Ok(decision)
    }
}

fn texts(messages: &Value) -> Vec<DenyMessage> {
    let texts: Vec<&Value> = match messages {
        Value::Array(items) => items.iter().collect(),
        Value::Set(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    let texts = texts.into_iter().filter_map(|text| text.as_string().ok());
    let message = |text: &regorus::Rc<str>| DenyMessage {
        text: text.to_string(),
        place: None,
    };
    texts.map(message).collect()
}

fn read_capabilities(value: &Value) -> Result<BTreeMap<String, bool>, Error> {
    let object = value
        .as_object()
        .map_err(|_| invalid("caps", "an object", value))?;
    let mut capabilities = BTreeMap::new();
    for (name, wanted) in object.iter() {
        let name = plain(name);
        if !CAPABILITIES.contains(&name.as_str()) {
            return Err(Error::UnknownCapability { name });
        }
        let wanted = *wanted
            .as_bool()
            .map_err(|_| invalid(&format!("caps.{name}"), "a boolean", wanted))?;
        capabilities.insert(name, wanted);
    }
    Ok(capabilities)
}

fn invalid(field: &str, expected: &'static str, found: &Value) -> Error {
    Error::Decision {
        field: field.to_owned(),
        expected,
        found: plain(found),
    }
}
