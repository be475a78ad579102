//! A translation as JSON: graph, config and other results, for people and tools to compare.

use serde_json::{Map, Value, json};

use super::{Error, Outline, OutlineItem, Translation};
use crate::causes;
use crate::dockerfile::{Dockerfile, Span};

impl Translation {
    /// Returns the fields of [`Definition::to_json`](crate::llb::Definition::to_json), and `image`,
    /// `baseImage`, `epoch` (seconds), `ignoreCache` and `sbomExtras` if they are not empty.
    pub fn to_json(&self) -> Value {
        let mut all = match self.definition.to_json() {
            Value::Object(all) => all,
            _ => Map::new(),
        };
        // Configs are plain data, so their conversion to JSON cannot fail.
        all.insert(
            "image".into(),
            serde_json::to_value(&self.image).unwrap_or_default(),
        );
        if let Some(base) = &self.base_image {
            all.insert(
                "baseImage".into(),
                serde_json::to_value(&**base).unwrap_or_default(),
            );
        }
        if let Some(epoch) = &self.epoch {
            all.insert("epoch".into(), epoch.seconds.into());
        }
        if self.ignore_cache {
            all.insert("ignoreCache".into(), true.into());
        }
        let mut extras: Vec<&str> = self
            .sbom_extras
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        if !extras.is_empty() {
            extras.sort_unstable();
            all.insert("sbomExtras".into(), extras.into());
        }
        Value::Object(all)
    }
}

impl Error {
    /// Returns `error`, with its causes, `errorLines`, the first and last line of the fault, and,
    /// if the reference has a position, `errorRanges`: a list of positions, each a list of ranges
    /// of `[start line, start column, end line, end column]`.
    pub fn to_json(&self) -> Value {
        let mut all = Map::new();
        all.insert("error".into(), causes::in_one_line(self).into());
        if let Some(span) = self.spans.first() {
            all.insert("errorLines".into(), json!([span.first, span.last]));
            if !self.without_lines_in_reference {
                all.insert("errorRanges".into(), places_json(&self.spans));
            }
        }
        Value::Object(all)
    }
}

fn places_json(places: &[Span]) -> Value {
    places
        .iter()
        .map(|span| {
            span.ranges()
                .map(|range| {
                    json!([
                        range.start.line,
                        range.start.column,
                        range.end.line,
                        range.end.column
                    ])
                })
                .collect::<Value>()
        })
        .collect()
}

impl Outline {
    /// Returns the reference's result of the `outline` subrequest, without the source.
    pub fn to_json(&self) -> Value {
        let mut all = Map::new();
        let mut text = |key: &str, value: &Option<String>| {
            if let Some(value) = value {
                all.insert(key.to_owned(), value.as_str().into());
            }
        };
        text("name", &self.name);
        text("description", &self.description);
        let args = self.args.iter().map(|arg| {
            let mut shown = json!({"name": arg.name, "location": location_json(arg.span)});
            if !arg.value.is_empty() {
                shown["value"] = arg.value.as_str().into();
            }
            if let Some(description) = &arg.description {
                shown["description"] = description.as_str().into();
            }
            shown
        });
        let lists = [
            ("args", args.collect::<Vec<Value>>()),
            ("secrets", self.secrets.iter().map(item_json).collect()),
            ("ssh", self.ssh.iter().map(item_json).collect()),
        ];
        for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            all.insert(key.to_owned(), list.into());
        }
        Value::Object(all)
    }
}

fn item_json(item: &OutlineItem) -> Value {
    let mut shown = json!({"name": item.name, "location": location_json(item.span)});
    if item.required {
        shown["required"] = true.into();
    }
    shown
}

impl Dockerfile {
    /// Returns the reference's result of the `targets` subrequest, without the source.
    pub fn targets_json(&self) -> Value {
        let targets = self.targets().map(|target| {
            let mut shown = json!({"base": target.base, "location": location_json(target.span)});
            let texts = [
                ("name", target.name),
                ("description", target.description),
                ("platform", target.platform),
            ];
            for (key, value) in texts {
                if let Some(value) = value {
                    shown[key] = value.into();
                }
            }
            if target.default {
                shown["default"] = true.into();
            }
            shown
        });
        let targets: Vec<Value> = targets.collect();
        let targets = match targets.is_empty() {
            true => Value::Null,
            false => targets.into(),
        };
        json!({"targets": targets, "sources": null})
    }
}

fn location_json(span: Span) -> Value {
    let ranges = span
        .ranges()
        .map(|range| json!({"start": {"line": range.start.line}, "end": {"line": range.end.line}}));
    json!({"ranges": ranges.collect::<Vec<Value>>()})
}
