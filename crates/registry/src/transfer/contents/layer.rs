//! One layer: a tar archive, uncompressed or compressed with gzip or zstd, read once from beginning
//! to end.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufReader, Read, Write};

use tar::{Archive, EntryType, PaxExtensions};

use super::error::LayerError;
use super::lookup::Path;
use crate::transfer::unpack::unpacked;

/// The most entries of a layer; real ones have fewer.
const ENTRIES: usize = 4_000_000;
/// The most bytes of all names and link targets together.
const NAMES: usize = 256 << 20;
/// The largest header with a long name or attributes, in bytes.
const HEADER: u64 = 1 << 20;
/// The prefix of a file that removes another one (a whiteout).
const REMOVED: &str = ".wh.";
/// The file that hides everything of its folder in the layers below.
const OPAQUE: &str = ".wh..wh..opq";

/// The entry of a layer at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    File,
    Folder,
    /// A symbolic link and its target.
    Symlink(String),
    /// A hard link and its target.
    Hard(String),
    Special,
}

/// The entries of a layer, by clean path.
#[derive(Debug, Default)]
pub(super) struct Layer {
    entries: HashMap<String, Entry>,
    removed: HashSet<String>,
    opaque: HashSet<String>,
    names: usize,
}

impl Layer {
    pub(super) fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    pub(super) fn has_file(&self, path: &Path) -> bool {
        self.entry(path.as_str()) == Some(&Entry::File)
    }

    pub(super) fn is_removed(&self, path: &str) -> bool {
        self.removed.contains(path)
    }

    pub(super) fn is_opaque(&self, folder: &str) -> bool {
        self.opaque.contains(folder)
    }

    /// Records an entry of the archive, or the whiteout that it is.
    pub(super) fn add(&mut self, name: &str, entry: Entry) -> io::Result<()> {
        let path = Path::parse(name);
        let target = match &entry {
            Entry::Symlink(target) | Entry::Hard(target) => target.len(),
            _ => 0,
        };
        self.names = self.names.saturating_add(path.as_str().len() + target);
        let count = self.entries.len() + self.removed.len() + self.opaque.len();
        if self.names > NAMES || count >= ENTRIES {
            return Err(io::Error::other("it has more files than any layer"));
        }
        let (folder, file) = path
            .as_str()
            .rsplit_once('/')
            .unwrap_or(("", path.as_str()));
        if file == OPAQUE {
            self.opaque.insert(folder.to_owned());
        } else if let Some(removed) = file.strip_prefix(REMOVED) {
            let removed = match folder {
                "" => removed.to_owned(),
                folder => format!("{folder}/{removed}"),
            };
            self.removed.insert(removed);
        } else {
            self.entries.insert(path.as_str().to_owned(), entry);
        }
        Ok(())
    }
}

/// The result of reading a whole layer.
pub(super) struct ReadLayer {
    pub(super) layer: Layer,
    /// The size of the requested file, if the layer has it and it was written.
    pub(super) written: Option<u64>,
}

/// Reads a layer, and writes the requested file of it. Blocking.
pub(super) fn read(
    blob: impl Read,
    wanted: &Path,
    to: &mut dyn Write,
) -> Result<ReadLayer, LayerError> {
    let mut blob = BufReader::with_capacity(1 << 16, blob);
    let read = entries(unpacked(&mut blob)?, wanted, to)?;
    // The digest of the blob also covers the bytes after the archive.
    io::copy(&mut blob, &mut io::sink())?;
    Ok(read)
}

/// The name and size of an entry from the headers before it.
#[derive(Default)]
struct Extended {
    name: Option<String>,
    link: Option<String>,
}

fn entries(archive: impl Read, wanted: &Path, to: &mut dyn Write) -> Result<ReadLayer, LayerError> {
    let mut archive = Archive::new(archive);
    let mut layer = Layer::default();
    let mut written = None;
    let mut extended = Extended::default();
    // Raw: otherwise the library would read a whole header into memory, whatever its size.
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if extend(&mut extended, kind, &mut entry)? {
            continue;
        }
        let Extended { name, link } = std::mem::take(&mut extended);
        let name = name.unwrap_or_else(|| text(&entry.path_bytes()));
        let link = || link.unwrap_or_else(|| text(&entry.link_name_bytes().unwrap_or_default()));
        let found = match kind {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => Entry::File,
            EntryType::Directory => Entry::Folder,
            EntryType::Symlink => Entry::Symlink(link()),
            EntryType::Link => Entry::Hard(link()),
            EntryType::Char | EntryType::Block | EntryType::Fifo => Entry::Special,
            _ => continue,
        };
        if found == Entry::File && written.is_none() && Path::parse(&name) == *wanted {
            if kind == EntryType::GNUSparse {
                return Err(io::Error::other("it has the file in a sparse form").into());
            }
            written = Some(copy(&mut entry, to)?);
        }
        layer.add(&name, found)?;
    }
    Ok(ReadLayer { layer, written })
}

/// Reads a header that extends the next entry; false for an entry itself.
fn extend(
    extended: &mut Extended,
    kind: EntryType,
    entry: &mut impl Read,
) -> Result<bool, LayerError> {
    let mut read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        entry.take(HEADER + 1).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > HEADER {
            true => Err(io::Error::other("a header of it is larger than any")),
            false => Ok(bytes),
        }
    };
    match kind {
        EntryType::GNULongName => extended.name = Some(text(without_zeros(&read()?))),
        EntryType::GNULongLink => extended.link = Some(text(without_zeros(&read()?))),
        EntryType::XHeader => {
            for pair in PaxExtensions::new(&read()?) {
                let pair = pair?;
                match pair.key_bytes() {
                    b"path" => extended.name = Some(text(pair.value_bytes())),
                    b"linkpath" => extended.link = Some(text(pair.value_bytes())),
                    b"size" => {
                        return Err(io::Error::other("it has a file of more than 8 GiB").into());
                    }
                    _ => {}
                }
            }
        }
        EntryType::XGlobalHeader => drop(read()?),
        _ => return Ok(false),
    }
    Ok(true)
}

fn copy(from: &mut impl Read, to: &mut dyn Write) -> Result<u64, LayerError> {
    let mut buffer = vec![0; 1 << 16];
    let mut total = 0;
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            to.flush().map_err(LayerError::Write)?;
            return Ok(total);
        }
        to.write_all(&buffer[..read]).map_err(LayerError::Write)?;
        total += read as u64;
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0);
    end.map_or(&[], |end| &bytes[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a tar archive of files with their texts; a text that begins with `->` is a link's
    /// target.
    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            match text.strip_prefix("->") {
                Some(target) => {
                    header.set_entry_type(EntryType::Symlink);
                    header.set_size(0);
                    builder.append_link(&mut header, name, target).unwrap();
                }
                None => {
                    header.set_size(text.len() as u64);
                    builder
                        .append_data(&mut header, name, text.as_bytes())
                        .unwrap();
                }
            }
        }
        builder.into_inner().unwrap()
    }

    fn read_from(blob: &[u8], wanted: &str) -> io::Result<(Option<String>, Layer)> {
        let mut to = Vec::new();
        let read = match read(blob, &Path::parse(wanted), &mut to) {
            Ok(read) => read,
            Err(LayerError::Read(error) | LayerError::Write(error)) => return Err(error),
        };
        let text = read.written.map(|size| {
            assert_eq!(size, to.len() as u64);
            String::from_utf8(to).unwrap()
        });
        Ok((text, read.layer))
    }

    #[test]
    fn files_are_read_from_layers_of_every_compression() {
        let long = "x/".repeat(120) + "file";
        let plain = archive(&[("./a", "first"), (&long, "second"), ("b", "->../a")]);
        let gzip = |bytes: &[u8]| {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let zstd = |bytes: &[u8]| {
            ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
        };
        let half = plain.len() / 2;
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"xyz"].concat();
        for blob in [
            plain.clone(),
            gzip(&plain),
            [gzip(&plain[..half]), gzip(&plain[half..])].concat(),
            zstd(&plain),
            [zstd(&plain[..half]), skipped, zstd(&plain[half..])].concat(),
        ] {
            let (text, layer) = read_from(&blob, "/a").unwrap();
            assert_eq!(text.as_deref(), Some("first"));
            assert_eq!(layer.entry("b"), Some(&Entry::Symlink("../a".to_owned())));
            assert_eq!(
                read_from(&blob, &long).unwrap().0.as_deref(),
                Some("second")
            );
            assert_eq!(read_from(&blob, "none").unwrap().0, None);
        }
    }

    #[test]
    fn damaged_and_hostile_layers_are_errors() {
        let plain = archive(&[("a", "first")]);
        assert!(read_from(&plain[..700], "a").is_err());
        assert!(read_from(b"\x1f\x8bno gzip", "a").is_err());
        assert!(read_from(&[0x28, 0xb5, 0x2f, 0xfd, 9, 9], "a").is_err());
        // A long name that claims a size of one tebibyte.
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::GNULongName);
        header.set_size(1 << 40);
        header.set_cksum();
        let endless = header.as_bytes().chain(io::repeat(b'x'));
        let mut to = Vec::new();
        let read = read(endless, &Path::parse("a"), &mut to);
        let Err(LayerError::Read(error)) = read else {
            panic!("it was read");
        };
        assert!(error.to_string().contains("larger than any"), "{error}");
    }

    #[test]
    fn whiteouts_are_no_files() {
        let blob = archive(&[
            ("etc/.wh.gone", ""),
            ("etc/.wh..wh..opq", ""),
            (".wh.top", ""),
        ]);
        let (_, layer) = read_from(&blob, "none").unwrap();
        assert!(layer.is_removed("etc/gone") && layer.is_removed("top"));
        assert!(layer.is_opaque("etc") && !layer.is_opaque(""));
        assert_eq!(layer.entry("etc/.wh.gone"), None);
    }
}
