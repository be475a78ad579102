//! All values of a target's attribute, in the order in which they are merged.

use std::collections::HashSet;

use super::query::{MAPS, Query, attribute_of};
use crate::definition::Named;
use crate::diagnostic::Span;
use crate::evaluate::Evaluation;
use crate::plan::{GivenOverride, overrides_of};
use crate::syntax::ast::Attribute;
use crate::syntax::body::Block;
use crate::target::Target;
use crate::value::Value;

/// Attributes whose last value replaces all earlier ones.
const REPLACED: [&str; 14] = [
    "description",
    "context",
    "dockerfile",
    "dockerfile-inline",
    "tags",
    "cache-to",
    "target",
    "platforms",
    "output",
    "pull",
    "no-cache",
    "network",
    "shm-size",
    "call",
];

/// Keys of `--set` whose texts form a list that replaces the files' value or is appended to it.
const LISTS: [&str; 9] = [
    "tags",
    "platform",
    "output",
    "cache-to",
    "cache-from",
    "secrets",
    "ssh",
    "policy",
    "ulimits",
];

/// One value of the attribute.
pub(super) struct Layer<'a> {
    pub(super) target: String,
    pub(super) source: Source<'a>,
    /// True if it replaces all earlier values.
    pub(super) replaces: bool,
}

/// The origin of a layer.
pub(super) enum Source<'a> {
    /// A block of an HCL or JSON file.
    Block(&'a Block, &'a Attribute),
    /// A compose file.
    Compose(Span),
    /// `--set`
    Override(&'a str),
}

/// Returns the layers of an attribute, the first one first.
pub(super) fn layers<'a>(
    evaluation: &'a Evaluation,
    query: &Query,
    set: &'a [String],
) -> Vec<Layer<'a>> {
    let mut collector = Collector {
        evaluation,
        query,
        set,
        visited: HashSet::new(),
        layers: Vec::new(),
    };
    collector.visit(&query.target);
    collector.layers
}

struct Collector<'a, 'q> {
    evaluation: &'a Evaluation,
    query: &'q Query,
    set: &'a [String],
    visited: HashSet<String>,
    layers: Vec<Layer<'a>>,
}

impl<'a> Collector<'a, '_> {
    /// Adds the values that a target inherits, then its own, then its overrides. A target is
    /// visited once, because its values are the same the second time. Plans reject deep chains, so
    /// this ends.
    fn visit(&mut self, name: &str) {
        if !self.visited.insert(name.to_owned()) {
            return;
        }
        let declared = |target: &&Target| target.name == name;
        let inherited = self.query.attribute != "inherits";
        let target = self.evaluation.definition.targets.iter().find(declared);
        for parent in target.iter().flat_map(|target| &target.inherits) {
            if inherited {
                self.visit(parent);
            }
        }
        self.add_compose(name);
        self.add_blocks(name);
        self.add_overrides(name);
    }

    fn push(&mut self, target: &str, source: Source<'a>, replaces: bool) {
        self.layers.push(Layer {
            target: target.to_owned(),
            source,
            replaces,
        });
    }

    /// True if a value of the attribute replaces all earlier ones.
    fn replaces(&self) -> bool {
        self.query.key.is_some() || REPLACED.contains(&self.query.attribute.as_str())
    }

    fn add_compose(&mut self, name: &str) {
        let sources = self.evaluation.sources.compose.iter();
        for source in sources.filter(|source| source.target == name) {
            // A map is shown as a whole, or by one of its entries.
            let asked = source.places.iter().filter(|place| {
                let keyed = place.key == self.query.key && self.query.key.is_some();
                let whole = place.key.is_none() && self.query.key.is_none();
                place.attribute == self.query.attribute && (keyed || whole)
            });
            for place in asked {
                // Several positions of one service form one value.
                self.push(name, Source::Compose(place.span.clone()), false);
            }
            if self.replaces()
                && let Some(first) = self.layers.iter().position(|layer| layer.target == name)
                && let Some(layer) = self.layers.get_mut(first)
            {
                layer.replaces = true;
            }
        }
    }

    fn add_blocks(&mut self, name: &str) {
        let evaluation = self.evaluation;
        for (block, outputs) in evaluation.sources.blocks() {
            let made = outputs.iter().find(|output| output.name == name);
            if block.kind != "target" {
                continue;
            }
            let attribute = block.body.attribute(&self.query.attribute);
            if let (Some(made), Some(attribute)) = (made, attribute)
                && self.says_something(made)
            {
                self.push(name, Source::Block(block, attribute), self.replaces());
            }
        }
    }

    /// False for null, which keeps the inherited value, and for maps without the requested entry.
    fn says_something(&self, made: &Named) -> bool {
        let Some(value) = made.values.get(&self.query.attribute) else {
            return false;
        };
        match (&self.query.key, value.entries()) {
            _ if value.is_null() => false,
            (Some(key), Some(entries)) => entries.get(key).is_some_and(|value| !value.is_null()),
            (Some(_), None) => false,
            (None, _) => self.replaces() || !is_empty(value),
        }
    }

    fn add_overrides(&mut self, name: &str) {
        let targets = &self.evaluation.definition.targets;
        let all = overrides_of(self.set, targets, name);
        for (index, given) in all.iter().enumerate() {
            let attribute = attribute_of(&given.key);
            let other_key = MAPS.contains(&attribute)
                && self.query.key.is_some()
                && given.name != self.query.key;
            if attribute != self.query.attribute || other_key {
                continue;
            }
            let replaces = match given.key.as_str() {
                key if MAPS.contains(&key) => self.query.key.is_some(),
                "push" | "load" | "secret" | "entitlements" | "annotations" | "attest" => false,
                // All texts of one key form one list. The last text determines the effect.
                key if LISTS.contains(&key) => {
                    let same = |it: &&GivenOverride<'_>| it.key == given.key;
                    let is_first = !all[..index].iter().any(|it| same(&it));
                    let last = all.iter().rfind(same);
                    is_first && last.is_some_and(|last| !last.append)
                }
                _ => true,
            };
            self.push(name, Source::Override(given.text), replaces);
        }
    }
}

/// True for a list or map without entries.
fn is_empty(value: &Value) -> bool {
    value.items().is_some_and(<[Value]>::is_empty)
        || value
            .entries()
            .is_some_and(std::collections::BTreeMap::is_empty)
}
