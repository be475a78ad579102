//! `oci-layout://PATH[:TAG][@DIGEST]`: an image in a local layout, as written in flags.

use std::fmt;
use std::path::PathBuf;

use super::{Error, Layout, ReferenceProblem};
use crate::oci::Digest;

const SCHEME: &str = "oci-layout://";
/// The tag of a reference without tag and digest.
const DEFAULT_TAG: &str = "latest";

/// An image of a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutReference {
    /// The folder.
    pub path: PathBuf,
    /// The tag; always set if there is no digest.
    pub tag: Option<String>,
    /// True if the tag was omitted. The layout's only image then matches, whatever its tag.
    pub is_default_tag: bool,
    /// The digest.
    pub digest: Option<Digest>,
}

impl LayoutReference {
    /// Returns true if the text starts like a layout reference.
    pub fn is_one(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// Parses `oci-layout://PATH[:TAG][@DIGEST]`. Without tag and digest the tag is `latest`.
    ///
    /// # Errors
    /// [`Error::Reference`] if the text is malformed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_text(text).map_err(|reason| Error::Reference {
            input: text.to_owned(),
            reason,
        })
    }

    pub(crate) fn parse_text(text: &str) -> Result<Self, ReferenceProblem> {
        let mut path = text.strip_prefix(SCHEME).ok_or(ReferenceProblem::Scheme)?;
        let mut digest = None;
        if let Some((before, after)) = path.rsplit_once('@')
            && has_form_of_digest(after)
        {
            digest = Some(Digest::parse(after)?);
            path = before;
        }
        let mut tag = None;
        if let Some((before, after)) = path.rsplit_once(':')
            && is_tag(after)
        {
            tag = Some(after.to_owned());
            path = before;
        }
        if path.is_empty() {
            return Err(ReferenceProblem::NoFolder);
        }
        let is_default_tag = tag.is_none() && digest.is_none();
        if is_default_tag {
            tag = Some(DEFAULT_TAG.to_owned());
        }
        Ok(Self {
            path: path.into(),
            tag,
            is_default_tag,
            digest,
        })
    }

    /// Returns the digest: the given one, else the digest of the given tag, else that of `latest`
    /// or of the layout's only image. Blocking.
    ///
    /// # Errors
    /// As [`Layout::find`].
    pub fn resolve(&self) -> Result<Digest, Error> {
        match &self.digest {
            Some(digest) => Ok(digest.clone()),
            None => {
                let tag = self.tag.as_deref().unwrap_or(DEFAULT_TAG);
                let layout = Layout::new(&self.path);
                match self.is_default_tag {
                    true => layout.find_or_only(tag),
                    false => layout.find(tag),
                }
            }
        }
    }
}

impl fmt::Display for LayoutReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.path.display())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Returns true for `word:hex`. Any other text after `@` belongs to the folder's name.
fn has_form_of_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        let filled = !algorithm.is_empty() && !hex.is_empty();
        filled
            && algorithm.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut bytes = text.bytes();
    text.len() <= 128
        && bytes.next().is_some_and(word)
        && bytes.all(|byte| word(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_tag_and_digest_are_distinguished() {
        let digest = Digest::sha256(b"");
        for (text, path, tag, with_digest) in [
            ("/a/b".to_owned(), "/a/b", Some("latest"), false),
            ("a:1.3".to_owned(), "a", Some("1.3"), false),
            (format!("/a/b@{digest}"), "/a/b", None, true),
            (format!("/a/@/b:x@{digest}"), "/a/@/b", Some("x"), true),
            ("/a/@/b".to_owned(), "/a/@/b", Some("latest"), false),
            ("/a:b/c".to_owned(), "/a:b/c", Some("latest"), false),
            ("/a/b:tag@".to_owned(), "/a/b:tag@", Some("latest"), false),
            ("me@sha512".to_owned(), "me@sha512", Some("latest"), false),
            ("me@home:1.3".to_owned(), "me@home", Some("1.3"), false),
            // No digest, because of the backslash; the printed tag is a given one.
            (
                r"a/b:tag@sha256:e3b0c44\98fc1c149afbf4".to_owned(),
                r"a/b:tag@sha256:e3b0c44\98fc1c149afbf4",
                Some("latest"),
                false,
            ),
        ] {
            let parsed = LayoutReference::parse(&format!("oci-layout://{text}")).unwrap();
            assert_eq!(parsed.path, PathBuf::from(path), "{text}");
            assert_eq!(parsed.tag.as_deref(), tag, "{text}");
            assert_eq!(parsed.digest, with_digest.then(|| digest.clone()), "{text}");
            let again = LayoutReference::parse(&parsed.to_string()).unwrap();
            let given = LayoutReference {
                is_default_tag: false,
                ..parsed
            };
            assert_eq!(again, given);
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, part) in [
            ("docker-image://x", "does not begin with"),
            ("oci-layout://", "the folder is missing"),
            ("oci-layout://:tag", "the folder is missing"),
            ("oci-layout://a@sha256:123", "length"),
        ] {
            let error = LayoutReference::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_tag_that_was_given_is_no_other_image() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let image = crate::oci::Descriptor::of("a/b", b"x");
        let name = super::super::Name::Tag("1".to_owned());
        layout.put(&image, &[name]).unwrap();
        let resolve = |rest: &str| {
            let text = format!("oci-layout://{}{rest}", folder.path().display());
            LayoutReference::parse(&text).unwrap().resolve()
        };
        for known in ["", ":1"] {
            assert_eq!(resolve(known).unwrap(), image.digest, "{known}");
        }
        for unknown in [":2", ":latest"] {
            let error = resolve(unknown).unwrap_err();
            assert!(matches!(error, Error::NoImage { .. }), "{unknown}: {error}");
        }
    }
}
