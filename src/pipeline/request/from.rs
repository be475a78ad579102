//! Inputs of a build: the context, the Dockerfile, the named contexts. Plain values; nothing is
//! read here.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use super::value::ValueError;
use crate::layout::LayoutReference;
use crate::oci::Reference;
use crate::pipeline::{Error, InputStream, Prepared};
use crate::text::redact_url;
use crate::translate::remote_kind;

/// The main context, which `COPY` and `ADD` read.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum MainContext {
    /// A local folder.
    Directory(PathBuf),
    /// A URL that the daemon fetches: a git repository, or an archive or single Dockerfile by
    /// http(s).
    Remote(String),
    /// A tar archive, plain or compressed, or a single Dockerfile; the first bytes decide.
    Stream(InputStream),
}

/// Source of the Dockerfile.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum DockerfileFrom {
    /// A path. If the context is a stream or is fetched by the daemon, a relative path is looked up
    /// in it.
    Path(PathBuf),
    /// An http(s) URL, from which the daemon fetches it.
    Url(String),
    /// A stream.
    Stream(InputStream),
}

/// A named context for `FROM`, `COPY --from` and `RUN --mount=from=`; it replaces the image or
/// stage of that name.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NamedContext {
    /// A local folder.
    Directory(PathBuf),
    /// `docker-image://REFERENCE`, a git repository, or a file by http(s).
    Remote(String),
    /// An image in a local folder with the OCI layout.
    Layout(LayoutReference),
    /// A stage of the same Dockerfile, built on its own. Supported only if this library translates
    /// the Dockerfile.
    Stage(String),
    /// The result of another build: its graph becomes part of this one, for the same platforms.
    /// Supported only if this library translates the Dockerfile.
    Build(Arc<Prepared>),
}

impl<P: Into<PathBuf>> From<P> for MainContext {
    fn from(path: P) -> Self {
        Self::Directory(path.into())
    }
}

impl<P: Into<PathBuf>> From<P> for DockerfileFrom {
    fn from(path: P) -> Self {
        Self::Path(path.into())
    }
}

impl<P: Into<PathBuf>> From<P> for NamedContext {
    fn from(path: P) -> Self {
        Self::Directory(path.into())
    }
}

impl FromStr for MainContext {
    type Err = Error;

    /// Parses the URL of a git repository or of a download, else the path of a folder.
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |source| invalid("the build context", text, source);
        Ok(
            match remote_kind(text).map_err(|problem| invalid(problem.into()))? {
                Some(_) => Self::Remote(text.to_owned()),
                None => {
                    check_scheme(text, "https, http, git or ssh").map_err(invalid)?;
                    Self::from(text)
                }
            },
        )
    }
}

impl FromStr for DockerfileFrom {
    type Err = Error;

    /// Parses an http(s) URL, else a path.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return Ok(Self::Url(text.to_owned()));
        }
        check_scheme(text, "https or http")
            .map_err(|source| invalid("the Dockerfile", text, source))?;
        Ok(Self::from(text))
    }
}

impl FromStr for NamedContext {
    type Err = Error;

    /// Parses `docker-image://…`, `oci-layout://…`, `target:STAGE`, the URL of a git repository or
    /// a download, else the path of a folder.
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |source| invalid("the named context", text, source);
        if let Some(reference) = text.strip_prefix("docker-image://") {
            Reference::parse(reference).map_err(|error| invalid(error.into()))?;
            return Ok(Self::Remote(text.to_owned()));
        }
        if LayoutReference::is_one(text) {
            return Ok(Self::Layout(LayoutReference::parse(text)?));
        }
        if let Some(stage) = text.strip_prefix("target:") {
            if stage.is_empty() {
                return Err(invalid(ValueError::form(
                    text,
                    "target:STAGE: it names no stage",
                )));
            }
            return Ok(Self::Stage(stage.to_owned()));
        }
        Ok(
            match remote_kind(text).map_err(|problem| invalid(problem.into()))? {
                Some(_) => Self::Remote(text.to_owned()),
                None => {
                    let known = "docker-image, oci-layout, target, https, http, git or ssh";
                    check_scheme(text, known).map_err(invalid)?;
                    Self::from(text)
                }
            },
        )
    }
}

/// Returns the name in the form in which contexts are looked up: short, like an image's name.
///
/// # Errors
/// [`Error::ContextText`] if it cannot be the name of an image or stage.
pub fn context_name(text: &str) -> Result<String, Error> {
    let refused = |source| invalid("the name of a context", text, source);
    if text.is_empty() {
        return Err(refused(ValueError::Empty));
    }
    let reference = Reference::parse(text).map_err(|error| refused(error.into()))?;
    let familiar = reference.familiar();
    let short = familiar.strip_suffix(":latest").unwrap_or(&familiar);
    Ok(short.to_owned())
}

/// Rejects a path that has a scheme.
fn check_scheme(text: &str, expected: &'static str) -> Result<(), ValueError> {
    if text.is_empty() {
        return Err(ValueError::Empty);
    }
    match text.split_once("://") {
        Some((scheme, _)) if !scheme.contains('/') => Err(ValueError::Scheme {
            scheme: scheme.to_owned(),
            expected,
        }),
        _ => Ok(()),
    }
}

fn invalid(what: &'static str, text: &str, source: ValueError) -> Error {
    Error::ContextText {
        what,
        text: redact_url(text),
        source: Box::new(source),
    }
}

/// True if `-f` names a local file, whatever the context is.
pub(in crate::pipeline) fn is_here(path: &Path) -> bool {
    path.is_absolute()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_are_distinguished_from_folders() {
        for url in [
            "https://host/repository.git#main:folder",
            "https://host/repository.git?ref=main&subdir=folder",
            "git://host/repository",
            "ssh://git@host:22/repository",
            "git@host:path/repository.git",
            "github.com/owner/repository",
            "https://host/context.tar.gz",
        ] {
            let context: MainContext = url.parse().unwrap();
            assert!(
                matches!(context, MainContext::Remote(text) if text == url),
                "{url}"
            );
            let named: NamedContext = url.parse().unwrap();
            assert!(matches!(named, NamedContext::Remote(_)), "{url}");
        }
        for path in [".", "folder/sub", "/abs:olute", "C:odd", "./https://x"] {
            let context: MainContext = path.parse().unwrap();
            assert!(matches!(context, MainContext::Directory(_)), "{path}");
        }
    }

    #[test]
    fn what_cannot_be_a_context_is_refused_without_its_password() {
        for (text, reason) in [
            ("ftp://host/x.tar", "unknown scheme \"ftp\""),
            ("", "it is empty"),
            ("https://me:hunter2@h/r.git?branch=", "no value"),
        ] {
            let error = text.parse::<MainContext>().unwrap_err();
            let error = crate::causes::in_one_line(&error);
            assert!(
                error.contains(reason) && !error.contains("hunter2"),
                "{error}"
            );
        }
        for text in ["docker-image://A B", "target:", "oci-layout://", "s3://b"] {
            assert!(text.parse::<NamedContext>().is_err(), "{text}");
        }
        assert!("file:///Dockerfile".parse::<DockerfileFrom>().is_err());
    }

    #[test]
    fn names_are_those_of_images() {
        assert_eq!(
            context_name("docker.io/library/alpine:latest").unwrap(),
            "alpine"
        );
        assert_eq!(context_name("base").unwrap(), "base");
        assert!(context_name("").is_err() && context_name("UPPER").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            text in "\\PC*",
            scheme in "(git|https|docker-image|oci-layout|ssh|git@h:|)(://)?",
        ) {
            for text in [text.clone(), format!("{scheme}{text}")] {
                let _ = text.parse::<MainContext>();
                let _ = text.parse::<NamedContext>();
                let _ = text.parse::<DockerfileFrom>();
                if let Ok(name) = context_name(&text) {
                    prop_assert_eq!(context_name(&name).unwrap(), name);
                }
            }
        }
    }
}
