//! Source policies: rules that allow, deny or rewrite the sources of a build.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::proto::moby::buildkit::v1::sourcepolicy as proto;

/// Rules about sources; for each source the last rule that matches decides.
///
/// Its JSON is that of BuildKit's source policy files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourcePolicy {
    /// The version of the format: 1.
    #[serde(skip_serializing_if = "is_default")]
    pub version: i64,
    /// The rules.
    #[serde(skip_serializing_if = "is_default")]
    pub rules: Vec<SourceRule>,
}

/// A rule about sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceRule {
    /// What to do.
    pub action: SourceAction,
    /// Which sources it is about.
    pub selector: SourceSelector,
    /// What [`SourceAction::Convert`] puts in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updates: Option<SourceUpdate>,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SourceAction {
    /// The source may be used.
    #[default]
    Allow,
    /// The build fails.
    Deny,
    /// Another source is used.
    Convert,
}

/// Which sources a rule is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceSelector {
    /// The source's identifier, for example `docker-image://docker.io/library/*`.
    pub identifier: String,
    /// How to compare it.
    #[serde(alias = "match_type", skip_serializing_if = "is_default")]
    pub match_type: SourceMatch,
    /// Conditions on its attributes; all must hold.
    #[serde(skip_serializing_if = "is_default")]
    pub constraints: Vec<SourceConstraint>,
}

/// How an identifier is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SourceMatch {
    /// `*` stands for anything.
    #[default]
    Wildcard,
    /// It must be equal.
    Exact,
    /// A regular expression.
    Regex,
}

/// A condition on a source's attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceConstraint {
    /// The attribute.
    pub key: String,
    /// What it is compared with.
    pub value: String,
    /// How.
    #[serde(skip_serializing_if = "is_default")]
    pub condition: SourceCondition,
}

/// How an attribute is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SourceCondition {
    /// It must be equal.
    #[default]
    Equal,
    /// It must not be equal.
    NotEqual,
    /// It must match a regular expression.
    Matches,
}

/// What is put in place of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceUpdate {
    /// The new identifier; empty leaves it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub identifier: String,
    /// Attributes to set.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attrs: BTreeMap<String, String>,
}

impl SourcePolicy {
    pub(crate) fn into_proto(self) -> proto::Policy {
        proto::Policy {
            version: self.version,
            rules: self.rules.into_iter().map(SourceRule::into_proto).collect(),
        }
    }
}

impl SourceRule {
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

impl SourceConstraint {
    fn into_proto(self) -> proto::AttrConstraint {
        proto::AttrConstraint {
            key: self.key,
            value: self.value,
            condition: self.condition as i32,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_file_is_read() {
        let json = r#"{"rules":[{"action":"CONVERT",
            "selector":{"identifier":"docker-image://docker.io/library/alpine:latest","matchType":"EXACT",
                "constraints":[{"key":"k","value":"v","condition":"NOTEQUAL"}]},
            "updates":{"identifier":"docker-image://docker.io/library/alpine@sha256:aa"}}]}"#;
        let policy: SourcePolicy = serde_json::from_str(json).unwrap();
        let rule = &policy.clone().into_proto().rules[0];
        assert_eq!(rule.action(), proto::PolicyAction::Convert);
        let selector = rule.selector.as_ref().unwrap();
        assert_eq!(selector.match_type(), proto::MatchType::Exact);
        assert_eq!(
            selector.constraints[0].condition(),
            proto::AttrMatch::Notequal
        );
        assert_eq!(
            serde_json::from_str::<SourcePolicy>(&serde_json::to_string(&policy).unwrap()).unwrap(),
            policy
        );
    }
}
