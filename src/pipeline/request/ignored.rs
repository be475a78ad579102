//! Values that the daemon ignores. They are sent to it as they are, as buildx does: scripts depend
//! on builds that work nevertheless, and a newer daemon may know more.

use std::fmt;

use super::BuildRequest;
use super::cache::{self, CacheDirection};
use super::value::ValueError;
use crate::client::CacheEntry;
use crate::pipeline::{GraphRequest, Output};

/// A value of a request without effect, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredValue {
    what: &'static str,
    kind: String,
    reason: ValueError,
}

impl fmt::Display for IgnoredValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} type={}: {}", self.what, self.kind, self.reason)
    }
}

impl BuildRequest {
    /// The values of outputs, caches and attestations that have no effect: unknown attributes, a
    /// cache to import of an unknown type, and modes that are none.
    pub fn ignored_values(&self) -> Vec<IgnoredValue> {
        let mut ignored = of_parts(&self.outputs, &self.cache_from, &self.cache_to);
        let provenance = self.attestations.ignored().into_iter();
        ignored.extend(provenance.map(|reason| IgnoredValue {
            what: "attestation",
            kind: "provenance".to_owned(),
            reason,
        }));
        ignored
    }
}

impl GraphRequest {
    /// The values of outputs and caches that have no effect, as those of a [`BuildRequest`].
    pub fn ignored_values(&self) -> Vec<IgnoredValue> {
        of_parts(&self.outputs, &self.cache_from, &self.cache_to)
    }
}

fn of_parts(
    outputs: &[Output],
    cache_from: &[CacheEntry],
    cache_to: &[CacheEntry],
) -> Vec<IgnoredValue> {
    let of = |what, kind: &str, reason| IgnoredValue {
        what,
        kind: kind.to_owned(),
        reason,
    };
    let outputs = outputs.iter().flat_map(|output| {
        let unknown = output.unknown_attributes();
        unknown.map(move |reason| of("output", output.kind.name(), reason))
    });
    let directions = [
        ("cache to import", CacheDirection::From, cache_from),
        ("cache to export", CacheDirection::To, cache_to),
    ];
    let caches = directions
        .into_iter()
        .flat_map(|(what, direction, caches)| {
            caches.iter().flat_map(move |entry| {
                let ignored = cache::ignored(entry, direction).into_iter();
                ignored.map(move |reason| of(what, &entry.kind, reason))
            })
        });
    outputs.chain(caches).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Attestations, parse_cache};

    #[test]
    fn values_without_effect_are_kept_and_named() {
        let mut request = BuildRequest::new(".");
        request.outputs = [
            "type=oci,compresion=gzip",
            "type=cacheonly,x=1",
            "type=local,dest=d",
        ]
        .map(|text| text.parse().unwrap())
        .to_vec();
        request.cache_from = parse_cache("type=nope,a=b", CacheDirection::From).unwrap();
        request.cache_to =
            parse_cache("type=local,dest=c,mode=all,x=1", CacheDirection::To).unwrap();
        let provenance = Some("mode=min,inline-only=maybe,mod=max");
        request.attestations = Attestations::parse(&[], provenance, None).unwrap();
        let ignored = request.ignored_values();
        let ignored: Vec<String> = ignored.iter().map(ToString::to_string).collect();
        let expected = [
            "output type=oci: there is no attribute \"compresion\"; did you mean \"compression\"?",
            "output type=cacheonly: there is no attribute \"x\"",
            "cache to import type=nope: there is no type \"nope\"",
            "cache to export type=local: there is no attribute \"x\"",
            "cache to export type=local: mode=all is neither min nor max",
            "attestation type=provenance: inline-only=maybe is neither true nor false",
            "attestation type=provenance: there is no attribute \"mod\"; did you mean \"mode\"?",
        ];
        assert_eq!(ignored.len(), expected.len(), "{ignored:#?}");
        for (found, expected) in ignored.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
        assert_eq!(request.cache_from[0].attrs["a"], "b");
        assert_eq!(request.outputs[0].attributes["compresion"], "gzip");
    }

    #[test]
    fn known_values_are_not_reported() {
        let mut request = BuildRequest::new(".");
        request.outputs = [
            "type=image,name=a,push=True,annotation.x=y,annotation-index.x=y",
            "type=docker,context=c,tar=0,dest=d",
            "type=local,dest=d,mode=delete",
            "type=registry",
        ]
        .map(|text| text.parse().unwrap())
        .to_vec();
        assert!(request.outputs[0].pushes());
        request.cache_to = parse_cache("type=inline,mode=max", CacheDirection::To).unwrap();
        request.attestations = Attestations::default().or_default();
        assert_eq!(request.ignored_values(), []);
    }
}
