//! Tar archives: where the files of one are, and the headers of a new one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

use super::{Error, error};

const BLOCK: u64 = 512;
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

fn checksum(header: &[u8]) -> u64 {
    let bytes = header.iter().enumerate();
    bytes
        .map(|(place, byte)| match place {
            148..156 => u64::from(b' '),
            _ => u64::from(*byte),
        })
        .sum()
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

/// The header of a file that anybody may read, or, with a name that ends in a slash, of a folder; an extended one before it if
/// the name is long. The time is 1970, so that the same image is the same archive.
pub(super) fn header(name: &str, size: u64) -> Vec<u8> {
    let mut headers = Vec::new();
    if name.len() > 100 {
        let line = extended_line("path", name);
        headers.extend(plain_header("long-name", b'x', line.len() as u64));
        headers.extend_from_slice(line.as_bytes());
        headers.resize(headers.len().next_multiple_of(BLOCK as usize), 0);
    }
    let kind = if name.ends_with('/') { b'5' } else { b'0' };
    headers.extend(plain_header(name, kind, size));
    headers
}

/// The length counts itself.
fn extended_line(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

fn plain_header(name: &str, kind: u8, size: u64) -> [u8; BLOCK as usize] {
    let mut header = [0; BLOCK as usize];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name.as_bytes()[..name.len().min(100)]);
    put(
        100,
        if kind == b'5' {
            b"0000755\0"
        } else {
            b"0000644\0"
        },
    );
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    if size < 1 << 33 {
        put(124, format!("{size:011o}\0").as_bytes());
    } else {
        put(124, &[0x80, 0, 0, 0]);
        put(128, &size.to_be_bytes());
    }
    put(136, b"00000000000\0");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum = checksum(&header);
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// What follows a file of this size until the next header.
pub(super) fn padding(size: u64) -> usize {
    (size.next_multiple_of(BLOCK) - size) as usize
}

/// What ends an archive.
pub(super) const END: usize = 2 * BLOCK as usize;

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, text) in files {
            bytes.extend(header(name, text.len() as u64));
            bytes.extend_from_slice(text.as_bytes());
            bytes.resize(bytes.len() + padding(text.len() as u64), 0);
        }
        bytes.resize(bytes.len() + END, 0);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<BTreeMap<String, Span>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar");
        std::fs::write(&path, bytes).unwrap();
        files(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_found_again() {
        let long = format!("blobs/sha512/{}", "a".repeat(128));
        let bytes = archive(&[
            ("blobs/", ""),
            ("./a//b", "hello"),
            (&long, "x"),
            ("empty", ""),
        ]);
        let found = read(&bytes).unwrap();
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(names, ["a/b", &long, "empty"]);
        for (name, text) in [("a/b", "hello"), (long.as_str(), "x"), ("empty", "")] {
            let Span { offset, size } = found[name];
            let range = offset as usize..(offset + size) as usize;
            assert_eq!(&bytes[range], text.as_bytes(), "{name}");
        }
    }

    #[test]
    fn tar_reads_what_is_written_and_the_other_way_round() {
        let folder = tempfile::tempdir().unwrap();
        let long = format!("deep/{}", "b".repeat(120));
        std::fs::write(
            folder.path().join("new.tar"),
            archive(&[("a", "1"), (&long, "22")]),
        )
        .unwrap();
        let run = |arguments: &[&str]| {
            let mut tar = std::process::Command::new("tar");
            let output = tar
                .args(arguments)
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
        };
        run(&["-xf", "new.tar"]);
        assert_eq!(std::fs::read(folder.path().join(&long)).unwrap(), b"22");
        std::os::unix::fs::symlink(&long, folder.path().join("link")).unwrap();
        for format in ["gnu", "pax"] {
            let format = format!("--format={format}");
            run(&["-cf", "old.tar", &format, "a", "link", &long]);
            let found = files(&folder.path().join("old.tar")).unwrap();
            assert_eq!(found["a"].size, 1);
            assert_eq!(found["link"], found[&long]);
        }
    }

    #[test]
    fn what_is_no_archive_is_told() {
        let whole = archive(&[("a", "hello")]);
        for (bytes, part) in [
            (&b"\x1f\x8b"[..], "cut off"),
            (&[&b"\x1f\x8b"[..], &[0; 600]].concat(), "compressed"),
            (&[b'x'; 1024], "no tar archive"),
            (&whole[..514], "cut off"),
            (&whole[..300], "cut off"),
        ] {
            let error = read(bytes).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        assert!(read(&[]).unwrap().is_empty());
    }
}
