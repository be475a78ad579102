//! `TARGET.ATTRIBUTE` and `TARGET.ATTRIBUTE.KEY`.

use crate::definition::attribute_names;
use crate::diagnostic::nearest;
use crate::evaluate::Evaluation;
use crate::target::sanitize_name;

/// The attribute of a target, or an entry of it, to explain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// The target.
    pub target: String,
    /// The attribute's name in bake files.
    pub attribute: String,
    /// The key of a map's entry.
    pub key: Option<String>,
}

/// The reason a query is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// There is no dot between target and attribute.
    #[error("{text:?} has no attribute: write TARGET.ATTRIBUTE")]
    NoAttribute {
        /// The text.
        text: String,
    },
    /// The files declare no such target.
    #[error("there is no target {name:?}")]
    UnknownTarget {
        /// The name.
        name: String,
        /// A similar name.
        nearest: Option<String>,
    },
    /// Targets have no such attribute.
    #[error("a target has no attribute {name:?}")]
    UnknownAttribute {
        /// The name.
        name: String,
        /// A similar name.
        nearest: Option<String>,
    },
    /// Only maps have entries.
    #[error("{attribute} has no named entries")]
    NoEntries {
        /// The attribute.
        attribute: String,
    },
}

/// Attributes that are maps.
pub(super) const MAPS: [&str; 5] = ["args", "labels", "contexts", "extra-hosts", "resources"];

/// Other names of attributes, which `--set` and `--print` use.
const ALIASES: [(&str, &str); 4] = [
    ("platform", "platforms"),
    ("secrets", "secret"),
    ("push", "output"),
    ("load", "output"),
];

/// Returns the attribute that a key of `--set` changes.
pub(super) fn attribute_of(key: &str) -> &str {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == key);
    alias.map_or(key, |(_, attribute)| attribute)
}

impl Query {
    /// Parses `TARGET.ATTRIBUTE` or `TARGET.ATTRIBUTE.KEY`.
    ///
    /// # Errors
    /// If the target or the attribute does not exist.
    pub fn parse(text: &str, evaluation: &Evaluation) -> Result<Self, QueryError> {
        let mut parts = text.splitn(3, '.');
        let target = sanitize_name(parts.next().unwrap_or_default());
        let attribute = parts.next().filter(|name| !name.is_empty());
        let attribute = attribute_of(attribute.ok_or_else(|| QueryError::NoAttribute {
            text: text.to_owned(),
        })?);
        let key = parts.next().map(str::to_owned);
        let known = evaluation.definition.targets.iter();
        let mut known = known.map(|target| target.name.as_str());
        if !known.clone().any(|name| name == target) {
            let nearest = nearest(&target, known.by_ref()).map(str::to_owned);
            return Err(QueryError::UnknownTarget {
                name: target,
                nearest,
            });
        }
        let names = attribute_names("target");
        if !names.contains(&attribute) {
            return Err(QueryError::UnknownAttribute {
                name: attribute.to_owned(),
                nearest: nearest(attribute, names.iter().copied()).map(str::to_owned),
            });
        }
        if key.is_some() && !MAPS.contains(&attribute) {
            return Err(QueryError::NoEntries {
                attribute: attribute.to_owned(),
            });
        }
        Ok(Self {
            target,
            attribute: attribute.to_owned(),
            key,
        })
    }
}
