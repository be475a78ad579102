//! Tar archives of cache mounts: written as PAX, read in all common forms.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;
use tar::{EntryType, Header};
use tokio::sync::mpsc;

use super::entry::{Entry, Item, Kind, Meta, PIECE, XATTRS, is_portable, text};
use super::{ArchiveProblem, Error};

/// The size of a block.
const BLOCK: usize = 512;
/// The most bytes of a header that describes the next entry.
const EXTENDED: u64 = XATTRS as u64 + (64 << 10);
/// The attribute's name is behind it, in the headers of GNU tar, bsdtar and star.
const XATTR: &str = "SCHILY.xattr.";
/// No entry of an archive that is written has a longer path.
const NAME: usize = 100;

/// Writes everything that comes to an archive.
pub(super) fn write(to: &mut dyn Write, items: &mut mpsc::Receiver<Item>) -> Result<(), Error> {
    let failed = |source: io::Error| Error::Local {
        action: "write",
        path: "the archive".into(),
        source,
    };
    let mut padding = 0;
    loop {
        match items.blocking_recv().ok_or(Error::BrokenOff)? {
            Item::Entry(entry) => {
                to.write_all(&zeros(padding)).map_err(failed)?;
                to.write_all(&header(&entry)).map_err(failed)?;
                padding = match entry.kind {
                    Kind::File(size) => padding_of(size),
                    _ => 0,
                };
            }
            Item::Data(data) => to.write_all(&data).map_err(failed)?,
            Item::End => break,
        }
    }
    to.write_all(&zeros(padding + 2 * BLOCK)).map_err(failed)?;
    to.flush().map_err(failed)
}

fn zeros(count: usize) -> Vec<u8> {
    vec![0; count]
}

fn padding_of(size: u64) -> usize {
    let rest = (size % BLOCK as u64) as usize;
    (BLOCK - rest) % BLOCK
}

/// The header of an entry, behind one with what does not fit in it.
fn header(entry: &Entry) -> Vec<u8> {
    let mut header = Header::new_ustar();
    let mut path = [b"./", entry.path.as_slice()].concat();
    let mut extended = BTreeMap::new();
    let (kind, size, target) = match &entry.kind {
        Kind::Directory => {
            if !entry.path.is_empty() {
                path.push(b'/');
            }
            (EntryType::Directory, 0, Vec::new())
        }
        Kind::File(size) => (EntryType::Regular, *size, Vec::new()),
        Kind::Symlink(target) => (EntryType::Symlink, 0, target.clone()),
        Kind::HardLink(first) => (EntryType::Link, 0, [b"./", first.as_slice()].concat()),
        Kind::Fifo => (EntryType::Fifo, 0, Vec::new()),
    };
    let meta = &entry.meta;
    header.set_entry_type(kind);
    header.set_mode(meta.mode);
    header.set_uid(meta.uid.into());
    header.set_gid(meta.gid.into());
    header.set_size(size);
    header.set_mtime(u64::try_from(meta.mtime.0).unwrap_or(0));
    let fields = header
        .as_ustar_mut()
        .map(|it| (&mut it.name, &mut it.linkname));
    if let Some((name, linkname)) = fields {
        if !fill(name, &path) {
            extended.insert("path".to_owned(), path);
        }
        if !fill(linkname, &target) {
            extended.insert("linkpath".to_owned(), target);
        }
    }
    let (seconds, nanoseconds) = meta.mtime;
    if nanoseconds != 0 || seconds < 0 {
        extended.insert(
            "mtime".to_owned(),
            decimal(seconds, nanoseconds).into_bytes(),
        );
    }
    for (name, value) in &meta.xattrs {
        let name = String::from_utf8_lossy(name);
        extended.insert(format!("{XATTR}{name}"), value.clone());
    }
    header.set_cksum();
    let mut bytes = Vec::new();
    if !extended.is_empty() {
        let records: Vec<u8> = extended
            .iter()
            .flat_map(|(key, value)| record(key, value))
            .collect();
        let mut before = Header::new_ustar();
        before.set_entry_type(EntryType::XHeader);
        before.set_size(records.len() as u64);
        before.set_mode(0o644);
        if let Some(fields) = before.as_ustar_mut() {
            fill(&mut fields.name, b"././@PaxHeader");
        }
        before.set_cksum();
        bytes.extend_from_slice(before.as_bytes());
        bytes.extend_from_slice(&records);
        bytes.extend_from_slice(&zeros(padding_of(records.len() as u64)));
    }
    bytes.extend_from_slice(header.as_bytes());
    bytes
}

/// Writes a name to its field, or as much of it as fits. Returns if it fits.
fn fill(field: &mut [u8; NAME], name: &[u8]) -> bool {
    let length = name.len().min(NAME);
    field[..length].copy_from_slice(&name[..length]);
    name.len() <= NAME
}

/// A PAX record: its own length, the key and the value.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    let mut record = format!("{length} {key}=").into_bytes();
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}

/// Seconds as PAX writes them; before 1970 the fraction counts away from it.
fn decimal(seconds: i64, nanoseconds: u32) -> String {
    let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    let (sign, total) = if total < 0 {
        ("-", -total)
    } else {
        ("", total)
    };
    format!(
        "{sign}{}.{:09}",
        total / 1_000_000_000,
        total % 1_000_000_000
    )
}

/// The opposite of [`decimal`]; `None` if it is malformed.
fn parse_decimal(text: &str) -> Option<(i64, u32)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction: String = fraction
        .chars()
        .chain(std::iter::repeat('0'))
        .take(9)
        .collect();
    let whole: i64 = whole.parse().ok()?;
    let total = i128::from(whole) * 1_000_000_000 + i128::from(fraction.parse::<u32>().ok()?);
    let total = if negative { -total } else { total };
    let seconds = i64::try_from(total.div_euclid(1_000_000_000)).ok()?;
    Some((
        seconds,
        u32::try_from(total.rem_euclid(1_000_000_000)).ok()?,
    ))
}

/// Sends the entries of an archive.
pub(super) fn read_file(path: &Path, items: &mpsc::Sender<Item>) -> Result<(), Error> {
    let file = File::open(path).map_err(|source| Error::Local {
        action: "open",
        path: path.to_owned(),
        source,
    })?;
    read(file, items)
}

/// Sends the entries of an archive from a stream, which may be compressed.
pub(super) fn read(
    stream: impl Read + Send + 'static,
    items: &mpsc::Sender<Item>,
) -> Result<(), Error> {
    let mut stream = BufReader::with_capacity(PIECE, stream);
    let mut start = Vec::new();
    let peeked = stream.by_ref().take(6).read_to_end(&mut start);
    peeked.map_err(|error| broken(ArchiveProblem::Read(error)))?;
    let magic = start.clone();
    let mut stream = io::Cursor::new(start).chain(stream);
    match magic.as_slice() {
        [0x1f, 0x8b, ..] => read_plain(&mut MultiGzDecoder::new(stream), items)?,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let stream = StreamingDecoder::new(stream);
            let mut stream = stream.map_err(|_| broken(ArchiveProblem::CutOff))?;
            read_plain(&mut stream, items)?;
        }
        [0xfd, b'7', b'z', ..] => return Err(compressed("xz")),
        [b'B', b'Z', b'h', ..] => return Err(compressed("bzip2")),
        _ => read_plain(&mut stream, items)?,
    }
    send(items, Item::End)
}

fn compressed(name: &'static str) -> Error {
    broken(ArchiveProblem::Compression { name })
}

fn broken(problem: ArchiveProblem) -> Error {
    Error::Archive {
        path: String::new(),
        problem,
    }
}

fn send(items: &mpsc::Sender<Item>, item: Item) -> Result<(), Error> {
    items.blocking_send(item).map_err(|_| Error::BrokenOff)
}

/// What the headers before an entry say about it.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    mtime: Option<(i64, u32)>,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

fn read_plain(from: &mut dyn Read, items: &mpsc::Sender<Item>) -> Result<(), Error> {
    let mut extended = Extended::default();
    let mut is_first = true;
    while let Some(header) = next_header(from, is_first)? {
        is_first = false;
        let size = number(&header.as_old().size, header.entry_size())?;
        match header.entry_type() {
            EntryType::XHeader => {
                extended.take(&content(from, size)?)?;
                continue;
            }
            // Defaults for all entries: names of the archive, in practice.
            EntryType::XGlobalHeader => {
                content(from, size)?;
                continue;
            }
            EntryType::GNULongName => {
                extended.path = Some(until_nul(content(from, size)?));
                continue;
            }
            EntryType::GNULongLink => {
                extended.target = Some(until_nul(content(from, size)?));
                continue;
            }
            _ => {}
        }
        let size = extended.size.unwrap_or(size);
        let entry = std::mem::take(&mut extended).entry(&header, size)?;
        let is_file = matches!(
            entry,
            Some(Entry {
                kind: Kind::File(_),
                ..
            })
        );
        if let Some(entry) = entry {
            send(items, Item::Entry(Box::new(entry)))?;
        }
        copy(from, size, is_file.then_some(items))?;
    }
    // A checksum or digest is at the very end.
    let rest = io::copy(from, &mut io::sink());
    rest.map(drop).map_err(|error| read_error(&error))
}

/// The next header; `None` at the mark of the archive's end.
fn next_header(from: &mut dyn Read, is_first: bool) -> Result<Option<Header>, Error> {
    let mut block = [0; BLOCK];
    let cut_off = match is_first {
        true => ArchiveProblem::NotTar,
        false => ArchiveProblem::CutOff,
    };
    from.read_exact(&mut block)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => broken(cut_off),
            _ => read_error(&error),
        })?;
    if block.iter().all(|&byte| byte == 0) {
        return Ok(None);
    }
    let header = Header::from_byte_slice(&block).clone();
    // The checksum counts its own field as spaces.
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(index, &byte)| match index {
            148..156 => u32::from(b' '),
            _ => u32::from(byte),
        })
        .sum();
    match header.cksum() {
        Ok(told) if told == sum => Ok(Some(header)),
        _ if is_first => Err(broken(ArchiveProblem::NotTar)),
        _ => Err(broken(ArchiveProblem::Header)),
    }
}

/// A number of a header. Some writers leave fields empty that say nothing.
fn number(field: &[u8], parsed: io::Result<u64>) -> Result<u64, Error> {
    match field.iter().all(|byte| matches!(byte, 0 | b' ')) {
        true => Ok(0),
        false => parsed.map_err(|_| broken(ArchiveProblem::Header)),
    }
}

fn read_error(error: &io::Error) -> Error {
    broken(match error.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveProblem::CutOff,
        kind => ArchiveProblem::Read(io::Error::new(kind, error.to_string())),
    })
}

/// The content of a header, in memory.
fn content(from: &mut dyn Read, size: u64) -> Result<Vec<u8>, Error> {
    if size > EXTENDED {
        return Err(broken(ArchiveProblem::HeaderTooLarge { limit: EXTENDED }));
    }
    let mut content = vec![0; size as usize + padding_of(size)];
    from.read_exact(&mut content)
        .map_err(|error| read_error(&error))?;
    content.truncate(size as usize);
    Ok(content)
}

fn until_nul(mut text: Vec<u8>) -> Vec<u8> {
    let end = text.iter().position(|&byte| byte == 0);
    text.truncate(end.unwrap_or(text.len()));
    text
}

/// Reads the content of an entry, and sends it if somebody wants it.
fn copy(from: &mut dyn Read, size: u64, items: Option<&mpsc::Sender<Item>>) -> Result<(), Error> {
    let mut left = size;
    while left > 0 {
        let mut piece = vec![0; left.min(PIECE as u64) as usize];
        from.read_exact(&mut piece)
            .map_err(|error| read_error(&error))?;
        left -= piece.len() as u64;
        if let Some(items) = items {
            send(items, Item::Data(Bytes::from(piece)))?;
        }
    }
    let mut padding = zeros(padding_of(size));
    from.read_exact(&mut padding)
        .map_err(|error| read_error(&error))
}

impl Extended {
    /// Takes the records of a PAX header.
    fn take(&mut self, mut records: &[u8]) -> Result<(), Error> {
        let malformed = || broken(ArchiveProblem::Header);
        while !records.is_empty() {
            let space = records.iter().position(|&byte| byte == b' ');
            let length = space.and_then(|end| std::str::from_utf8(&records[..end]).ok());
            let length: usize = length
                .and_then(|it| it.parse().ok())
                .ok_or_else(malformed)?;
            let start = space.unwrap_or(0) + 1;
            let record = records.get(start..length).ok_or_else(malformed)?;
            let record = record.strip_suffix(b"\n").ok_or_else(malformed)?;
            records = &records[length..];
            let equals = record.iter().position(|&byte| byte == b'=');
            let (key, value) = record.split_at(equals.ok_or_else(malformed)?);
            self.set(key, &value[1..]).ok_or_else(malformed)?;
        }
        Ok(())
    }

    /// `None` if the value is malformed.
    fn set(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let text = || std::str::from_utf8(value).ok();
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.target = Some(value.to_vec()),
            b"size" => self.size = Some(text()?.parse().ok()?),
            b"uid" => self.uid = Some(text()?.parse().ok()?),
            b"gid" => self.gid = Some(text()?.parse().ok()?),
            b"mtime" => self.mtime = Some(parse_decimal(text()?)?),
            key => {
                let name = key.strip_prefix(XATTR.as_bytes());
                if let Some(name) = name.filter(|name| is_portable(name)) {
                    self.xattrs.push((name.to_vec(), value.to_vec()));
                }
            }
        }
        Some(())
    }

    /// The entry of a header; `None` for devices, which a cache does not need.
    fn entry(self, header: &Header, size: u64) -> Result<Option<Entry>, Error> {
        let fields = header.as_old();
        let path = self
            .path
            .unwrap_or_else(|| header.path_bytes().into_owned());
        let target = self
            .target
            .or_else(|| header.link_name_bytes().map(|it| it.into_owned()));
        let target = target.unwrap_or_default();
        let kind = match header.entry_type() {
            EntryType::Directory => Kind::Directory,
            // Very old archives end the name of a folder with a slash.
            EntryType::Regular if path.ends_with(b"/") => Kind::Directory,
            EntryType::Regular | EntryType::Continuous => Kind::File(size),
            EntryType::Symlink => Kind::Symlink(target),
            EntryType::Link => Kind::HardLink(target),
            EntryType::Fifo => Kind::Fifo,
            EntryType::Char | EntryType::Block => return Ok(None),
            other => {
                return Err(Error::Archive {
                    path: text(&path),
                    problem: ArchiveProblem::Kind {
                        kind: other.as_byte().into(),
                    },
                });
            }
        };
        let short = |told: u64| u32::try_from(told).map_err(|_| broken(ArchiveProblem::Header));
        let uid = match self.uid {
            Some(uid) => uid,
            None => short(number(&fields.uid, header.uid())?)?,
        };
        let gid = match self.gid {
            Some(gid) => gid,
            None => short(number(&fields.gid, header.gid())?)?,
        };
        let mtime = match self.mtime {
            Some(mtime) => mtime,
            None => {
                let seconds = number(&fields.mtime, header.mtime())?;
                (i64::try_from(seconds).unwrap_or(0), 0)
            }
        };
        let meta = Meta {
            mode: short(number(&fields.mode, header.mode().map(u64::from))?)? & 0o7777,
            uid,
            gid,
            mtime,
            xattrs: self.xattrs,
        };
        Ok(Some(Entry { path, kind, meta }))
    }
}

#[cfg(test)]
mod tests;
