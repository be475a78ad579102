//! The decision of a policy.

use std::collections::{BTreeMap, BTreeSet};

use regorus::Value;

use crate::error::{Error, Place};
use crate::format::plain;

/// The capabilities that a policy may request.
const CAPABILITIES: &[&str] = &["exec.proxy"];

/// The decision of a policy about a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// The value of `allow`; `None` if it is missing, which denies.
    pub allow: Option<bool>,
    /// The reasons for a denial.
    pub deny_messages: Vec<DenyMessage>,
    /// The requested capabilities.
    pub capabilities: BTreeMap<String, bool>,
    /// The digests that the image is pinned to; more than one is an error.
    pub pins: BTreeSet<String>,
    /// The line of the rule that decides.
    pub place: Option<Place>,
}

/// A reason for a denial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenyMessage {
    /// The reason.
    pub text: String,
    /// The line of the rule that gives the reason, if it is known.
    pub place: Option<Place>,
}

/// The consequence of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The source is used.
    Allow,
    /// The source is used with this digest.
    Pin(String),
    /// The source is not used.
    Deny,
}

impl Decision {
    /// True if the source may be used.
    pub fn is_allowed(&self) -> bool {
        self.allow == Some(true)
    }

    /// Returns the consequence of the decision.
    pub fn action(&self) -> Action {
        match (self.is_allowed(), self.pins.first()) {
            (false, _) => Action::Deny,
            (true, Some(digest)) => Action::Pin(digest.clone()),
            (true, None) => Action::Allow,
        }
    }

    /// Reads the parts of a decision that `policy test` shows, even if others are invalid.
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

    /// Parses the value of `data.docker.decision`.
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
