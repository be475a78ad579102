//! Builds the result for the daemon's exporters: one file system per platform, the image configs,
//! the list of platforms.

use serde_json::json;

use super::solve::Solved;
use crate::gateway::{BuildResult, Refs};

/// Combines the solved file systems and their image configs, in the order of the platforms.
///
/// The keys are those of the reference's frontend: with several platforms each key ends with `/`
/// and the platform.
pub(super) fn assemble(several: bool, parts: Vec<Solved>) -> BuildResult {
    let mut result = BuildResult::default();
    let mut platforms = Vec::new();
    let mut refs = Vec::new();
    for Solved {
        translation,
        reference,
        attestations,
    } in parts
    {
        let platform = translation.platform.clone();
        let id = platform.format_all();
        let suffix = if several {
            format!("/{id}")
        } else {
            String::new()
        };
        let mut add = |key: &str, value: Vec<u8>| {
            result.metadata.insert(format!("{key}{suffix}"), value);
        };
        add("containerimage.config", translation.image.to_json());
        if let Some(base) = &translation.base_image {
            add("containerimage.base.config", base.to_json());
        }
        if let Some(epoch) = &translation.epoch {
            add("source.date.epoch", epoch.seconds.to_string().into_bytes());
        }
        platforms.push(json!({ "ID": id, "Platform": platform }));
        if !attestations.is_empty() {
            result.attestations.insert(id.clone(), attestations);
        }
        refs.push((id, reference));
    }
    let list = json!({ "Platforms": platforms });
    result
        .metadata
        .insert("refs.platforms".to_owned(), list.to_string().into_bytes());
    result.refs = match refs.pop() {
        Some((_, only)) if !several => Refs::One(only),
        last => Refs::Platforms(refs.into_iter().chain(last).collect()),
    };
    result
}
