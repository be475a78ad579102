//! External caches, in buildx's syntax.

use std::collections::BTreeMap;
use std::fmt;

use super::value::ValueError;
use crate::client::CacheEntry;
use crate::oci::Digest;
use crate::pipeline::Error;
use crate::text::csv_fields;

/// The direction of a cache: import or export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheDirection {
    /// It is imported.
    From,
    /// It is exported.
    To,
}

impl fmt::Display for CacheDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::From => "import",
            Self::To => "export",
        })
    }
}

/// A kind of cache with the attributes that BuildKit reads.
struct Kind {
    name: &'static str,
    both: &'static [&'static str],
    from: &'static [&'static str],
    to: &'static [&'static str],
    /// The required attributes.
    needed: fn(CacheDirection) -> &'static [&'static str],
}

/// Exports the finished steps of a failed build. Handled by this client, not sent to the daemon.
pub(crate) const ON_FAILURE: &str = "on-failure";

/// Attributes of exported layers.
const COMPRESSION: [&str; 3] = ["compression", "compression-level", "force-compression"];

const KINDS: &[Kind] = &[
    Kind {
        name: "registry",
        both: &["ref", "registry.insecure"],
        from: &[],
        to: &[
            "mode",
            "image-manifest",
            "oci-mediatypes",
            "ignore-error",
            ON_FAILURE,
            COMPRESSION[0],
            COMPRESSION[1],
            COMPRESSION[2],
        ],
        needed: |_| &["ref"],
    },
    Kind {
        name: "local",
        both: &["tag"],
        from: &["src", "digest"],
        to: &[
            "dest",
            "reset",
            "mode",
            "image-manifest",
            "oci-mediatypes",
            "ignore-error",
            ON_FAILURE,
            COMPRESSION[0],
            COMPRESSION[1],
            COMPRESSION[2],
        ],
        needed: |direction| match direction {
            CacheDirection::From => &["src"],
            CacheDirection::To => &["dest"],
        },
    },
    Kind {
        name: "inline",
        both: &[],
        from: &[],
        // No `on-failure`: the cache is part of the image, and a failed build has no image.
        to: &["mode", "ignore-error"],
        needed: |_| &[],
    },
    Kind {
        name: "gha",
        both: &[
            "url",
            "url_v2",
            "token",
            "scope",
            "timeout",
            "version",
            "repository",
            "ghtoken",
        ],
        from: &[],
        to: &["mode", "ignore-error", ON_FAILURE],
        needed: |_| &[],
    },
    Kind {
        name: "s3",
        both: &[
            "region",
            "bucket",
            "name",
            "prefix",
            "blobs_prefix",
            "manifests_prefix",
            "endpoint_url",
            "use_path_style",
            "access_key_id",
            "secret_access_key",
            "session_token",
            "retry_mode",
            "retry_max_attempts",
            "disable_accept_encoding",
        ],
        from: &[],
        to: &[
            "mode",
            "ignore-error",
            ON_FAILURE,
            "touch_refresh",
            "upload_parallelism",
        ],
        // The daemon also reads the region and the bucket from its own environment.
        needed: |_| &[],
    },
    Kind {
        name: "azblob",
        both: &[
            "account_url",
            "account_name",
            "secret_access_key",
            "container",
            "name",
            "prefix",
            "blobs_prefix",
            "manifests_prefix",
        ],
        from: &[],
        to: &["mode", "ignore-error", ON_FAILURE],
        // The daemon also reads the URL from its own environment.
        needed: |_| &[],
    },
];

/// Parses `type=registry,ref=…` as one CSV record, or a comma-separated list of image names.
///
/// # Errors
/// [`Error::Cache`] for a missing attribute, and for a type that cannot be exported to.
pub fn parse_cache(text: &str, direction: CacheDirection) -> Result<Vec<CacheEntry>, Error> {
    let invalid = |source| Error::Cache {
        direction,
        input: redacted(text),
        source: Box::new(source),
    };
    let fields = csv_fields(text).map_err(|error| invalid(error.into()))?;
    if !text.contains('=') {
        return Ok(fields.into_iter().map(of_image).collect());
    }
    let mut attrs = BTreeMap::new();
    for field in fields {
        let Some((key, value)) = field.split_once('=') else {
            return Err(invalid(ValueError::form(&field, "key=value")));
        };
        attrs.insert(key.trim().to_ascii_lowercase(), value.to_owned());
    }
    let kind = attrs
        .remove("type")
        .filter(|kind| !kind.is_empty())
        .ok_or_else(|| {
            invalid(ValueError::Missing {
                key: "type",
                why: "for example type=registry".to_owned(),
            })
        })?;
    check(&kind, &attrs, direction).map_err(invalid)?;
    Ok(vec![CacheEntry { kind, attrs }])
}

/// Makes a cache from its type and attributes.
///
/// # Errors
/// [`Error::Cache`] for a missing attribute, and for a type that cannot be exported to.
pub fn cache_entry(
    kind: &str,
    attrs: BTreeMap<String, String>,
    direction: CacheDirection,
) -> Result<CacheEntry, Error> {
    check(kind, &attrs, direction).map_err(|source| Error::Cache {
        direction,
        input: format!("type={kind}"),
        source: Box::new(source),
    })?;
    let kind = kind.to_owned();
    Ok(CacheEntry { kind, attrs })
}

fn of_image(name: String) -> CacheEntry {
    CacheEntry {
        kind: "registry".to_owned(),
        attrs: BTreeMap::from([("ref".to_owned(), name)]),
    }
}

/// The parts of a cache that the daemon ignores: attributes that the type does not have, a mode
/// that is none, and a type to import that it does not know.
pub(super) fn ignored(entry: &CacheEntry, direction: CacheDirection) -> Vec<ValueError> {
    let Some(known) = Kind::find(&entry.kind) else {
        return vec![Kind::unknown(&entry.kind)];
    };
    let names = known.attributes(direction);
    let unknown = entry
        .attrs
        .keys()
        .filter(|key| !names.contains(&key.as_str()));
    let unknown = unknown.map(|key| ValueError::attribute(&entry.kind, key, &names));
    let mode = entry.attrs.get("mode").filter(|_| names.contains(&"mode"));
    let mode = mode.filter(|mode| !matches!(mode.as_str(), "min" | "max"));
    let mode = mode.map(|mode| ValueError::neither("mode", mode, "min nor max"));
    unknown.chain(mode).collect()
}

impl Kind {
    fn find(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|known| known.name == name)
    }

    fn unknown(name: &str) -> ValueError {
        let names: Vec<&'static str> = KINDS.iter().map(|known| known.name).collect();
        ValueError::unknown("type", name, &names)
    }

    fn attributes(&self, direction: CacheDirection) -> Vec<&'static str> {
        let one_way = match direction {
            CacheDirection::From => self.from,
            CacheDirection::To => self.to,
        };
        let mut names: Vec<&'static str> = self.both.iter().chain(one_way).copied().collect();
        names.sort_unstable();
        names
    }
}

fn check(
    kind: &str,
    attrs: &BTreeMap<String, String>,
    direction: CacheDirection,
) -> Result<(), ValueError> {
    let known = match (Kind::find(kind), direction) {
        (Some(known), _) => known,
        // The daemon builds without a cache that it cannot import.
        (None, CacheDirection::From) => return Ok(()),
        (None, CacheDirection::To) => return Err(Kind::unknown(kind)),
    };
    for key in ["reset", ON_FAILURE] {
        if direction == CacheDirection::To
            && let Some(value) = attrs.get(key)
            && !matches!(value.as_str(), "true" | "false" | "1" | "0")
        {
            return Err(ValueError::neither(key, value, "true nor false"));
        }
    }
    if let Some(digest) = attrs.get("digest") {
        Digest::parse(digest)?;
    }
    if attrs.get("tag").is_some_and(String::is_empty) {
        return Err(ValueError::EmptyValue {
            key: "tag",
            instead: "without it the tag is latest",
        });
    }
    for needed in (known.needed)(direction) {
        if attrs.get(*needed).is_none_or(String::is_empty) {
            return Err(ValueError::Missing {
                key: needed,
                why: format!("type={kind} needs it"),
            });
        }
    }
    Ok(())
}

/// Returns the text with the values of tokens and keys removed.
fn redacted(text: &str) -> String {
    let secret =
        |key: &str| key.contains("token") || key.contains("secret") || key.contains("access_key");
    let fields = text.split(',').map(|field| match field.split_once('=') {
        Some((key, _)) if secret(&key.to_ascii_lowercase()) => format!("{key}=…"),
        _ => field.to_owned(),
    });
    fields.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
