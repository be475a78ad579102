//! Parses sources in the user's notation.

use std::path::Path;

use super::Source;

/// Parses a source for `policy eval`: an image, a repository, a download, or a folder.
pub fn parse_source(text: &str) -> Result<Source, ParseSourceError> {
    const IMAGE: &str = "docker-image://";
    if let Some(reference) = text.strip_prefix(IMAGE) {
        let reference =
            crate::oci::Reference::parse(reference).map_err(ParseSourceError::Reference)?;
        return Ok(Source::new(format!(
            "{IMAGE}{}",
            reference.with_default_tag()
        )));
    }
    if text.starts_with("git://") {
        return Ok(Source::new(text));
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        let is_git = matches!(
            crate::translate::remote_kind(text),
            Ok(Some(crate::translate::RemoteKind::Git { .. }))
        );
        let mut source = Source::new(match is_git {
            true => format!("git://{text}"),
            false => text.to_owned(),
        });
        if is_git {
            source
                .attrs
                .insert("git.fullurl".to_owned(), text.to_owned());
        }
        return Ok(source);
    }
    match Path::new(text).metadata() {
        Ok(_) => Ok(Source::new("local://context")),
        Err(source) => Err(ParseSourceError::Path {
            path: text.to_owned(),
            source,
        }),
    }
}

/// Why a text is not a source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParseSourceError {
    /// The reference of an image is invalid.
    #[error("failed to parse image source reference")]
    Reference(#[source] crate::oci::Error),
    /// The path does not exist.
    #[error("invalid local path {path}")]
    Path {
        /// The path.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}
