//! Compares manifests and configs field by field. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::FieldDiff;

/// The most fields that are listed; the others are counted.
const FIELDS: usize = 500;

/// The fields that differ.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) fields: Vec<FieldDiff>,
    pub(super) more: usize,
}

impl Fields {
    /// Compares two values: objects by key, lists of objects by position, variables of `Env` by
    /// name, other lists as a whole.
    pub(super) fn between(left: &Value, right: &Value) -> Self {
        let mut found = Self::default();
        found.compare("", Some(left), Some(right));
        found
    }

    fn compare(&mut self, name: &str, left: Option<&Value>, right: Option<&Value>) {
        if left == right {
            return;
        }
        match (left, right) {
            (Some(Value::Object(left)), Some(Value::Object(right))) => {
                let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
                for key in keys {
                    self.compare(&member(name, key), left.get(key), right.get(key));
                }
            }
            (Some(Value::Array(a)), Some(Value::Array(b))) if has_objects(a) || has_objects(b) => {
                for at in 0..a.len().max(b.len()) {
                    self.compare(&format!("{name}[{at}]"), a.get(at), b.get(at));
                }
            }
            (Some(Value::Array(a)), Some(Value::Array(b))) if name.ends_with(".Env") => {
                match (variables(a), variables(b)) {
                    (Some(a), Some(b)) if a != b => {
                        let names: BTreeSet<&str> = a.keys().chain(b.keys()).copied().collect();
                        for key in names {
                            let [a, b] =
                                [&a, &b].map(|all| all.get(key).map(|it| Value::from(*it)));
                            self.compare(&format!("{name}[{key}]"), a.as_ref(), b.as_ref());
                        }
                    }
                    // The same variables in another order, or text that is not a variable.
                    _ => self.add(name, left, right),
                }
            }
            _ => self.add(name, left, right),
        }
    }

    fn add(&mut self, name: &str, left: Option<&Value>, right: Option<&Value>) {
        if self.fields.len() >= FIELDS {
            self.more += 1;
            return;
        }
        self.fields.push(FieldDiff {
            name: name.to_owned(),
            left: left.cloned(),
            right: right.cloned(),
        });
    }
}

fn has_objects(list: &[Value]) -> bool {
    list.iter().any(Value::is_object)
}

/// Returns `NAME=value` pairs by name; `None` if a name is repeated or an entry is malformed.
fn variables(list: &[Value]) -> Option<BTreeMap<&str, &str>> {
    let pairs = list.iter().map(|entry| entry.as_str()?.split_once('='));
    let all: BTreeMap<&str, &str> = pairs.collect::<Option<_>>()?;
    (all.len() == list.len()).then_some(all)
}

/// Returns `name.key`, or `name[key]` for a key that is not a word, such as a label.
fn member(name: &str, key: &str) -> String {
    let is_word = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match (name.is_empty(), is_word) {
        (true, _) => key.to_owned(),
        (false, true) => format!("{name}.{key}"),
        (false, false) => format!("{name}[{key}]"),
    }
}

/// True for a field with the creation time of an image.
pub(super) fn is_time(name: &str) -> bool {
    let in_history = || name.starts_with("history[") && name.ends_with("].created");
    name == "created" || name.ends_with("[org.opencontainers.image.created]") || in_history()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn names(left: &Value, right: &Value) -> Vec<String> {
        let found = Fields::between(left, right);
        found.fields.into_iter().map(|field| field.name).collect()
    }

    #[test]
    fn fields_are_named_by_their_place() {
        let left = json!({
            "created": "1", "config": {
                "Env": ["A=1", "B=2"], "Cmd": ["sh"], "Labels": {"a.b": "1"}, "User": "me"},
            "history": [{"created": "1", "created_by": "x"}],
        });
        let right = json!({
            "created": "2", "config": {
                "Env": ["B=2", "A=3", "C="], "Cmd": ["bash"], "Labels": {"a.b": "2"}},
            "history": [{"created": "2", "created_by": "x"}, {"created_by": "y"}],
        });
        assert_eq!(
            names(&left, &right),
            [
                "config.Cmd",
                "config.Env[A]",
                "config.Env[C]",
                "config.Labels[a.b]",
                "config.User",
                "created",
                "history[0].created",
                "history[1]",
            ]
        );
        let order = [
            json!({"config": {"Env": ["A=1", "B=2"]}}),
            json!({"config": {"Env": ["B=2", "A=1"]}}),
        ];
        assert_eq!(names(&order[0], &order[1]), ["config.Env"]);
        assert!(is_time("created") && is_time("history[0].created"));
        assert!(is_time("config.Labels[org.opencontainers.image.created]"));
        assert!(!is_time("history[0].created_by") && !is_time("config.created"));
    }

    #[test]
    fn many_fields_are_counted() {
        let many = |value: usize| -> Value {
            let pairs = (0..600).map(|key| (format!("k{key}"), json!(value)));
            Value::Object(pairs.collect())
        };
        let found = Fields::between(&many(1), &many(2));
        assert_eq!((found.fields.len(), found.more), (FIELDS, 100));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<u8>().prop_map(Value::from),
            "[A-C]=[a-c]".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("Env|a|b", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn equal_values_have_no_fields_and_others_have_some(left in value(), right in value()) {
            prop_assert!(Fields::between(&left, &left).fields.is_empty());
            prop_assert_eq!(Fields::between(&left, &right).fields.is_empty(), left == right);
        }
    }
}
