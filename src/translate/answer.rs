//! A translation as JSON: graph, config and what else came out, for people and tools to compare.

use serde_json::{Map, Value, json};

use super::{Error, Translation};
use crate::dockerfile::Span;

impl Translation {
    /// The fields of [`Definition::to_json`](crate::llb::Definition::to_json), and `image`, `baseImage`, `epoch` (seconds),
    /// `ignoreCache`, `sbomExtras` where there is something to say.
    pub fn to_json(&self) -> Value {
        let mut all = match self.definition.to_json() {
            Value::Object(all) => all,
            _ => Map::new(),
        };
        // Configs are plain data: making JSON of them cannot fail.
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
    /// `error` and, where the reference has a place, `errorRanges`: a list of places, each a list of ranges of
    /// `[start line, start column, end line, end column]`.
    pub fn to_json(&self) -> Value {
        let mut all = Map::new();
        all.insert("error".into(), self.to_string().into());
        if !self.spans.is_empty() && !self.reason.is_without_place_in_reference() {
            all.insert("errorRanges".into(), places_json(&self.spans));
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
