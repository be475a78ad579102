//! The files of a layer: their names and properties, and digests of their content. A layer is read
//! once from beginning to end.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufReader, Read};

use sha2::{Digest as _, Sha256};
use tar::{Archive, EntryType, Header, PaxExtensions};

use crate::transfer::unpack::unpacked;

/// The most entries of a layer; real ones have fewer.
const ENTRIES: usize = 1_000_000;
/// The most bytes of all names, link targets and attributes together.
const NAMES: usize = 128 << 20;
/// The largest header with a long name or attributes, in bytes.
const HEADER: u64 = 1 << 20;
/// The prefix of the keys of extended attributes in a header.
const ATTRIBUTE: &[u8] = b"SCHILY.xattr.";
/// Keys that do not describe the file itself.
const NO_ATTRIBUTES: [&[u8]; 4] = [b"atime", b"ctime", b"comment", b"hdrcharset"];

/// All files of a layer, in its order.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    /// The digest of all headers, without the files' content.
    pub(super) headers: [u8; 32],
}

/// A file, folder, link or device in a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The path without `.` and redundant slashes; the root is empty.
    pub(super) path: Box<[u8]>,
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) owner: Owner,
    pub(super) size: u64,
    pub(super) time: Time,
    pub(super) link: Box<[u8]>,
    pub(super) device: (u32, u32),
    pub(super) attributes: BTreeMap<Box<[u8]>, Box<[u8]>>,
    /// The digest of the content of a file.
    pub(super) content: [u8; 32],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Symlink,
    Hard,
    Char,
    Block,
    Fifo,
    Other(u8),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Owner {
    pub(super) user: u64,
    pub(super) group: u64,
    /// The names of user and group; most layers have none.
    pub(super) names: Option<Box<(String, String)>>,
}

/// Seconds and nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Time {
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
}

/// A file: its path, and the number of earlier entries with that path.
pub(super) type Key = (Box<[u8]>, usize);

impl Listing {
    /// Reads a layer: a tar archive, uncompressed or compressed. Blocking.
    pub(super) fn read(blob: impl Read) -> io::Result<Self> {
        Self::read_at_most(blob, ENTRIES)
    }

    fn read_at_most(blob: impl Read, most: usize) -> io::Result<Self> {
        let mut listing = Self::default();
        let mut headers = Sha256::new();
        let mut names = 0_usize;
        let mut buffer = vec![0; 1 << 16];
        walk(blob, &mut headers, &mut |mut entry, content| {
            names = names.saturating_add(entry.weight());
            if names > NAMES || listing.entries.len() >= most {
                return Err(io::Error::other("it has more files than can be compared"));
            }
            if entry.kind == Kind::File {
                entry.content = digest(content, &mut buffer)?;
            }
            listing.entries.push(entry);
            Ok(Next::Go)
        })?;
        listing.headers = headers.finalize().into();
        Ok(listing)
    }
}

/// Reads the content of a few small files, and stops after the last of them. Blocking.
pub(super) fn contents(
    blob: impl Read,
    mut wanted: BTreeMap<Key, u64>,
) -> io::Result<HashMap<Key, Vec<u8>>> {
    let mut found = HashMap::new();
    let mut before: HashMap<Box<[u8]>, usize> = HashMap::new();
    for (path, _) in wanted.keys() {
        before.insert(path.clone(), 0);
    }
    walk(blob, &mut Sha256::new(), &mut |entry, content| {
        let Some(count) = before.get_mut(&entry.path) else {
            return Ok(Next::Go);
        };
        let key = (entry.path, *count);
        *count += 1;
        if let Some(size) = wanted.remove(&key) {
            let mut bytes = Vec::new();
            content.take(size).read_to_end(&mut bytes)?;
            found.insert(key, bytes);
        }
        Ok(match wanted.is_empty() {
            true => Next::Stop,
            false => Next::Go,
        })
    })?;
    Ok(found)
}

enum Next {
    Go,
    Stop,
}

/// Walks the entries of a layer.
fn walk(
    blob: impl Read,
    headers: &mut Sha256,
    visit: &mut dyn FnMut(Entry, &mut dyn Read) -> io::Result<Next>,
) -> io::Result<()> {
    let mut blob = BufReader::with_capacity(1 << 16, blob);
    let mut archive = Archive::new(unpacked(&mut blob)?);
    let mut extended = Extended::default();
    // Raw: otherwise the library would read a whole header into memory, whatever its size.
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        headers.update(entry.header().as_bytes());
        let kind = entry.header().entry_type();
        if let Some(bytes) = extension(kind, &mut entry)? {
            headers.update(&bytes);
            extended.add(kind, &bytes)?;
            continue;
        }
        let listed = std::mem::take(&mut extended).entry(entry.header())?;
        if let Next::Stop = visit(listed, &mut entry)? {
            return Ok(());
        }
    }
    drop(archive);
    // The digest of the blob also covers the bytes after the archive.
    io::copy(&mut blob, &mut io::sink())?;
    Ok(())
}

/// Returns the content of a header that extends the next entry; `None` for an entry itself.
fn extension(kind: EntryType, entry: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let extends = matches!(
        kind,
        EntryType::GNULongName
            | EntryType::GNULongLink
            | EntryType::XHeader
            | EntryType::XGlobalHeader
    );
    if !extends {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    entry.take(HEADER + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > HEADER {
        true => Err(io::Error::other("a header of it is larger than any")),
        false => Ok(Some(bytes)),
    }
}

/// The data of an entry from the headers before it.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Vec<u8>,
}

impl Extended {
    fn add(&mut self, kind: EntryType, bytes: &[u8]) -> io::Result<()> {
        let end = bytes.iter().rposition(|byte| *byte != 0);
        let text = || bytes[..end.map_or(0, |end| end + 1)].to_vec();
        match kind {
            EntryType::GNULongName => self.name = Some(text()),
            EntryType::GNULongLink => self.link = Some(text()),
            EntryType::XHeader => self.pax = bytes.to_vec(),
            _ => {}
        }
        Ok(())
    }

    fn entry(self, header: &Header) -> io::Result<Entry> {
        let link = header.link_name_bytes().unwrap_or_default();
        let kind = Kind::of(header.entry_type())?;
        let mut entry = Entry {
            path: clean(&self.name.unwrap_or_else(|| header.path_bytes().into())),
            kind,
            mode: or_zero(&header.as_old().mode, || header.mode())? & 0o7777,
            owner: Owner::of(header)?,
            size: or_zero(&header.as_old().size, || header.size())?,
            time: Time {
                seconds: or_zero(&header.as_old().mtime, || header.mtime())? as i64,
                nanoseconds: 0,
            },
            link: self.link.map_or_else(|| link.into(), Into::into),
            device: match kind {
                Kind::Char | Kind::Block => device(header)?,
                _ => (0, 0),
            },
            attributes: BTreeMap::new(),
            content: [0; 32],
        };
        for pair in PaxExtensions::new(&self.pax) {
            let pair = pair?;
            entry.extend(pair.key_bytes(), pair.value_bytes())?;
        }
        Ok(entry)
    }
}

impl Entry {
    /// Applies a record of an extended header.
    fn extend(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let name = |names: &mut Owner, at: fn(&mut (String, String)) -> &mut String| {
            let text = String::from_utf8_lossy(value).into_owned();
            *at(names.names.get_or_insert_default()) = text;
        };
        match key {
            b"path" => self.path = clean(value),
            b"linkpath" => self.link = value.into(),
            b"size" => return Err(io::Error::other("it has a file of more than 8 GiB")),
            b"mtime" => self.time = Time::parse(value).ok_or_else(no_number)?,
            b"uid" => self.owner.user = number(value)?,
            b"gid" => self.owner.group = number(value)?,
            b"uname" => name(&mut self.owner, |names| &mut names.0),
            b"gname" => name(&mut self.owner, |names| &mut names.1),
            key if NO_ATTRIBUTES.contains(&key) => {}
            key => {
                let key = key.strip_prefix(ATTRIBUTE).unwrap_or(key);
                self.attributes.insert(key.into(), value.into());
            }
        }
        Ok(())
    }

    /// Returns the memory in bytes that the archive controls.
    fn weight(&self) -> usize {
        let attributes = self.attributes.iter();
        let attributes: usize = attributes.map(|(key, it)| key.len() + it.len() + 64).sum();
        let names = self.owner.names.as_ref();
        let names = names.map_or(0, |names| names.0.len() + names.1.len());
        self.path.len() + self.link.len() + names + attributes
    }
}

impl Kind {
    fn of(kind: EntryType) -> io::Result<Self> {
        Ok(match kind {
            EntryType::Regular | EntryType::Continuous => Self::File,
            EntryType::Directory => Self::Folder,
            EntryType::Symlink => Self::Symlink,
            EntryType::Link => Self::Hard,
            EntryType::Char => Self::Char,
            EntryType::Block => Self::Block,
            EntryType::Fifo => Self::Fifo,
            EntryType::GNUSparse => {
                return Err(io::Error::other("it has a file in a sparse form"));
            }
            other => Self::Other(other.as_byte()),
        })
    }
}

impl Owner {
    fn of(header: &Header) -> io::Result<Self> {
        let text = |name: Option<&[u8]>| String::from_utf8_lossy(name.unwrap_or_default()).into();
        let names: (String, String) = (
            text(header.username_bytes()),
            text(header.groupname_bytes()),
        );
        let is_named = !names.0.is_empty() || !names.1.is_empty();
        Ok(Self {
            user: or_zero(&header.as_old().uid, || header.uid())?,
            group: or_zero(&header.as_old().gid, || header.gid())?,
            names: is_named.then(|| Box::new(names)),
        })
    }
}

impl Time {
    /// Parses seconds with a fraction, as in extended headers.
    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits: String = fraction
            .chars()
            .chain("000000000".chars())
            .take(9)
            .collect();
        Some(Self {
            seconds: seconds.parse().ok()?,
            nanoseconds: digits.parse().ok()?,
        })
    }
}

fn device(header: &Header) -> io::Result<(u32, u32)> {
    let (major, minor) = match (header.as_ustar(), header.as_gnu()) {
        (Some(it), _) => (it.dev_major, it.dev_minor),
        (None, Some(it)) => (it.dev_major, it.dev_minor),
        (None, None) => return Ok((0, 0)),
    };
    let given = |number: io::Result<Option<u32>>| number.map(Option::unwrap_or_default);
    Ok((
        or_zero(&major, || given(header.device_major()))?,
        or_zero(&minor, || given(header.device_minor()))?,
    ))
}

/// Returns the number in a field. An empty one is zero, as in other programs that read archives.
fn or_zero<T: Default>(field: &[u8], number: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    match field.iter().all(|byte| matches!(byte, 0 | b' ')) {
        true => Ok(T::default()),
        false => number(),
    }
}

fn number(text: &[u8]) -> io::Result<u64> {
    let text = std::str::from_utf8(text).ok();
    text.and_then(|text| text.parse().ok())
        .ok_or_else(no_number)
}

fn no_number() -> io::Error {
    io::Error::other("a header of it has no number where one belongs")
}

/// Removes `.` and redundant slashes.
fn clean(path: &[u8]) -> Box<[u8]> {
    let parts = path.split(|byte| *byte == b'/');
    let parts = parts.filter(|part| !matches!(*part, b"" | b"."));
    parts.collect::<Vec<_>>().join(&b'/').into()
}

fn digest(content: &mut dyn Read, buffer: &mut [u8]) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    loop {
        match content.read(buffer)? {
            0 => return Ok(hash.finalize().into()),
            read => hash.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests;
