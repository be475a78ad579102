//! Git repositories in the input document: addresses as BuildKit parses them, and refs.

use crate::escapes::percent_decoded;
use crate::facts::GitFacts;
use crate::git_object::Object;
use crate::input::Git;

const PROTOCOLS: &[&str] = &["http", "https", "ssh", "git"];

/// The reason a git repository cannot be described.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum GitError {
    /// The address is malformed.
    #[error("{address:?} is not the address of a git repository")]
    Address {
        /// The address.
        address: String,
    },
    /// An object is neither a commit nor a tag.
    #[error("the git object has no {header} header")]
    Object {
        /// The header that is missing.
        header: &'static str,
    },
    /// The content of an object does not match its name.
    #[error("the git object {expected} has the checksum {actual}")]
    Checksum {
        /// The object's name.
        expected: String,
        /// The name that matches the content.
        actual: String,
    },
    /// The length of an object's name is invalid.
    #[error("{name:?} is not the name of a git object")]
    ObjectName {
        /// The name.
        name: String,
    },
}

/// The address of a git repository, split into its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct GitAddress {
    pub(crate) scheme: String,
    pub(crate) host: String,
    /// The address without ref and folder.
    pub(crate) remote: String,
    pub(crate) path: String,
    pub(crate) reference: String,
    /// The folder without a leading slash; empty for the root.
    pub(crate) sub_dir: String,
    /// The whole address, with its scheme.
    pub(crate) text: String,
}

impl GitAddress {
    /// Parses an address; the default protocol is `https`.
    pub(crate) fn parse(text: &str) -> Result<Self, GitError> {
        if scheme(text).is_some() || is_scp(text) {
            Self::parse_whole(text)
        } else {
            Self::parse_whole(&format!("https://{text}"))
        }
    }

    /// Parses an address with a protocol.
    pub(crate) fn parse_whole(text: &str) -> Result<Self, GitError> {
        let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
        let address = address.split('?').next().unwrap_or_default();
        let (reference, sub_dir) = fragment.split_once(':').unwrap_or((fragment, ""));
        let mut parsed = Self {
            reference: percent_decoded(reference),
            sub_dir: clean_path(&percent_decoded(sub_dir)),
            remote: address.to_owned(),
            text: text.to_owned(),
            ..Self::default()
        };
        let invalid = || GitError::Address {
            address: text.to_owned(),
        };
        if let Some(scheme) = scheme(text) {
            let rest = address.get(scheme.len() + 3..).ok_or_else(invalid)?;
            let (authority, path) = match rest.find('/') {
                Some(place) => rest.split_at(place),
                None => (rest, ""),
            };
            parsed.scheme = scheme.to_ascii_lowercase();
            parsed.host = authority
                .rsplit_once('@')
                .map_or(authority, |(_, h)| h)
                .to_owned();
            parsed.path = path.to_owned();
            return Ok(parsed);
        }
        let (host, path) = scp(address).ok_or_else(invalid)?;
        parsed.scheme = "ssh".to_owned();
        parsed.host = host.to_owned();
        parsed.path = path.to_owned();
        Ok(parsed)
    }
}

/// Returns the protocol, if it is a supported one.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let known = PROTOCOLS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme));
    known.then_some(scheme)
}

fn is_scp(text: &str) -> bool {
    scp(text.split('#').next().unwrap_or_default()).is_some()
}

/// Splits `user@host:path` into host and path.
fn scp(text: &str) -> Option<(&str, &str)> {
    let (user, rest) = text.split_once('@')?;
    let (host, path) = rest.split_once(':')?;
    let word = |text: &str, also: &[char]| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || also.contains(&c))
    };
    (word(user, &['-', '_']) && word(host, &['-', '.'])).then_some((host, path))
}

/// Returns a path relative to the root, without `.`, `..` and doubled slashes.
fn clean_path(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

fn is_commit(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Sets the fields that the text of the ref determines; true if its kind is known.
fn describe_reference(git: &mut Git, reference: &str) -> bool {
    if let Some(tag) = reference.strip_prefix("refs/tags/") {
        tag.clone_into(&mut git.tag_name);
        return true;
    }
    if let Some(branch) = reference.strip_prefix("refs/heads/") {
        branch.clone_into(&mut git.branch);
        return true;
    }
    if is_commit(reference) {
        git.is_commit_ref = true;
        reference.clone_into(&mut git.checksum);
        reference.clone_into(&mut git.commit_checksum);
        return true;
    }
    false
}

pub(crate) fn describe_unresolved(git: &mut Git, reference: &str, unknown: &mut Vec<&'static str>) {
    if describe_reference(git, reference) {
        reference.clone_into(&mut git.reference);
    } else {
        unknown.extend(["tagName", "branch", "ref"]);
    }
    if git.checksum.is_empty() {
        unknown.extend(["checksum", "isAnnotatedTag", "commitChecksum", "isSHA256"]);
    }
    unknown.extend(["tag", "commit"]);
}

pub(crate) fn describe_resolved(
    git: &mut Git,
    reference: &str,
    facts: &GitFacts,
    unknown: &mut Vec<&'static str>,
) -> Result<(), GitError> {
    describe_reference(git, reference);
    git.reference.clone_from(&facts.reference);
    if let Some(tag) = facts.reference.strip_prefix("refs/tags/") {
        tag.clone_into(&mut git.tag_name);
    }
    if let Some(branch) = facts.reference.strip_prefix("refs/heads/") {
        branch.clone_into(&mut git.branch);
    }
    git.checksum.clone_from(&facts.checksum);
    git.commit_checksum.clone_from(&facts.commit_checksum);
    if git.commit_checksum.is_empty() {
        git.commit_checksum.clone_from(&facts.checksum);
    }
    git.is_annotated_tag = git.checksum != git.commit_checksum;
    if facts.commit_object.is_empty() {
        unknown.extend(["commit", "tag"]);
        return Ok(());
    }
    let commit = Object::parse(&facts.commit_object)?;
    commit.check(&git.commit_checksum)?;
    git.commit = Some(commit.commit()?);
    if !facts.tag_object.is_empty() {
        let tag = Object::parse(&facts.tag_object)?;
        tag.check(&git.checksum)?;
        git.tag = Some(tag.tag()?);
    }
    Ok(())
}
