//! Replaces variables in every text of a compose file, and converts some texts to other types.

use super::{
    path::{ITEM, Path},
    template::{TemplateError, substitute},
    yaml::{Map, Node, Value},
};
use crate::diagnostic::{Diagnostic, Kind};

/// The type of a text at some path after its variables are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cast {
    Int,
    Float,
    Bool,
}

/// The typed paths of a service, below `services.*`.
const SERVICE_CASTS: &[(&[&str], Cast)] = &[
    (&["cpu_count"], Cast::Int),
    (&["cpu_percent"], Cast::Float),
    (&["cpu_period"], Cast::Int),
    (&["cpu_quota"], Cast::Int),
    (&["cpu_rt_period"], Cast::Int),
    (&["cpu_rt_runtime"], Cast::Int),
    (&["cpus"], Cast::Float),
    (&["cpu_shares"], Cast::Int),
    (&["init"], Cast::Bool),
    (&["depends_on", "*", "required"], Cast::Bool),
    (&["depends_on", "*", "restart"], Cast::Bool),
    (&["deploy", "replicas"], Cast::Int),
    (&["deploy", "update_config", "parallelism"], Cast::Int),
    (
        &["deploy", "update_config", "max_failure_ratio"],
        Cast::Float,
    ),
    (&["deploy", "rollback_config", "parallelism"], Cast::Int),
    (
        &["deploy", "rollback_config", "max_failure_ratio"],
        Cast::Float,
    ),
    (&["deploy", "restart_policy", "max_attempts"], Cast::Int),
    (&["deploy", "placement", "max_replicas_per_node"], Cast::Int),
    (&["healthcheck", "retries"], Cast::Int),
    (&["healthcheck", "disable"], Cast::Bool),
    (&["oom_kill_disable"], Cast::Bool),
    (&["oom_score_adj"], Cast::Int),
    (&["pids_limit"], Cast::Int),
    (&["ports", ITEM, "target"], Cast::Int),
    (&["privileged"], Cast::Bool),
    (&["read_only"], Cast::Bool),
    (&["scale"], Cast::Int),
    (&["stdin_open"], Cast::Bool),
    (&["tty"], Cast::Bool),
    (&["ulimits", "*"], Cast::Int),
    (&["ulimits", "*", "hard"], Cast::Int),
    (&["ulimits", "*", "soft"], Cast::Int),
    (&["volumes", ITEM, "read_only"], Cast::Bool),
    (&["volumes", ITEM, "volume", "nocopy"], Cast::Bool),
];

/// The typed paths outside of services: section and attribute.
const OTHER_CASTS: &[(&str, &str)] = &[
    ("networks", "external"),
    ("networks", "internal"),
    ("networks", "attachable"),
    ("networks", "enable_ipv4"),
    ("networks", "enable_ipv6"),
    ("volumes", "external"),
    ("secrets", "external"),
    ("configs", "external"),
];

/// Replaces the variables in every text below `root`.
pub(super) fn interpolate(
    root: &mut Map,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(), Diagnostic> {
    for (name, node) in root {
        walk(node, &Path::ROOT.next(name), None, lookup)?;
    }
    Ok(())
}

/// `service` is the path below `services.*`, or `None` outside.
fn walk(
    node: &mut Node,
    path: &Path<'_>,
    service: Option<&Path<'_>>,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(), Diagnostic> {
    match &mut node.value {
        Value::Text(text) => {
            let replaced = if text.contains('$') {
                substitute(text, lookup).map_err(|error| {
                    let message = format!("{path}: {error}");
                    let failed = Diagnostic::new(Kind::Compose, message).at(node.place.span());
                    match error {
                        TemplateError::Invalid => failed
                            .hint("write $$ for a dollar sign")
                            .in_reference_alone(format!(
                                "invalid interpolation format for {path}.\nYou may need to escape \
                                 any $ with another $.\n{text}"
                            )),
                        _ => failed,
                    }
                })?
            } else {
                std::mem::take(text)
            };
            node.value = match cast_at(path, service) {
                None => Value::Text(replaced),
                Some(cast) => cast.apply(&replaced).ok_or_else(|| {
                    let message = format!("{path} must be {}, not {replaced:?}", cast.wanted());
                    Diagnostic::new(Kind::Compose, message).at(node.place.span())
                })?,
            };
            Ok(())
        }
        Value::Map(map) => map.iter_mut().try_for_each(|(name, node)| {
            let next = path.next(name);
            match service {
                Some(service) => walk(node, &next, Some(&service.next(name)), lookup),
                None if next.matches(&["services", "*"]) => {
                    walk(node, &next, Some(&Path::ROOT), lookup)
                }
                None => walk(node, &next, None, lookup),
            }
        }),
        Value::List(items) => items.iter_mut().try_for_each(|node| {
            let next = path.next(ITEM);
            match service {
                Some(service) => walk(node, &next, Some(&service.next(ITEM)), lookup),
                None => walk(node, &next, None, lookup),
            }
        }),
        _ => Ok(()),
    }
}

fn cast_at(path: &Path<'_>, service: Option<&Path<'_>>) -> Option<Cast> {
    if let Some(service) = service {
        let found = SERVICE_CASTS
            .iter()
            .find(|(pattern, _)| service.matches(pattern));
        return found.map(|(_, cast)| *cast);
    }
    let is_typed = path.depth() == 3
        && OTHER_CASTS
            .iter()
            .any(|(section, name)| path.matches(&[section, "*", name]));
    is_typed.then_some(Cast::Bool)
}

impl Cast {
    fn apply(self, text: &str) -> Option<Value> {
        match self {
            Cast::Int => text.parse().ok().map(Value::Int),
            Cast::Float => text.parse().ok().map(Value::Float),
            Cast::Bool => boolean(text).map(Value::Bool),
        }
    }

    fn wanted(self) -> &'static str {
        match self {
            Cast::Int => "a whole number",
            Cast::Float => "a number",
            Cast::Bool => "a boolean",
        }
    }
}

/// Parses a boolean of YAML 1.1, in any case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "y" | "yes" | "on" => Some(true),
        "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::yaml::documents, *};

    fn run(text: &str) -> Result<Value, Diagnostic> {
        let mut root = documents("compose.yaml", text)?.remove(0).root;
        let lookup = |name: &str| (name == "N").then(|| "3".to_owned());
        interpolate(root.as_map_mut().unwrap(), &lookup)?;
        Ok(root.value)
    }

    #[test]
    fn typed_paths_become_values() {
        let value = run(
            "services: {s: {scale: '$N', image: '$N', ports: [{target: '$N'}]}}\n\
                         secrets: {x: {external: 'yes'}}\nx-any: ['$N']\n",
        )
        .unwrap();
        let service = &value_at(&value, &["services", "s"]);
        assert_eq!(value_at(service, &["scale"]), Value::Int(3));
        assert_eq!(value_at(service, &["image"]), Value::Text("3".into()));
        assert_eq!(
            value_at(&value, &["secrets", "x", "external"]),
            Value::Bool(true)
        );
        assert_eq!(value_at(&value, &["x-any"]).to_string(), "[3]");
    }

    fn value_at(value: &Value, path: &[&str]) -> Value {
        path.iter().fold(value.clone(), |value, name| match value {
            Value::Map(mut map) => map.remove(*name).unwrap().value,
            other => panic!("{other:?} is no mapping"),
        })
    }

    #[test]
    fn a_text_of_the_wrong_type_is_refused_with_its_place() {
        let error = run("services:\n  s:\n    deploy:\n      replicas: x\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "compose.yaml:4,7-7: services.s.deploy.replicas must be a whole number, not \"x\""
        );
    }

    #[test]
    fn a_lone_dollar_before_a_brace_is_explained() {
        let error = run("services: {s: {image: '${'}}").unwrap_err();
        assert_eq!(error.hints, ["write $$ for a dollar sign"]);
    }
}
