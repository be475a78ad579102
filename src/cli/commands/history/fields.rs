//! The details of a build for JSON and templates: buildx's fields in its order, then our own. A
//! template may use each of buildx's fields, also those that this build lacks.

use serde_json::{Map, Value as Json};
use solvekit::template::{Struct, Value};

const BUILD: [&str; 24] = [
    "Name",
    "Ref",
    "Context",
    "Dockerfile",
    "VCSRepository",
    "VCSRevision",
    "Target",
    "Platform",
    "KeepGitDir",
    "NamedContexts",
    "StartedAt",
    "CompletedAt",
    "Duration",
    "Status",
    "Error",
    "NumCompletedSteps",
    "NumTotalSteps",
    "NumCachedSteps",
    "BuildArgs",
    "Labels",
    "Config",
    "Materials",
    "Attachments",
    "Errors",
];

const CONFIG: [&str; 22] = [
    "Network",
    "ExtraHosts",
    "Hostname",
    "CgroupParent",
    "ImageResolveMode",
    "MultiPlatform",
    "NoCache",
    "NoCacheFilter",
    "ShmSize",
    "Ulimit",
    "Memory",
    "MemorySwap",
    "CPUShares",
    "CPUPeriod",
    "CPUQuota",
    "CPUSetCPUs",
    "CPUSetMems",
    "CacheMountNS",
    "DockerfileCheckConfig",
    "SourceDateEpoch",
    "SandboxHostname",
    "RestRaw",
];

/// The fields of errors, materials, attachments and pairs.
const PARTS: [&str; 11] = [
    "URI", "Digests", "Digest", "Platform", "Type", "Code", "Message", "Name", "Value", "Logs",
    "Sources",
];

/// The fields of a build.
pub(super) fn of(known: &Json) -> Struct {
    let empty = Map::new();
    object(known.as_object().unwrap_or(&empty), &BUILD)
}

/// The fields of the order first.
fn object(fields: &Map<String, Json>, order: &[&str]) -> Struct {
    let ordered = order
        .iter()
        .fold(Struct::new(), |all, name| match fields.get(*name) {
            Some(value) => all.field(name, name, part(name, value)),
            None => all.hidden(name, ""),
        });
    let others = fields
        .iter()
        .filter(|(name, _)| !order.contains(&name.as_str()));
    others.fold(ordered, |all, (name, value)| {
        all.field(name, name, part(name, value))
    })
}

fn part(name: &str, value: &Json) -> Value {
    match value {
        Json::Object(fields) if name == "Config" => object(fields, &CONFIG).into(),
        Json::Object(fields) => object(fields, &PARTS).into(),
        Json::Array(items) => items
            .iter()
            .map(|item| part(name, item))
            .collect::<Vec<_>>()
            .into(),
        plain => plain.clone().into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use solvekit::template::{Json as Form, Template};

    use super::*;

    #[test]
    fn fields_have_buildx_s_order_and_our_own_come_last() {
        let known = json!({
            "ImageNames": ["n"],
            "Status": "completed",
            "Ref": "r",
            "Config": {"SourceDateEpoch": "0", "Network": "host"},
            "Materials": [{"Digests": ["d"], "URI": "u"}],
        });
        let fields = Value::from(of(&known));
        assert_eq!(
            fields.to_json(Form::Compact),
            concat!(
                r#"{"Ref":"r","Status":"completed","Config":{"Network":"host","#,
                r#""SourceDateEpoch":"0"},"Materials":[{"URI":"u","Digests":["d"]}],"#,
                r#""ImageNames":["n"]}"#
            )
        );
        let render = |text: &str| {
            Template::parse(text)
                .unwrap()
                .render(&fields, Form::Compact)
        };
        assert_eq!(render("{{.Ref}}{{.Name}}{{.Config.Ulimit}}").unwrap(), "r");
        assert!(
            render("{{.Nope}}")
                .unwrap_err()
                .to_string()
                .contains("Nope")
        );
        assert!(render("{{.Config.Platform}}").is_err());
    }
}
