//! `output`: the destination of a build's result.

use std::collections::BTreeMap;

use super::error::AttributeError;
use super::fields::{fields, pair, remove_duplicates};

/// One output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Output {
    /// The exporter: `image`, `registry`, `local`, `tar`, `oci`, `docker`, `cacheonly`.
    pub kind: String,
    /// `dest`: a path, or `-` for stdout; empty if there is none.
    pub destination: String,
    /// The other attributes.
    pub attributes: BTreeMap<String, String>,
}

impl Output {
    /// Parses `type=image,push=true`, a path for `local`, or `-` for a tar archive on stdout.
    ///
    /// # Errors
    /// If the text is not a list of `key=value`, or has no type.
    pub fn parse(text: &str) -> Result<Self, AttributeError> {
        let fields = fields(text)?;
        if fields.as_slice() == [text] && !text.starts_with("type=") {
            let kind = if text == "-" { "tar" } else { "local" };
            return Ok(Self {
                kind: kind.to_owned(),
                destination: text.to_owned(),
                attributes: BTreeMap::new(),
            });
        }
        let mut output = Self::default();
        for field in &fields {
            let (key, value) = pair(field)?;
            let key = key.to_lowercase();
            match key.trim() {
                "type" => value.clone_into(&mut output.kind),
                "dest" => value.clone_into(&mut output.destination),
                key => {
                    output.attributes.insert(key.to_owned(), value.to_owned());
                }
            }
        }
        output.check()
    }

    /// Returns the output, if it has a type.
    pub(super) fn check(self) -> Result<Self, AttributeError> {
        if self.kind.is_empty() {
            return Err(AttributeError::NoType { what: "an output" });
        }
        Ok(self)
    }

    /// Returns outputs without duplicates; `None` if the list is empty.
    pub fn normalize(list: Vec<Self>) -> Option<Vec<Self>> {
        remove_duplicates(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_local_output() {
        let output = Output::parse("./out").unwrap();
        assert_eq!(
            (output.kind.as_str(), output.destination.as_str()),
            ("local", "./out")
        );
        assert_eq!(Output::parse("-").unwrap().kind, "tar");
    }

    #[test]
    fn an_output_without_type_is_refused() {
        let error = Output::parse("dest=out,push=true").unwrap_err();
        assert_eq!(error, AttributeError::NoType { what: "an output" });
    }
}
