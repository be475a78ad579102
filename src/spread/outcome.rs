//! Merges the results of the parts into one outcome. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Error;
use crate::frontend::PlatformFailure;
use crate::oci::{Descriptor, Platform};
use crate::pipeline::{self, BuildOutcome};

/// The response key of cache exporters; its value is a descriptor.
const CACHE: &str = "cache.manifest";

/// A finished build on nodes.
#[derive(Debug)]
#[non_exhaustive]
pub struct Built {
    /// All parts as one. The build reference is the first part's; the digest is the index's.
    pub outcome: BuildOutcome,
    /// The nodes' parts, in the order of the platforms; a single one if one node built everything.
    pub parts: Vec<BuiltPart>,
}

/// The part that one node built.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuiltPart {
    /// The node's name.
    pub node: String,
    /// The daemon's id of this part.
    pub build_ref: String,
    /// The platforms; empty for the node's own.
    pub platforms: Vec<Platform>,
}

/// A successful part.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) part: BuiltPart,
    pub(super) outcome: BuildOutcome,
}

/// The results of the platforms that were kept going.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) built: Vec<Platform>,
    pub(super) failed: Vec<PlatformFailure>,
}

impl Kept {
    pub(super) fn sort(&mut self, order: &[Platform]) {
        let place = |platform: &Platform| {
            order
                .iter()
                .position(|it| it.normalized() == platform.normalized())
        };
        self.built.sort_by_key(place);
        self.failed.sort_by_key(|failure| place(&failure.platform));
    }

    pub(super) fn into_error(self) -> Error {
        Error::Build(pipeline::Error::Platforms {
            failed: self.failed,
            built: self.built,
        })
    }
}

/// Merges all parts; `None` if there are none. The pushed index replaces the parts' images, the
/// merged cache replaces their caches.
pub(super) fn merged(
    parts: Vec<Done>,
    kept: Kept,
    pushed: Option<BTreeMap<String, String>>,
    cache: Option<&Descriptor>,
) -> Option<Built> {
    let mut all = Vec::new();
    let mut whole: Option<BuildOutcome> = None;
    for done in parts {
        let provenance = with_platform(done.outcome.provenance, &done.part.platforms);
        match &mut whole {
            None => {
                whole = Some(BuildOutcome {
                    provenance,
                    ..done.outcome
                });
            }
            Some(whole) => whole.provenance.extend(provenance),
        }
        all.push(done.part);
    }
    let mut outcome = whole?;
    if let Some(pushed) = pushed {
        outcome
            .exporter_response
            .retain(|key, _| !key.starts_with("containerimage.") && key != "image.name");
        outcome.exporter_response.extend(pushed);
    }
    outcome.exporter_response.remove(CACHE);
    let cache = cache.and_then(|cache| serde_json::to_string(cache).ok());
    let cache = cache.map(|cache| (CACHE.to_owned(), cache));
    outcome.exporter_response.extend(cache);
    outcome.built = kept.built;
    outcome.failed = kept.failed;
    Some(Built {
        outcome,
        parts: all,
    })
}

/// Adds the platform to keys, if there are several platforms.
fn with_platform(
    provenance: BTreeMap<String, Value>,
    platforms: &[Platform],
) -> BTreeMap<String, Value> {
    let [only] = platforms else {
        return provenance;
    };
    let named = provenance
        .into_iter()
        .map(|(key, value)| match key.contains('/') {
            true => (key, value),
            false => (format!("{key}/{only}"), value),
        });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(node: &str, platform: &str, response: &[(&str, &str)]) -> Done {
        let platform = Platform::parse(platform).unwrap();
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let provenance = "buildx.build.provenance".to_owned();
        Done {
            part: BuiltPart {
                node: node.to_owned(),
                build_ref: format!("ref-{node}"),
                platforms: vec![platform.clone()],
            },
            outcome: BuildOutcome {
                build_ref: format!("ref-{node}"),
                exporter_response: response.iter().map(owned).collect(),
                provenance: BTreeMap::from([(provenance, node.into())]),
                id_is_digest: false,
                warnings: Vec::new(),
                built: vec![platform],
                failed: Vec::new(),
            },
        }
    }

    #[test]
    fn the_index_stands_for_the_parts() {
        let config = ("containerimage.config.digest", "part");
        let parts = vec![
            done(
                "a",
                "linux/amd64",
                &[config, ("image.name", "x"), ("other", "1")],
            ),
            done("b", "linux/arm/v7", &[config]),
        ];
        let pushed = BTreeMap::from([("containerimage.digest".to_owned(), "index".to_owned())]);
        let built = merged(parts, Kept::default(), Some(pushed), None).unwrap();
        let response: Vec<(&str, &str)> = built
            .outcome
            .exporter_response
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            response,
            [("containerimage.digest", "index"), ("other", "1")]
        );
        let provenance = built.outcome.provenance;
        assert_eq!(provenance["buildx.build.provenance/linux/amd64"], "a");
        assert_eq!(provenance["buildx.build.provenance/linux/arm/v7"], "b");
        assert_eq!(built.outcome.build_ref, "ref-a");
        assert_eq!(built.parts[1].build_ref, "ref-b");
        assert!(merged(Vec::new(), Kept::default(), None, None).is_none());
    }
}
