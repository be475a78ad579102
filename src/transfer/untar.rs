//! Reading tar archives: where the files of one are. Nothing is unpacked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

use super::tar::{BLOCK, checksum};
use super::{Error, error};

/// More than any path of an extended header.
const LONG: u64 = 1 << 20;
/// More than any image has.
const ENTRIES: usize = 100_000;

/// Where a file's bytes are in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// The files of an archive, by their paths; links are followed. Blocking.
pub(super) fn files(path: &Path) -> Result<BTreeMap<String, Span>, Error> {
    let file = File::open(path).map_err(error::file("read", path))?;
    let length = file.metadata().map_err(error::file("read", path))?.len();
    let mut reading = Reading {
        path,
        input: BufReader::new(file),
        at: 0,
        length,
        files: BTreeMap::new(),
        links: BTreeMap::new(),
    };
    reading.all()?;
    Ok(reading.linked())
}

struct Reading<'a> {
    path: &'a Path,
    input: BufReader<File>,
    at: u64,
    length: u64,
    files: BTreeMap<String, Span>,
    links: BTreeMap<String, String>,
}

/// What an extended header says of the next file.
#[derive(Default)]
struct Extended {
    path: Option<String>,
    link: Option<String>,
    size: Option<u64>,
}

impl Reading<'_> {
    fn all(&mut self) -> Result<(), Error> {
        let mut extended = Extended::default();
        let mut header = [0; BLOCK as usize];
        while self.at < self.length {
            self.read(&mut header)?;
            if header.iter().all(|byte| *byte == 0) {
                return Ok(());
            }
            if self.at == BLOCK && compressed(&header) {
                return Err(self.broken("it is compressed; decompress it first (gunzip, zstd -d)"));
            }
            if !checksum_is_right(&header) {
                return Err(self.broken("it is no tar archive, or damaged"));
            }
            let kind = header[156];
            let own_size = number(&header[124..136]);
            let size = match kind {
                b'0' | 0 => extended.size.take().or(own_size),
                _ => own_size,
            };
            let size = size.ok_or_else(|| self.broken("a file has no size"))?;
            match kind {
                b'x' => extended = parse_extended(&self.text(size)?),
                b'L' => extended.path = Some(until_zero(&self.text(size)?)),
                b'K' => extended.link = Some(until_zero(&self.text(size)?)),
                _ => {
                    let extended = std::mem::take(&mut extended);
                    let name = extended.path.unwrap_or_else(|| name(&header));
                    let link = extended.link;
                    let link = link.unwrap_or_else(|| until_zero(&header[157..257]));
                    self.entry(kind, clean(&name), link, size)?;
                }
            }
            if self.files.len() + self.links.len() > ENTRIES {
                return Err(self.broken("it has more files than any image"));
            }
        }
        Ok(())
    }

    fn entry(&mut self, kind: u8, name: String, link: String, size: u64) -> Result<(), Error> {
        match kind {
            b'0' | 0 => {
                let offset = self.at;
                self.skip(size)?;
                self.files.insert(name, Span { offset, size });
            }
            b'1' => drop(self.links.insert(name, clean(&link))),
            b'2' => {
                let target = match name.rsplit_once('/') {
                    Some((folder, _)) if !link.starts_with('/') => format!("{folder}/{link}"),
                    _ => link,
                };
                self.links.insert(name, clean(&target));
            }
            _ => self.skip(size)?,
        }
        Ok(())
    }

    fn linked(mut self) -> BTreeMap<String, Span> {
        for (name, target) in &self.links {
            // Links to links are not made by anybody.
            if let Some(span) = self.files.get(target).copied() {
                self.files.insert(name.clone(), span);
            }
        }
        self.files
    }

    fn read(&mut self, into: &mut [u8]) -> Result<(), Error> {
        let read = self.input.read_exact(into);
        read.map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => self.broken("it is cut off"),
            _ => error::file("read", self.path)(source),
        })?;
        self.at += into.len() as u64;
        Ok(())
    }

    /// The content of an extended header.
    fn text(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > LONG {
            return Err(self.broken("a header is too long"));
        }
        let mut text = vec![0; size as usize];
        self.read(&mut text)?;
        self.skip_padding(size)?;
        Ok(text)
    }

    fn skip(&mut self, size: u64) -> Result<(), Error> {
        if self.length - self.at < size {
            return Err(self.broken("it is cut off"));
        }
        self.forward(size)?;
        self.skip_padding(size)
    }

    fn skip_padding(&mut self, size: u64) -> Result<(), Error> {
        let padding = size.next_multiple_of(BLOCK) - size;
        // The last padding may be missing.
        self.forward(padding.min(self.length - self.at))
    }

    fn forward(&mut self, by: u64) -> Result<(), Error> {
        self.at += by;
        let moved = self.input.seek(SeekFrom::Start(self.at));
        moved.map(drop).map_err(error::file("read", self.path))
    }

    fn broken(&self, reason: &str) -> Error {
        Error::Archive {
            path: self.path.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

fn compressed(start: &[u8]) -> bool {
    let magics: [&[u8]; 4] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ"];
    magics.iter().any(|magic| start.starts_with(magic))
}

fn checksum_is_right(header: &[u8]) -> bool {
    number(&header[148..156]) == Some(checksum(header))
}

/// Octal digits, or GNU's binary form for large numbers.
fn number(field: &[u8]) -> Option<u64> {
    if field.first().is_some_and(|byte| byte & 0x80 != 0) {
        let (head, tail) = field.split_at(field.len() - 8);
        if head.iter().skip(1).any(|byte| *byte != 0) {
            return None;
        }
        let value = u64::from_be_bytes(tail.try_into().ok()?);
        return (value < 1 << 62).then_some(value);
    }
    let text = std::str::from_utf8(field).ok()?;
    let text = text.trim_matches([' ', '\0']);
    match text {
        "" => Some(0),
        text => u64::from_str_radix(text, 8).ok(),
    }
}

fn name(header: &[u8]) -> String {
    let name = until_zero(&header[..100]);
    let prefix = match &header[257..263] {
        b"ustar\0" => until_zero(&header[345..500]),
        _ => String::new(),
    };
    match prefix.is_empty() {
        true => name,
        false => format!("{prefix}/{name}"),
    }
}

fn until_zero(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

/// Without `.`, `..` and slashes that say nothing.
fn clean(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// `LENGTH KEY=VALUE` lines.
fn parse_extended(text: &[u8]) -> Extended {
    let mut extended = Extended::default();
    let mut rest = text;
    while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
        let length = std::str::from_utf8(&rest[..space]).ok();
        let Some(length) = length.and_then(|digits| digits.parse::<usize>().ok()) else {
            break;
        };
        let Some(line) = rest.get(space + 1..length) else {
            break;
        };
        let line = String::from_utf8_lossy(line);
        match line.trim_end_matches('\n').split_once('=') {
            Some(("path", value)) => extended.path = Some(value.to_owned()),
            Some(("linkpath", value)) => extended.link = Some(value.to_owned()),
            Some(("size", value)) => extended.size = value.parse().ok(),
            _ => {}
        }
        rest = &rest[length..];
    }
    extended
}

#[cfg(test)]
mod tests;
