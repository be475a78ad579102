//! Reads archives, which may be compressed.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use tar::{EntryType, Header};
use tokio::sync::mpsc;

use super::extended::Extended;
use super::{BLOCK, broken, number, padding_of, zeros};
use crate::cache_mount::entry::{Item, Kind, PIECE, XATTRS};
use crate::cache_mount::{ArchiveProblem, Error};
use crate::transfer::Zstd;

/// The size limit of an extended header, in bytes.
const EXTENDED: u64 = XATTRS as u64 + (64 << 10);

/// Sends the entries of an archive.
pub(in crate::cache_mount) fn read_file(
    path: &Path,
    items: &mpsc::Sender<Item>,
) -> Result<(), Error> {
    let file = File::open(path).map_err(|source| Error::Local {
        action: "open",
        path: path.to_owned(),
        source,
    })?;
    read(file, items)
}

/// Sends the entries of an archive from a stream, which may be compressed.
pub(in crate::cache_mount) fn read(
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
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            let stream = Zstd::new(stream).map_err(|error| read_error(&error));
            read_plain(&mut stream?, items)?;
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

fn send(items: &mpsc::Sender<Item>, item: Item) -> Result<(), Error> {
    items.blocking_send(item).map_err(|_| Error::BrokenOff)
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
            // Defaults for all entries; in practice only comments.
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
        match std::mem::take(&mut extended).entry(&header, size)? {
            None => send(items, Item::Skipped)?,
            Some(entry) => {
                let kind = entry.kind.clone();
                send(items, Item::Entry(Box::new(entry)))?;
                // Only files have content, even if another header has a size.
                if let Kind::File(size) = kind {
                    copy(from, size, items)?;
                }
            }
        }
    }
    // Read to the end, where a checksum or digest is verified.
    let rest = io::copy(from, &mut io::sink());
    rest.map(drop).map_err(|error| read_error(&error))
}

/// The next header; `None` at the archive's end mark.
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

fn read_error(error: &io::Error) -> Error {
    broken(match error.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveProblem::CutOff,
        kind => ArchiveProblem::Read(io::Error::new(kind, error.to_string())),
    })
}

/// Reads the content of an extended header into memory.
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

/// Sends the content of a file.
fn copy(from: &mut dyn Read, size: u64, items: &mpsc::Sender<Item>) -> Result<(), Error> {
    let mut left = size;
    while left > 0 {
        let mut piece = vec![0; left.min(PIECE as u64) as usize];
        from.read_exact(&mut piece)
            .map_err(|error| read_error(&error))?;
        left -= piece.len() as u64;
        send(items, Item::Data(Bytes::from(piece)))?;
    }
    let mut padding = zeros(padding_of(size));
    from.read_exact(&mut padding)
        .map_err(|error| read_error(&error))
}
