//! Compares the files of two layers. Pure: layers are readers.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};

use super::listing::{Entry, Key, Kind, Listing, Owner, Time};
use super::{Change, Difference, FileDiff, FilesDiff, LayerHow, Options, What};
use crate::oci::Digest;
use solvekit_core::text;

/// The largest file whose different lines are shown, in bytes.
const TEXT: u64 = 64 << 10;
/// The most lines shown of a file.
const LINES: usize = 40;

/// Compares two tar archives, uncompressed or compressed with gzip or zstd. Memory grows with the
/// number of files, not with their content. Blocking.
///
/// # Errors
/// If an archive is malformed, has a million files, or cannot be read.
pub fn compare_archives(
    left: impl Read,
    right: impl Read,
    options: &Options,
) -> io::Result<(LayerHow, FilesDiff)> {
    let (left, right) = (Listing::read(left)?, Listing::read(right)?);
    Ok(between(&left, &right, options))
}

/// Returns the differences between two listings.
pub(super) fn between(left: &Listing, right: &Listing, options: &Options) -> (LayerHow, FilesDiff) {
    let mut diff = FilesDiff::default();
    let mut times = false;
    let mut pairs = Vec::new();
    // Files that differ in more than their times are listed first, if there is no room for all.
    let mut only_times: Vec<FileDiff> = Vec::new();
    merge(left, right, |key, a, b| {
        let (change, differences) = match (a, b) {
            (Some(a), Some(b)) => {
                pairs.push((a, b));
                (
                    Change::Changed,
                    differences(&left.entries[a], &right.entries[b]),
                )
            }
            (Some(_), None) => (Change::Removed, Vec::new()),
            _ => (Change::Added, Vec::new()),
        };
        let file = FileDiff {
            path: String::from_utf8_lossy(key.0).into_owned(),
            change,
            differences,
            first_byte: None,
            text: None,
            key: (key.0.into(), key.1),
        };
        if change == Change::Changed && file.differences.is_empty() {
            return;
        }
        if file.is_only_time() {
            times = true;
            if options.ignore_times {
                return;
            }
            diff.only_times += 1;
        }
        diff.total += 1;
        let named = match file.is_only_time() {
            true => &mut only_times,
            false => &mut diff.files,
        };
        if named.len() < options.files {
            named.push(file);
        }
    });
    only_times.truncate(options.files - diff.files.len());
    diff.files.append(&mut only_times);
    diff.order = order(left, pairs);
    let how = match (diff.total, &diff.order) {
        (1.., _) => LayerHow::Files,
        (0, Some(_)) => LayerHow::Order,
        (0, None) if times => LayerHow::Times,
        (0, None) if left.headers == right.headers => LayerHow::Compression,
        (0, None) => LayerHow::Headers,
    };
    (how, diff)
}

/// Walks the files of both by path. Files of the same path are paired in their order.
fn merge(
    left: &Listing,
    right: &Listing,
    mut visit: impl FnMut((&[u8], usize), Option<usize>, Option<usize>),
) {
    let sorted = |listing: &Listing| {
        let mut places: Vec<usize> = (0..listing.entries.len()).collect();
        places.sort_by_key(|place| &*listing.entries[*place].path);
        places
    };
    let (a, b) = (sorted(left), sorted(right));
    let (mut at_a, mut at_b) = (0, 0);
    let mut before: Option<(&[u8], usize)> = None;
    loop {
        let (next_a, next_b) = (a.get(at_a).copied(), b.get(at_b).copied());
        let (path_a, path_b) = (path(left, next_a), path(right, next_b));
        let order = match (path_a, path_b) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        };
        let (from_a, from_b) = (order.is_le(), order.is_ge());
        let path = if from_a { path_a } else { path_b }.unwrap_or_default();
        let number = match before {
            Some((last, number)) if last == path => number + 1,
            _ => 0,
        };
        visit(
            (path, number),
            next_a.filter(|_| from_a),
            next_b.filter(|_| from_b),
        );
        before = Some((path, number));
        at_a += usize::from(from_a);
        at_b += usize::from(from_b);
    }
}

fn path(listing: &Listing, place: Option<usize>) -> Option<&[u8]> {
    place.map(|place| &*listing.entries[place].path)
}

/// Returns the first common files whose order differs.
fn order(left: &Listing, mut pairs: Vec<(usize, usize)>) -> Option<[String; 2]> {
    pairs.sort_unstable();
    let in_left = pairs.clone();
    pairs.sort_unstable_by_key(|(_, right)| *right);
    let mut both = in_left.iter().zip(&pairs);
    let (a, b) = both.find(|(a, b)| a != b)?;
    let name = |place: usize| String::from_utf8_lossy(&left.entries[place].path).into_owned();
    Some([name(a.0), name(b.0)])
}

fn differences(left: &Entry, right: &Entry) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |what, left: String, right: String| {
        found.push(Difference { what, left, right });
    };
    if left.kind != right.kind {
        add(What::Type, left.kind.name(), right.kind.name());
    } else {
        if left.content != right.content {
            let digest = |entry: &Entry| Digest::from_sha256(entry.content).to_string();
            add(What::Content, digest(left), digest(right));
        }
        if left.size != right.size {
            add(What::Size, left.size.to_string(), right.size.to_string());
        }
        if left.link != right.link {
            let link = |entry: &Entry| String::from_utf8_lossy(&entry.link).into_owned();
            add(What::Link, link(left), link(right));
        }
        if left.device != right.device {
            let device = |entry: &Entry| format!("{}:{}", entry.device.0, entry.device.1);
            add(What::Device, device(left), device(right));
        }
    }
    if left.mode != right.mode {
        let mode = |entry: &Entry| format!("{:04o}", entry.mode);
        add(What::Mode, mode(left), mode(right));
    }
    if left.owner != right.owner {
        add(What::Owner, left.owner.shown(), right.owner.shown());
    }
    if left.attributes != right.attributes {
        add(What::Attributes, names(left, right), names(right, left));
    }
    if left.time != right.time {
        add(What::Time, left.time.shown(), right.time.shown());
    }
    found
}

/// Returns the names of attributes that `other` lacks or has with another value.
fn names(entry: &Entry, other: &Entry) -> String {
    let own = entry.attributes.iter();
    let own = own.filter(|(key, value)| other.attributes.get(*key) != Some(value));
    let own = own.map(|(key, _)| String::from_utf8_lossy(key).into_owned());
    own.collect::<Vec<_>>().join(", ")
}

impl Kind {
    fn name(self) -> String {
        match self {
            Self::File => "file".to_owned(),
            Self::Folder => "folder".to_owned(),
            Self::Symlink => "symbolic link".to_owned(),
            Self::Hard => "hard link".to_owned(),
            Self::Char => "character device".to_owned(),
            Self::Block => "block device".to_owned(),
            Self::Fifo => "pipe".to_owned(),
            Self::Other(byte) => format!("type {byte}"),
        }
    }
}

impl Owner {
    fn shown(&self) -> String {
        let numbers = format!("{}:{}", self.user, self.group);
        match &self.names {
            None => numbers,
            Some(names) => format!("{numbers} ({}:{})", names.0, names.1),
        }
    }
}

impl Time {
    fn shown(self) -> String {
        match self.nanoseconds {
            0 => self.seconds.to_string(),
            nanoseconds => format!("{}.{nanoseconds:09}", self.seconds),
        }
    }
}

/// Returns the small files whose content differs, with their sizes on both sides, for a second
/// read.
pub(super) fn wanted(diff: &FilesDiff, most: usize) -> [BTreeMap<Key, u64>; 2] {
    let mut both = [BTreeMap::new(), BTreeMap::new()];
    let changed = diff.files.iter().filter(|file| {
        let is_small = |difference: &Difference| {
            let sizes = [&difference.left, &difference.right];
            difference.what != What::Size
                || sizes
                    .iter()
                    .all(|size| size.parse().is_ok_and(|size: u64| size <= TEXT))
        };
        file.has(What::Content) && file.differences.iter().all(is_small)
    });
    for file in changed.take(most) {
        for side in &mut both {
            side.insert(file.key.clone(), TEXT);
        }
    }
    both
}

/// Adds the differences of the contents to the files. Files that turn out to be large are
/// unchanged.
pub(super) fn add_texts(diff: &mut FilesDiff, contents: &[HashMap<Key, Vec<u8>>; 2]) {
    for file in &mut diff.files {
        let [left, right] = contents;
        let (Some(left), Some(right)) = (left.get(&file.key), right.get(&file.key)) else {
            continue;
        };
        let is_whole = |content: &Vec<u8>| (content.len() as u64) < TEXT;
        if !is_whole(left) || !is_whole(right) {
            continue;
        }
        let same = left.iter().zip(right).take_while(|(a, b)| a == b);
        file.first_byte = Some(same.count());
        file.text = match (as_text(left), as_text(right)) {
            (Some(left), Some(right)) => text::unified(left, right, LINES),
            _ => None,
        };
    }
}

fn as_text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains('\0')).then_some(text)
}

#[cfg(test)]
mod tests;
