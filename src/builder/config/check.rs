//! Checks a `buildkitd.toml`, because `buildkitd` silently ignores unknown keys.

use toml::{Table, Value};

use super::schema::{KEYS, Kind};
use crate::suggest::nearest;

/// The findings about a configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// Definite mistakes.
    pub(super) mistakes: Vec<String>,
    /// Unknown keys, which a newer `buildkitd` may support.
    pub(super) unknown: Vec<String>,
}

pub(super) fn check(config: &Table) -> Findings {
    let mut findings = Findings::default();
    findings.table("", config, KEYS);
    findings
}

impl Findings {
    fn table(&mut self, path: &str, table: &Table, keys: &'static [(&'static str, Kind)]) {
        for (key, value) in table {
            let path = joined(path, key);
            match keys
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(key))
            {
                Some((_, kind)) => self.value(&path, value, *kind),
                None => self.unknown_key(path, key, keys),
            }
        }
    }

    fn unknown_key(&mut self, path: String, key: &str, keys: &[(&'static str, Kind)]) {
        let names: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
        match nearest(key, &names) {
            Some(known) => self
                .mistakes
                .push(format!("unknown key {path}; did you mean {known}?")),
            None => self.unknown.push(format!(
                "unknown key {path}, which buildkitd may ignore; there are {}",
                names.join(", ")
            )),
        }
    }

    fn value(&mut self, path: &str, value: &Value, kind: Kind) {
        let is_texts = |list: &[Value]| list.iter().all(Value::is_str);
        let expected = match (kind, value) {
            (Kind::Any, _)
            | (Kind::Bool, Value::Boolean(_))
            | (Kind::Int, Value::Integer(_))
            | (Kind::Text, Value::String(_))
            | (Kind::Quantity, Value::Integer(_) | Value::String(_)) => return,
            (Kind::Texts, Value::Array(list)) if is_texts(list) => return,
            (Kind::Table(keys), Value::Table(table)) => return self.table(path, table, keys),
            (Kind::Named(kind), Value::Table(table)) => {
                for (name, value) in table {
                    self.value(&joined(path, name), value, *kind);
                }
                return;
            }
            (Kind::Tables(keys), Value::Array(list)) if list.iter().all(Value::is_table) => {
                for table in list.iter().filter_map(Value::as_table) {
                    self.table(path, table, keys);
                }
                return;
            }
            (Kind::Bool, _) => "true or false",
            (Kind::Int, _) => "a whole number",
            (Kind::Text, _) => "a text",
            (Kind::Texts, _) => "a list of texts",
            (Kind::Quantity, _) => "a number, or a text such as \"10GB\" or \"48h\"",
            (Kind::Table(_) | Kind::Named(_), _) => "a table",
            (Kind::Tables(_), _) => "a list of tables",
        };
        self.mistakes.push(format!("{path} must be {expected}"));
    }
}

/// Joins a path and a key; the key is quoted if necessary, as in the file.
fn joined(path: &str, key: &str) -> String {
    let is_bare = key
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let key = if is_bare {
        key.to_owned()
    } else {
        format!("{key:?}")
    };
    match path {
        "" => key,
        path => format!("{path}.{key}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Findings {
        check(&text.parse::<Table>().unwrap())
    }

    #[test]
    fn what_buildkit_knows_is_in_order() {
        let text = r#"
            debug = true
            insecure-entitlements = ["network.host"]
            [log]
              format = "json"
            [worker.oci]
              enabled = true
              gckeepstorage = 9000
              reservedSpace = "30%"
              max-parallelism = 4
              [worker.oci.labels]
                "mine" = "yes"
              [[worker.oci.gcpolicy]]
                keepDuration = "48h"
                filters = ["type==source.local"]
            [registry."docker.io"]
              mirrors = ["mirror.cluster.k8s"]
              http = true
              insecure = true
              [[registry."docker.io".keypair]]
                key = "k.pem"
                cert = "c.pem"
            [frontend."gateway.v0"]
              enabled = false
        "#;
        assert_eq!(findings(text), Findings::default());
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let mistakes = |text: &str| findings(text).mistakes.join("\n");
        let found = mistakes("[registry.\"a.b:5000\"]\nmirors = [\"x\"]\n");
        assert_eq!(
            found,
            "unknown key registry.\"a.b:5000\".mirors; did you mean mirrors?"
        );
        assert_eq!(mistakes("debug = \"yes\""), "debug must be true or false");
        assert_eq!(
            mistakes("[registry]\n\"a\" = 1"),
            "registry.a must be a table"
        );
        assert_eq!(
            mistakes("[worker.oci]\nmax-parallelism = \"4\""),
            "worker.oci.max-parallelism must be a whole number"
        );
        assert_eq!(
            mistakes("[registries.x]\nhttp = true"),
            "unknown key registries; did you mean registry?"
        );
    }

    #[test]
    fn a_key_like_no_other_may_be_a_newer_one() {
        let found = findings("quantum = 1");
        assert!(found.mistakes.is_empty());
        assert!(found.unknown[0].contains("quantum"), "{:?}", found.unknown);
    }
}
