//! Writes archives.

use std::collections::BTreeMap;
use std::io::{self, Write};

use tar::{EntryType, Header};
use tokio::sync::mpsc;

use super::extended::encoded;
use super::time::decimal;
use super::{BLOCK, XATTR, padding_of, zeros};
use crate::cache_mount::Error;
use crate::cache_mount::entry::{Entry, Item, Kind};

/// The size of a header's name field, in bytes.
const NAME: usize = 100;

/// Writes all received items to an archive.
pub(in crate::cache_mount) fn write(
    to: &mut dyn Write,
    items: &mut mpsc::Receiver<Item>,
) -> Result<(), Error> {
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
            Item::Skipped => {}
            Item::End => break,
        }
    }
    to.write_all(&zeros(padding + 2 * BLOCK)).map_err(failed)?;
    to.flush().map_err(failed)
}

/// The header of an entry, after an extended header for the values that do not fit.
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
            extended.insert(b"path".to_vec(), path);
        }
        if !fill(linkname, &target) {
            extended.insert(b"linkpath".to_vec(), target);
        }
    }
    let (seconds, nanoseconds) = meta.mtime;
    if nanoseconds != 0 || seconds < 0 {
        extended.insert(
            b"mtime".to_vec(),
            decimal(seconds, nanoseconds).into_bytes(),
        );
    }
    for (name, value) in &meta.xattrs {
        let key = [XATTR.as_bytes(), &encoded(name)].concat();
        extended.insert(key, value.clone());
    }
    header.set_cksum();
    let mut bytes = extended_header(&extended);
    bytes.extend_from_slice(header.as_bytes());
    bytes
}

/// The extended header with these values; nothing if there are none.
fn extended_header(values: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    if values.is_empty() {
        return Vec::new();
    }
    let records: Vec<u8> = values
        .iter()
        .flat_map(|(key, value)| record(key, value))
        .collect();
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::XHeader);
    header.set_size(records.len() as u64);
    header.set_mode(0o644);
    if let Some(fields) = header.as_ustar_mut() {
        fill(&mut fields.name, b"././@PaxHeader");
    }
    header.set_cksum();
    let padding = zeros(padding_of(records.len() as u64));
    [header.as_bytes().as_slice(), &records, &padding].concat()
}

/// Writes a name to its field, truncated if necessary. Returns true if it fits.
fn fill(field: &mut [u8; NAME], name: &[u8]) -> bool {
    let length = name.len().min(NAME);
    field[..length].copy_from_slice(&name[..length]);
    name.len() <= NAME
}

/// A PAX record: its own length, the key and the value.
fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}
