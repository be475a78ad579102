//! Where a result goes: `-o type=image,name=…,push=true` and its short forms.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::Error;

/// One destination of a build's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exporter.
    pub kind: OutputKind,
    /// The exporter's attributes, as BuildKit names them (`name`, `push`, `compression` …).
    pub attributes: BTreeMap<String, String>,
}

/// The exporters that an [`Output`] can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputKind {
    /// An image in the daemon's store, pushed when the attribute `push` is `true`.
    Image,
    /// Nothing: the result stays in the cache.
    CacheOnly,
}

/// The attributes of the image exporter that the reference knows.
const IMAGE_ATTRIBUTES: &[&str] = &[
    "name",
    "push",
    "push-by-digest",
    "registry.insecure",
    "dangling-name-prefix",
    "danging-name-empty-only",
    "name-canonical",
    "unpack",
    "store",
    "compression",
    "compression-level",
    "force-compression",
    "rewrite-timestamp",
    "oci-mediatypes",
    "oci-artifact",
    "attestation-inline",
    "prefer-nondist-layers",
    "buildinfo",
    "buildinfo-attrs",
];

impl Output {
    /// An image that is pushed to the registries of its names.
    pub fn push() -> Self {
        Self {
            kind: OutputKind::Image,
            attributes: BTreeMap::from([("push".to_owned(), "true".to_owned())]),
        }
    }

    /// Whether the result is pushed.
    pub fn pushes(&self) -> bool {
        self.kind == OutputKind::Image
            && self
                .attributes
                .get("push")
                .is_some_and(|v| matches!(v.as_str(), "true" | "1"))
    }
}

impl FromStr for Output {
    type Err = Error;

    /// Parses `type=image|registry|cacheonly,key=value,…`, one CSV record: a field with commas is quoted (`"name=a,b"`).
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |reason: String| Error::Output {
            input: text.to_owned(),
            reason,
        };
        let mut kind = None;
        let mut attributes = BTreeMap::new();
        for field in csv_fields(text).map_err(invalid)? {
            let Some((key, value)) = field.split_once('=') else {
                return Err(invalid(format!("{field:?} is not key=value")));
            };
            match key.trim().to_ascii_lowercase().as_str() {
                "type" => kind = Some(value.to_owned()),
                "" => return Err(invalid(format!("{field:?} has no key"))),
                key => {
                    attributes.insert(key.to_owned(), value.to_owned());
                }
            }
        }
        let kind = match kind.as_deref() {
            Some("image") => OutputKind::Image,
            Some("registry") => {
                attributes
                    .entry("push".to_owned())
                    .or_insert_with(|| "true".to_owned());
                OutputKind::Image
            }
            Some("cacheonly") => OutputKind::CacheOnly,
            Some(kind @ ("local" | "tar" | "oci" | "docker")) => {
                return Err(invalid(format!(
                    "type={kind} is not supported by this version"
                )));
            }
            Some(kind) => {
                return Err(invalid(format!(
                    "there is no type {kind:?}; the types are image, registry and cacheonly"
                )));
            }
            None => {
                return Err(invalid(
                    "type= is missing, for example type=image".to_owned(),
                ));
            }
        };
        check_attributes(kind, &attributes).map_err(invalid)?;
        Ok(Self { kind, attributes })
    }
}

fn check_attributes(kind: OutputKind, attributes: &BTreeMap<String, String>) -> Result<(), String> {
    for (key, value) in attributes {
        let known = match kind {
            OutputKind::Image => {
                IMAGE_ATTRIBUTES.contains(&key.as_str()) || key.starts_with("annotation")
            }
            OutputKind::CacheOnly => false,
        };
        if !known {
            let nearest = crate::suggest::nearest(key, IMAGE_ATTRIBUTES)
                .map_or_else(String::new, |name| format!("; did you mean {name:?}?"));
            return Err(format!("there is no attribute {key:?}{nearest}"));
        }
        if key == "push" && !matches!(value.as_str(), "true" | "false" | "1" | "0") {
            return Err(format!("push={value} is neither true nor false"));
        }
    }
    Ok(())
}

/// The fields of one CSV record; a field in double quotes may hold commas, and `""` for a quote.
pub(super) fn csv_fields(text: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                if rest[..end].contains('"') {
                    return Err("a quote stands inside an unquoted field".to_owned());
                }
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(fields),
            None => return Err("text follows a closing quote".to_owned()),
        }
    }
}

fn quoted_field(text: &str) -> Result<(String, &str), String> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let Some(end) = rest.find('"') else {
            return Err("a quote is not closed".to_owned());
        };
        field.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => return Ok((field, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_fields_hold_several_names() {
        let output: Output = r#"type=image,"name=a/b:1,c/d:2",push=true"#.parse().unwrap();
        assert_eq!(output.attributes["name"], "a/b:1,c/d:2");
        assert!(output.pushes());
    }

    #[test]
    fn registry_is_an_image_that_is_pushed() {
        assert!("type=registry".parse::<Output>().unwrap().pushes());
        assert!(
            !"type=registry,push=false"
                .parse::<Output>()
                .unwrap()
                .pushes()
        );
        assert!(!"type=image".parse::<Output>().unwrap().pushes());
    }

    #[test]
    fn mistakes_name_what_is_wrong() {
        for (text, part) in [
            ("type=image,compresion=gzip", "did you mean \"compression\""),
            ("image", "not key=value"),
            ("name=x", "type= is missing"),
            ("type=imag", "no type \"imag\""),
            ("type=image,push=maybe", "neither true nor false"),
            ("type=image,\"name=a", "not closed"),
        ] {
            let error = text.parse::<Output>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
