//! The commits and tags that the daemon sends, checked against their digests.

use sha1::Digest as _;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::git::GitError;
use crate::input::{Actor, Commit, PgpSignature, SignedObject, SshSignature, Tag};
use crate::signature;

/// A commit or tag object.
#[derive(Debug, Default)]
pub(crate) struct Object<'a> {
    raw: &'a [u8],
    is_tag: bool,
    headers: Vec<(String, String)>,
    message: String,
    /// The armored signature; empty if there is none.
    pub(crate) signature: String,
    /// The text that the signature covers.
    pub(crate) signed: String,
}

impl<'a> Object<'a> {
    pub(crate) fn parse(raw: &'a [u8]) -> Result<Self, GitError> {
        let text = String::from_utf8_lossy(raw);
        let mut object = Self {
            raw,
            is_tag: raw.starts_with(b"object "),
            ..Self::default()
        };
        let (mut signature, mut signed, mut message) = (Vec::new(), Vec::new(), Vec::new());
        let mut lines = text.split('\n');
        let mut in_signature = false;
        for line in lines.by_ref() {
            if line.is_empty() {
                signed.push(line);
                break;
            }
            let start = ["gpgsig ", "gpgsig-sha256 "]
                .iter()
                .find_map(|prefix| line.strip_prefix(prefix).filter(|_| !object.is_tag));
            let continued = line.strip_prefix(' ').filter(|_| in_signature);
            if let Some(part) = start.or(continued) {
                in_signature = true;
                signature.push(part);
                continue;
            }
            in_signature = false;
            signed.push(line);
            if let Some((name, value)) = line.split_once(' ') {
                object.headers.push((name.to_owned(), value.to_owned()));
            }
        }
        let mut is_signature = false;
        for line in lines {
            is_signature |= object.is_tag
                && [
                    "-----BEGIN PGP SIGNATURE-----",
                    "-----BEGIN SSH SIGNATURE-----",
                ]
                .contains(&line);
            if is_signature {
                signature.push(line);
            } else {
                message.push(line);
                signed.push(line);
            }
        }
        let joined = message.join("\n");
        object.message = joined.strip_suffix('\n').unwrap_or(&joined).to_owned();
        object.signature = signature.join("\n");
        object.signed = signed.join("\n");
        if object.is_tag {
            object.signed.push('\n');
        }
        let required: &[&str] = if object.is_tag {
            &["object", "type", "tag", "tagger"]
        } else {
            &["tree", "author", "committer"]
        };
        match required.iter().find(|name| object.header(name).is_empty()) {
            Some(header) => Err(GitError::Object { header }),
            None => Ok(object),
        }
    }

    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// Checks that the object's hash is this name.
    pub(crate) fn check(&self, name: &str) -> Result<(), GitError> {
        let kind = if self.is_tag { "tag" } else { "commit" };
        let start = format!("{kind} {}\0", self.raw.len());
        let actual = match name.len() {
            40 => {
                let hash = sha1::Sha1::new()
                    .chain_update(&start)
                    .chain_update(self.raw);
                hex(&hash.finalize())
            }
            64 => {
                let hash = sha2::Sha256::new()
                    .chain_update(&start)
                    .chain_update(self.raw);
                hex(&hash.finalize())
            }
            _ => {
                return Err(GitError::ObjectName {
                    name: name.to_owned(),
                });
            }
        };
        if actual == name {
            Ok(())
        } else {
            Err(GitError::Checksum {
                expected: name.to_owned(),
                actual,
            })
        }
    }

    fn signatures(&self) -> (Option<PgpSignature>, Option<SshSignature>) {
        signature::describe(&self.signature)
    }

    fn signed_object(&self) -> SignedObject {
        SignedObject {
            text: self.signed.clone(),
            signature: self.signature.clone(),
        }
    }

    pub(crate) fn commit(&self) -> Result<Commit, GitError> {
        if self.is_tag {
            return Err(GitError::Object { header: "tree" });
        }
        let parents = self.headers.iter().filter(|(name, _)| name == "parent");
        let (pgp_signature, ssh_signature) = self.signatures();
        Ok(Commit {
            tree: self.header("tree").to_owned(),
            parents: parents.map(|(_, value)| value.clone()).collect(),
            author: actor(self.header("author")),
            committer: actor(self.header("committer")),
            message: self.message.clone(),
            pgp_signature,
            ssh_signature,
            signed: self.signed_object(),
        })
    }

    pub(crate) fn tag(&self) -> Result<Tag, GitError> {
        if !self.is_tag {
            return Err(GitError::Object { header: "object" });
        }
        let (pgp_signature, ssh_signature) = self.signatures();
        Ok(Tag {
            object: self.header("object").to_owned(),
            kind: self.header("type").to_owned(),
            tag: self.header("tag").to_owned(),
            tagger: actor(self.header("tagger")),
            message: self.message.clone(),
            pgp_signature,
            ssh_signature,
            signed: self.signed_object(),
        })
    }
}

/// Parses `Name <address> 1700000000 +0100`.
fn actor(text: &str) -> Actor {
    let text = text.trim();
    let (Some(start), Some(end)) = (text.rfind('<'), text.rfind('>')) else {
        return named(text);
    };
    let (Some(name), Some(email)) = (text.get(..start), text.get(start + 1..end)) else {
        return named(text);
    };
    Actor {
        name: name.trim().to_owned(),
        email: email.trim().to_owned(),
        when: text.get(end + 1..).and_then(moment),
    }
}

fn named(name: &str) -> Actor {
    Actor {
        name: name.to_owned(),
        ..Actor::default()
    }
}

fn moment(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let seconds: i64 = words.next()?.parse().ok()?;
    let zone = words
        .next()
        .filter(|zone| zone.len() == 5 && zone.is_ascii())?;
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let number = |text: Option<&str>| text.and_then(|t| t.parse::<i32>().ok()).unwrap_or(0);
    let offset = sign * (number(zone.get(1..3)) * 3600 + number(zone.get(3..5)) * 60);
    let offset = UtcOffset::from_whole_seconds(offset).ok()?;
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    time.checked_to_offset(offset)?.format(&Rfc3339).ok()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
