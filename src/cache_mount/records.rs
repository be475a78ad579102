//! Lists and removes the cache mounts of a daemon.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;

use super::{CacheMount, Error};
use crate::client::{CacheRecord, Client, PruneOptions};

/// The time that daemons take to release a mount after a build.
const RELEASE: Duration = Duration::from_secs(3);

/// How often the daemon is asked again, and the pauses between, while it hides mounts.
const HIDDEN: usize = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// The type of cache mounts in a daemon's records, and the begin of their descriptions.
const KIND: &str = "exec.cachemount";
const DESCRIPTION: &str = "cached mount ";

/// A folder that a daemon keeps for a cache mount. Several can have the same id: one for each owner
/// in an instruction, and with `sharing=private` one for each concurrent build.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheMountRecord {
    /// The `id=` of the instruction, or its `target=`.
    pub id: String,
    /// The value of `BUILDKIT_CACHE_MOUNT_NS`; usually empty.
    pub namespace: String,
    /// The id in the daemon.
    pub daemon_id: String,
    /// The path at which the first step mounted it.
    pub target: String,
    /// True if it is based on other files, for example on a folder with an owner.
    pub has_base: bool,
    /// The record of the daemon's cache.
    pub record: CacheRecord,
}

/// The result of [`remove`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removed {
    /// The removed records.
    pub records: Vec<CacheRecord>,
    /// The number of records that are in use and were kept.
    pub in_use: usize,
}

/// Lists the cache mounts of a daemon, by id.
///
/// # Errors
/// If the daemon does not answer.
pub async fn list(client: &Client) -> Result<Vec<CacheMountRecord>, Error> {
    listed(client, "").await
}

/// Lists the cache mounts that match more conditions of a daemon's filter, each after a comma.
///
/// A daemon measures the records that it lists, and meanwhile hides them from others: a build with
/// `sharing=shared` gets a new folder (BuildKit's `cache/manager.go`, `DiskUsage`).
async fn listed(client: &Client, conditions: &str) -> Result<Vec<CacheMountRecord>, Error> {
    let filters = [
        format!("type=={KIND}{conditions}"),
        format!("description~=\"^{DESCRIPTION}\"{conditions}"),
    ];
    let mut found = client.disk_usage(&filters, Duration::ZERO).await?;
    for _ in 0..HIDDEN {
        if !found.iter().any(hides_mount) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        found = client.disk_usage(&filters, Duration::ZERO).await?;
    }
    let records = found.into_iter().filter_map(CacheMountRecord::new);
    let mut records: Vec<_> = records.collect();
    records.sort_by(|a, b| (&a.daemon_id, &a.record.id).cmp(&(&b.daemon_id, &b.record.id)));
    Ok(records)
}

/// True if a folder is in use.
pub(super) async fn is_in_use(client: &Client, record: &str) -> Result<bool, Error> {
    let found = listed(client, &format!(",id=={record}")).await?;
    Ok(found.iter().any(|found| found.record.in_use))
}

/// Lists the folders of a mount. Other mounts are left alone if the id can be a pattern.
pub(super) async fn folders(
    client: &Client,
    mount: &CacheMount,
) -> Result<Vec<CacheMountRecord>, Error> {
    Ok(folders_and_others(client, mount).await?.0)
}

/// The folders of a mount. If there are none, all other mounts too.
async fn folders_and_others(
    client: &Client,
    mount: &CacheMount,
) -> Result<(Vec<CacheMountRecord>, Vec<CacheMountRecord>), Error> {
    if let Some(condition) = condition(&mount.id) {
        let mut found = listed(client, &condition).await?;
        found.retain(|record| mount.matches(record));
        if !found.is_empty() {
            return Ok((found, Vec::new()));
        }
    }
    let all = list(client).await?.into_iter();
    Ok(all.partition(|record| mount.matches(record)))
}

/// The condition for descriptions that end with an id; `None` for an id that would have to be
/// quoted.
fn condition(id: &str) -> Option<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_/.".contains(letter);
    id.chars()
        .all(is_plain)
        .then(|| format!(r#",description~="{}\"$""#, id.replace('.', "[.]")))
}

/// Removes all folders of a cache mount that are not in use. Waits a few seconds for those in use,
/// because daemons release a mount shortly after the build that used it has ended.
///
/// # Errors
/// [`Error::NotFound`] if there is none.
pub async fn remove(client: &Client, mount: &CacheMount) -> Result<Removed, Error> {
    let found = existing(client, mount).await?;
    let mut removed = Removed::default();
    let deadline = Instant::now() + RELEASE;
    for found in found {
        let mut pruned = prune(client, &found.record.id).await?;
        while pruned.is_empty() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(200)).await;
            pruned = prune(client, &found.record.id).await?;
        }
        removed.in_use += usize::from(pruned.is_empty());
        removed.records.extend(pruned);
    }
    Ok(removed)
}

/// Removes a record, unless it is in use.
pub(super) async fn prune(client: &Client, record: &str) -> Result<Vec<CacheRecord>, Error> {
    let options = PruneOptions {
        filters: vec![format!("id=={record}")],
        all: true,
        ..PruneOptions::default()
    };
    Ok(client.prune(&options).await?.try_collect().await?)
}

/// Returns the folders of a mount; [`Error::NotFound`] if there is none.
pub(super) async fn existing(
    client: &Client,
    mount: &CacheMount,
) -> Result<Vec<CacheMountRecord>, Error> {
    let (found, others) = folders_and_others(client, mount).await?;
    if !found.is_empty() {
        return Ok(found);
    }
    let known: BTreeSet<String> = others.iter().map(CacheMountRecord::name).collect();
    Err(Error::NotFound {
        id: mount.id.clone(),
        known: known.into_iter().collect(),
    })
}

/// True for the record that a daemon lists in place of a mount while it measures the mount for
/// another client.
fn hides_mount(record: &CacheRecord) -> bool {
    record.kind != KIND && record.in_use && record.description.starts_with(DESCRIPTION)
}

impl CacheMountRecord {
    /// Parses a record; `None` if it is not a cache mount's.
    fn new(record: CacheRecord) -> Option<Self> {
        if record.kind != KIND {
            return None;
        }
        let described = record.description.strip_prefix(DESCRIPTION)?;
        let target = described.split(" from ").next().unwrap_or_default();
        let daemon_id = quoted_id(described).unwrap_or_else(|| target.to_owned());
        // Dockerfile frontends prefix the id with the namespace and a slash.
        let (namespace, id) = daemon_id.split_once('/').unwrap_or(("", &daemon_id));
        Some(Self {
            id: id.to_owned(),
            namespace: namespace.to_owned(),
            target: target.to_owned(),
            has_base: !record.parents.is_empty(),
            daemon_id,
            record,
        })
    }

    /// The id, with its namespace if it has one.
    pub fn name(&self) -> String {
        match self.namespace.is_empty() {
            true => self.id.clone(),
            false => format!("{} (namespace {})", self.id, self.namespace),
        }
    }
}

/// The id at the end of a description, which is a Go string literal.
fn quoted_id(description: &str) -> Option<String> {
    const MARK: &str = " with id \"";
    let start = description.rfind(MARK)? + MARK.len();
    let mut rest = description.get(start..)?.strip_suffix('"')?.chars();
    let mut bytes = Vec::new();
    while let Some(letter) = rest.next() {
        let mut push = |letter: char| bytes.extend(letter.to_string().into_bytes());
        if letter != '\\' {
            push(letter);
            continue;
        }
        match rest.next()? {
            'n' => push('\n'),
            't' => push('\t'),
            'r' => push('\r'),
            'a' => push('\u{7}'),
            'b' => push('\u{8}'),
            'f' => push('\u{c}'),
            'v' => push('\u{b}'),
            'x' => bytes.push(u8::try_from(hex(&mut rest, 2)?).ok()?),
            'u' => push(char::from_u32(hex(&mut rest, 4)?)?),
            'U' => push(char::from_u32(hex(&mut rest, 8)?)?),
            other => push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(rest: &mut std::str::Chars<'_>, digits: usize) -> Option<u32> {
    let digits: String = rest.by_ref().take(digits).collect();
    u32::from_str_radix(&digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(description: &str) -> Option<(String, String, String)> {
        let mut record = CacheRecord::described(description);
        record.kind = KIND.to_owned();
        let found = CacheMountRecord::new(record)?;
        Some((found.namespace, found.id, found.target))
    }

    #[test]
    fn ids_are_read_from_descriptions() {
        let of = |text: &str| {
            let (namespace, id, target) = found(text).unwrap();
            [namespace, id, target]
        };
        let named = r#"cached mount /go from exec /bin/sh -c go build with id "/go-build""#;
        assert_eq!(of(named), ["", "go-build", "/go"]);
        let default = r#"cached mount /root/.cache from exec x with id "//root/.cache""#;
        assert_eq!(of(default), ["", "/root/.cache", "/root/.cache"]);
        let namespace = r#"cached mount /go from container abc with id "team/go""#;
        assert_eq!(of(namespace), ["team", "go", "/go"]);
        let odd = r#"cached mount /go from exec echo with id "no" with id "/a\"b\\\u00a0\x41""#;
        assert_eq!(of(odd), ["", "a\"b\\\u{a0}A", "/go"]);
        assert_eq!(of("cached mount /go from exec x"), ["", "go", "/go"]);
        assert_eq!(found("mount / from exec /bin/sh -c x"), None);
    }

    #[test]
    fn plain_ids_are_patterns_and_others_are_not() {
        assert_eq!(
            condition("/root/.cache").as_deref(),
            Some(r#",description~="/root/[.]cache\"$""#)
        );
        for odd in ["a b", "a\"", "a$", "\u{fc}", "a,b", "a(b"] {
            assert_eq!(condition(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_record_that_stands_for_a_mount_is_none() {
        let mut record = CacheRecord::described("cached mount /go from exec x with id \"/go\"");
        record.kind = "regular".to_owned();
        record.in_use = true;
        assert!(hides_mount(&record));
        assert_eq!(CacheMountRecord::new(record.clone()), None);
        record.kind = KIND.to_owned();
        assert!(!hides_mount(&record));
        assert!(CacheMountRecord::new(record).is_some());
    }
}
