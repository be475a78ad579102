//! Source policies: rules that allow, deny or rewrite the sources of a build.

use std::collections::BTreeMap;

use prost::Message as _;
use serde::{Deserialize, Serialize};

use crate::proto::moby::buildkit::v1::sourcepolicy as proto;

/// Rules about sources; the last matching rule decides.
///
/// Its JSON is that of BuildKit's source policy files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourcePolicy {
    /// The version of the format: 1.
    #[serde(skip_serializing_if = "is_default")]
    pub version: i64,
    /// The rules.
    #[serde(skip_serializing_if = "is_default")]
    pub rules: Vec<SourceRule>,
}

/// A rule for sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceRule {
    /// The action.
    pub action: SourceAction,
    /// The sources that the rule applies to.
    pub selector: SourceSelector,
    /// The replacement of [`SourceAction::Convert`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updates: Option<SourceUpdate>,
}

/// The action of a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SourceAction {
    /// The source may be used.
    #[default]
    Allow,
    /// The build fails.
    Deny,
    /// Another source replaces it.
    Convert,
}

/// Selects the sources of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SourceSelector {
    /// The source's identifier, for example `docker-image://docker.io/library/*`.
    pub identifier: String,
    /// The kind of comparison with the identifier.
    #[serde(alias = "match_type", skip_serializing_if = "is_default")]
    pub match_type: SourceMatch,
    /// Conditions on its attributes; all must hold.
    #[serde(skip_serializing_if = "is_default")]
    pub constraints: Vec<SourceConstraint>,
}

/// The kinds of comparison with an identifier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SourceMatch {
    /// `*` matches anything.
    #[default]
    Wildcard,
    /// The text must be equal.
    Exact,
    /// A regular expression.
    Regex,
}

/// A condition on a source's attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceConstraint {
    /// The attribute.
    pub key: String,
    /// The value to compare with.
    pub value: String,
    /// The comparison.
    #[serde(skip_serializing_if = "is_default")]
    pub condition: SourceCondition,
}

/// The kinds of comparison with an attribute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SourceCondition {
    /// The value must be equal.
    #[default]
    Equal,
    /// The value must not be equal.
    NotEqual,
    /// The value must match a regular expression.
    Matches,
}

/// The replacement of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceUpdate {
    /// The new identifier; empty keeps it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub identifier: String,
    /// Attributes to set.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attrs: BTreeMap<String, String>,
}

/// Why a source policy is invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourcePolicyError {
    /// The file is neither JSON nor protobuf of the format.
    #[error("it is not a source policy")]
    Format(#[source] serde_json::Error),
    /// A rule is incomplete.
    #[error("its rule {number} {reason}")]
    Rule {
        /// The number of the rule, from 1.
        number: usize,
        /// The mistake in the rule.
        reason: &'static str,
    },
}

impl SourcePolicy {
    /// Parses a policy file: JSON, or the protobuf message. Unknown fields and values are refused,
    /// because a misspelt rule could allow what it should deny.
    ///
    /// # Errors
    /// [`SourcePolicyError`] with the position.
    pub fn parse(bytes: &[u8]) -> Result<Self, SourcePolicyError> {
        let policy = match serde_json::from_slice::<Self>(bytes) {
            Ok(policy) => policy,
            Err(error) if is_json(bytes) => return Err(SourcePolicyError::Format(error)),
            Err(error) => match proto::Policy::decode(bytes) {
                Ok(message) => Self::from_proto(message),
                Err(_) => return Err(SourcePolicyError::Format(error)),
            },
        };
        for (number, rule) in (1..).zip(&policy.rules) {
            rule.check()
                .map_err(|reason| SourcePolicyError::Rule { number, reason })?;
        }
        Ok(policy)
    }

    fn from_proto(found: proto::Policy) -> Self {
        Self {
            version: found.version,
            rules: found
                .rules
                .into_iter()
                .map(SourceRule::from_proto)
                .collect(),
        }
    }

    pub(crate) fn into_proto(self) -> proto::Policy {
        proto::Policy {
            version: self.version,
            rules: self.rules.into_iter().map(SourceRule::into_proto).collect(),
        }
    }
}

impl SourceRule {
    fn check(&self) -> Result<(), &'static str> {
        match (self.action, &self.updates) {
            _ if self.selector.identifier.is_empty() => Err("has no selector with an identifier"),
            (SourceAction::Convert, None) => Err("converts, and has no updates"),
            _ => Ok(()),
        }
    }

    fn from_proto(found: proto::Rule) -> Self {
        let action = match found.action() {
            proto::PolicyAction::Allow => SourceAction::Allow,
            proto::PolicyAction::Deny => SourceAction::Deny,
            proto::PolicyAction::Convert => SourceAction::Convert,
        };
        Self {
            action,
            selector: found
                .selector
                .map(SourceSelector::from_proto)
                .unwrap_or_default(),
            updates: found.updates.map(|update| SourceUpdate {
                identifier: update.identifier,
                attrs: update.attrs,
            }),
        }
    }

    fn into_proto(self) -> proto::Rule {
        let selector = self.selector;
        proto::Rule {
            action: self.action as i32,
            selector: Some(proto::Selector {
                identifier: selector.identifier,
                match_type: selector.match_type as i32,
                constraints: selector
                    .constraints
                    .into_iter()
                    .map(SourceConstraint::into_proto)
                    .collect(),
            }),
            updates: self.updates.map(|update| proto::Update {
                identifier: update.identifier,
                attrs: update.attrs,
            }),
        }
    }
}

impl SourceSelector {
    fn from_proto(found: proto::Selector) -> Self {
        let match_type = match found.match_type() {
            proto::MatchType::Wildcard => SourceMatch::Wildcard,
            proto::MatchType::Exact => SourceMatch::Exact,
            proto::MatchType::Regex => SourceMatch::Regex,
        };
        let constraints = found.constraints.into_iter();
        Self {
            match_type,
            constraints: constraints.map(SourceConstraint::from_proto).collect(),
            identifier: found.identifier,
        }
    }
}

impl SourceConstraint {
    fn from_proto(found: proto::AttrConstraint) -> Self {
        let condition = match found.condition() {
            proto::AttrMatch::Equal => SourceCondition::Equal,
            proto::AttrMatch::Notequal => SourceCondition::NotEqual,
            proto::AttrMatch::Matches => SourceCondition::Matches,
        };
        Self {
            condition,
            key: found.key,
            value: found.value,
        }
    }

    fn into_proto(self) -> proto::AttrConstraint {
        proto::AttrConstraint {
            key: self.key,
            value: self.value,
            condition: self.condition as i32,
        }
    }
}

/// True if the bytes look like JSON, or are empty, rather than protobuf.
fn is_json(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii().first(), None | Some(b'{' | b'[' | b'"'))
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests;
