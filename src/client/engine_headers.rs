//! Headers that a user adds to every request to a Docker Engine, for example for a proxy in front
//! of it.

use std::sync::Arc;

use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue};
use solvekit_core::dockerfile::csv_fields;

/// Headers for every request to a Docker Engine. The requests' own headers win. Clones share them.
///
/// They may hold tokens, so `Debug` shows their names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EngineHeaders(Option<Arc<HeaderMap>>);

/// Why headers cannot be sent. No variant has a value, which could be a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineHeaderProblem {
    /// The text is not one line of comma-separated values.
    #[error("it is not a line of comma-separated pairs such as NAME=VALUE,\"NAME2=A,B\"")]
    NotCsv,
    /// A pair has no `=`.
    #[error("pair {number} has no \"=\"")]
    NoValue {
        /// Its place, from 1.
        number: usize,
    },
    /// A pair has no name.
    #[error("pair {number} has no name before its \"=\"")]
    NoName {
        /// Its place, from 1.
        number: usize,
    },
    /// The name is not that of a header.
    #[error("{name:?} cannot be the name of a header")]
    Name {
        /// The name.
        name: String,
    },
    /// The value has characters that no header can carry.
    #[error("the value of {name:?} has characters that a header cannot carry")]
    Value {
        /// The name.
        name: String,
    },
}

impl EngineHeaders {
    /// Returns these headers. Names are compared without regard to case; the last one wins.
    ///
    /// # Errors
    /// If a name or value cannot be sent.
    pub fn new<'a>(
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, EngineHeaderProblem> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let key = HeaderName::from_bytes(name.as_bytes());
            let key = key.map_err(|_| EngineHeaderProblem::Name { name: name.into() })?;
            let value = HeaderValue::from_bytes(value.as_bytes());
            let mut value = value.map_err(|_| EngineHeaderProblem::Value { name: name.into() })?;
            value.set_sensitive(true);
            map.insert(key, value);
        }
        Ok(Self((!map.is_empty()).then(|| Arc::new(map))))
    }

    /// Parses the form of the docker CLI's `DOCKER_CUSTOM_HEADERS`: a line of comma-separated
    /// `NAME=VALUE` pairs, in double quotes if they have commas. Spaces around a name are not part
    /// of it.
    ///
    /// # Errors
    /// As [`EngineHeaders::new`]; also if the text is not of this form.
    pub fn parse(text: &str) -> Result<Self, EngineHeaderProblem> {
        let fields = csv_fields(text).ok_or(EngineHeaderProblem::NotCsv)?;
        let mut pairs = Vec::with_capacity(fields.len());
        for (number, field) in (1..).zip(&fields) {
            let pair = field.split_once('=');
            let name = pair.map_or(field.as_str(), |(name, _)| name).trim();
            match pair {
                _ if name.is_empty() => return Err(EngineHeaderProblem::NoName { number }),
                None => return Err(EngineHeaderProblem::NoValue { number }),
                Some((_, value)) => pairs.push((name, value)),
            }
        }
        Self::new(pairs)
    }

    /// Adds the headers that a request does not have itself.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        for (name, value) in self.0.iter().flat_map(|map| map.iter()) {
            if let Entry::Vacant(entry) = headers.entry(name) {
                entry.insert(value.clone());
            }
        }
    }
}

impl std::fmt::Debug for EngineHeaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.0.iter().flat_map(|map| map.keys());
        f.debug_list().entries(names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(headers: &EngineHeaders) -> Vec<(String, String)> {
        let mut map = HeaderMap::new();
        map.insert("host", HeaderValue::from_static("docker"));
        headers.add_to(&mut map);
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let pairs = map
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)));
        pairs.filter(|(name, _)| name != "host").collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn pairs_are_read_as_the_docker_cli_reads_them() {
        let text = "one=one-value,\"two=two,value\",\" three = a value \",four=,five=5=5,Five=6";
        let headers = EngineHeaders::parse(text).unwrap();
        let expected = [
            pair("one", "one-value"),
            pair("two", "two,value"),
            pair("three", " a value "),
            pair("four", ""),
            pair("five", "6"),
        ];
        assert_eq!(sent(&headers), expected);
    }

    #[test]
    fn a_requests_own_headers_stay() {
        let headers = EngineHeaders::parse("Host=elsewhere,a=b").unwrap();
        let mut map = HeaderMap::new();
        map.insert("host", HeaderValue::from_static("docker"));
        headers.add_to(&mut map);
        assert_eq!(map["host"], "docker");
        assert_eq!(map["a"], "b");
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_its_value() {
        use EngineHeaderProblem::{Name, NoName, NoValue, NotCsv, Value};
        let name = |name: &str| Name { name: name.into() };
        for (text, problem) in [
            ("a=\"b", NotCsv),
            ("a=1,token", NoValue { number: 2 }),
            ("a=1,", NoName { number: 2 }),
            (" =secret", NoName { number: 1 }),
            ("a b=secret", name("a b")),
            ("a=se\u{1}cret", Value { name: "a".into() }),
        ] {
            assert_eq!(EngineHeaders::parse(text), Err(problem), "{text}");
        }
        let headers = EngineHeaders::parse("Authorization=secret").unwrap();
        assert_eq!(format!("{headers:?}"), "[\"authorization\"]");
    }
}
