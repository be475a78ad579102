//! Image references, normalised like in `distribution/reference`: `alpine` is
//! `docker.io/library/alpine`.

use std::fmt;
use std::str::FromStr;

use super::{Digest, Error, ReferenceReason};

const DEFAULT_DOMAIN: &str = "docker.io";
const LEGACY_DEFAULT_DOMAIN: &str = "index.docker.io";
const OFFICIAL: &str = "library/";
const MAX_PATH: usize = 255;
const MAX_TAG: usize = 128;

/// A normalised image reference: `domain/path[:tag][@digest]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Parses a reference as people write it and adds the default domain `docker.io` and namespace
    /// `library/`.
    ///
    /// # Errors
    /// [`Error::Reference`] with the rule of the grammar that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let parts = Parts::parse(text)?;
        Ok(Self {
            domain: parts.domain.to_owned(),
            path: [parts.namespace, parts.name].concat(),
            tag: parts.tag.map(str::to_owned),
            digest: parts.digest,
        })
    }

    /// Checks that the text is a reference.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub(crate) fn check(text: &str) -> Result<(), Error> {
        Parts::parse(text).map(|_| ())
    }

    /// Returns the registry: `docker.io`, `localhost:5000` …
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Returns the repository within the registry: `library/alpine`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns domain and path, without tag and digest.
    pub fn name(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// Returns the tag, if there is one.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest, if there is one.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Adds the tag `latest` if there is neither tag nor digest.
    #[must_use]
    pub fn with_default_tag(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some("latest".to_owned());
        }
        self
    }

    /// Sets the digest and keeps the tag.
    #[must_use]
    pub fn with_digest(mut self, digest: Digest) -> Self {
        self.digest = Some(digest);
        self
    }

    /// Returns the repository alone, without tag and digest.
    #[must_use]
    pub fn without_tag(&self) -> Self {
        Self {
            tag: None,
            digest: None,
            ..self.clone()
        }
    }

    /// Sets the tag and removes the digest.
    #[must_use]
    pub fn with_tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self.digest = None;
        self
    }

    /// Removes tag and digest.
    pub fn repository(mut self) -> Self {
        (self.tag, self.digest) = (None, None);
        self
    }

    /// Returns Docker's short form, for messages and for comparison: without `docker.io/` and
    /// `library/`. It is exactly the reference's, so it is ambiguous for a repository of Docker Hub
    /// whose first part looks like a registry: `docker.io/a.b/c` becomes `a.b/c`.
    pub fn familiar(&self) -> String {
        let text = self.to_string();
        let Some(short) = text.strip_prefix("docker.io/") else {
            return text;
        };
        match short.strip_prefix(OFFICIAL) {
            Some(official) if !self.path[OFFICIAL.len()..].contains('/') => official.to_owned(),
            _ => short.to_owned(),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

/// The parts of a valid reference.
struct Parts<'t> {
    domain: &'t str,
    /// `library/`, or nothing.
    namespace: &'static str,
    name: &'t str,
    tag: Option<&'t str>,
    digest: Option<Digest>,
}

impl<'t> Parts<'t> {
    fn parse(text: &'t str) -> Result<Self, Error> {
        let invalid = |reason| Error::Reference {
            input: text.to_owned(),
            reason,
        };
        if text.is_empty() {
            return Err(invalid(ReferenceReason::Empty));
        }
        if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(invalid(ReferenceReason::ImageId));
        }
        let (domain, rest) = split_domain(text);
        let namespace = match domain == DEFAULT_DOMAIN && !rest.contains('/') {
            true => OFFICIAL,
            false => "",
        };
        let (name_and_tag, digest) = match rest.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (rest, None),
        };
        let (name, tag) = match name_and_tag.split_once(':') {
            Some((name, tag)) => (name, Some(tag)),
            None => (name_and_tag, None),
        };
        check_path(namespace, name).map_err(invalid)?;
        if domain != DEFAULT_DOMAIN && !is_domain(domain) {
            let domain = domain.to_owned();
            return Err(invalid(ReferenceReason::Domain { domain }));
        }
        if let Some(tag) = tag {
            check_tag(tag).map_err(invalid)?;
        }
        let digest = digest
            .map(Digest::parse)
            .transpose()
            .map_err(|error| invalid(ReferenceReason::Digest(Box::new(error))))?;
        Ok(Self {
            domain,
            namespace,
            name,
            tag,
            digest,
        })
    }
}

/// Splits off the registry: the text before the first `/` if it is `localhost`, or contains a `.`,
/// a `:` or an upper-case letter.
fn split_domain(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((first, rest)) if first == LEGACY_DEFAULT_DOMAIN => (DEFAULT_DOMAIN, rest),
        Some((first, rest))
            if first == "localhost"
                || first.contains(['.', ':'])
                || first.chars().any(char::is_uppercase) =>
        {
            (first, rest)
        }
        _ => (DEFAULT_DOMAIN, text),
    }
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((address, port)) => {
            if address.is_empty() || !address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') {
                return false;
            }
            return port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        }
        None => match domain.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (domain, None),
        },
    };
    port.is_none_or(is_port)
        && host.split('.').all(|part| {
            !part.is_empty()
                && !part.starts_with('-')
                && !part.ends_with('-')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

fn is_port(port: &str) -> bool {
    !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

/// Checks for components of lower-case letters and digits, joined by `.`, `_`, `__` or dashes.
fn check_path(namespace: &str, name: &str) -> Result<(), ReferenceReason> {
    if name.chars().any(char::is_uppercase) {
        return Err(ReferenceReason::UpperCase {
            name: name.to_owned(),
        });
    }
    if namespace.len() + name.len() > MAX_PATH {
        return Err(ReferenceReason::TooLong { limit: MAX_PATH });
    }
    match name
        .split('/')
        .find(|component| !is_path_component(component))
    {
        None => Ok(()),
        Some("") => Err(ReferenceReason::EmptyPart),
        Some(component) => Err(ReferenceReason::Part {
            part: component.to_owned(),
        }),
    }
}

fn is_path_component(component: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    alphanumeric(*first)
        && alphanumeric(*last)
        && bytes
            .split(|b| alphanumeric(*b))
            .all(|separator| match separator {
                b"" | b"." | b"_" | b"__" => true,
                dashes => dashes.iter().all(|b| *b == b'-'),
            })
}

fn check_tag(tag: &str) -> Result<(), ReferenceReason> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let valid = tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-');
    if valid {
        return Ok(());
    }
    Err(ReferenceReason::Tag {
        tag: tag.to_owned(),
        limit: MAX_TAG,
    })
}

#[cfg(test)]
mod tests;
