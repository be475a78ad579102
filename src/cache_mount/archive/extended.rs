//! Entries of archives: their headers, and the extended headers before them.

use tar::{EntryType, Header};

use super::time::parse_decimal;
use super::{XATTR, broken, number};
use crate::cache_mount::entry::{Entry, Kind, Meta, is_portable, text};
use crate::cache_mount::{ArchiveProblem, Error};

/// The values in the extended headers before an entry.
#[derive(Default)]
pub(super) struct Extended {
    pub(super) path: Option<Vec<u8>>,
    pub(super) target: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    mtime: Option<(i64, u32)>,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// True if the file is stored with holes, in the format of GNU tar.
    is_sparse: bool,
}

impl Extended {
    /// Parses the records of a PAX header.
    pub(super) fn take(&mut self, mut records: &[u8]) -> Result<(), Error> {
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

    /// Sets a value; `None` if it is malformed.
    fn set(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let text = || std::str::from_utf8(value).ok();
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.target = Some(value.to_vec()),
            b"size" => self.size = Some(text()?.parse().ok()?),
            b"uid" => self.uid = Some(text()?.parse().ok()?),
            b"gid" => self.gid = Some(text()?.parse().ok()?),
            b"mtime" => self.mtime = Some(parse_decimal(text()?)?),
            key if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
            key => {
                let name = key.strip_prefix(XATTR.as_bytes());
                if let Some(name) = name.map(decoded).filter(|name| is_portable(name)) {
                    self.xattrs.push((name, value.to_vec()));
                }
            }
        }
        Some(())
    }

    /// The entry of a header; `None` for devices, which caches do not need.
    pub(super) fn entry(self, header: &Header, size: u64) -> Result<Option<Entry>, Error> {
        let fields = header.as_old();
        let path = self
            .path
            .unwrap_or_else(|| header.path_bytes().into_owned());
        let target = self
            .target
            .or_else(|| header.link_name_bytes().map(|it| it.into_owned()));
        let target = target.unwrap_or_default();
        if self.is_sparse || header.entry_type() == EntryType::GNUSparse {
            return Err(Error::Archive {
                path: text(&path),
                problem: ArchiveProblem::Sparse,
            });
        }
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
        let short = |number: u64| u32::try_from(number).map_err(|_| broken(ArchiveProblem::Header));
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
                // Times before 1970 are negative numbers in binary.
                (seconds.cast_signed(), 0)
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

/// The name of an attribute. GNU tar writes `=`, which ends a key, and `%` in hexadecimal.
fn decoded(name: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(name.len());
    let mut rest = name;
    loop {
        let (byte, after) = match rest {
            [b'%', b'3', b'D' | b'd', after @ ..] => (b'=', after),
            [b'%', b'2', b'5', after @ ..] => (b'%', after),
            [byte, after @ ..] => (*byte, after),
            [] => return decoded,
        };
        decoded.push(byte);
        rest = after;
    }
}

/// The opposite of [`decoded`].
pub(super) fn encoded(name: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(name.len());
    for byte in name {
        match byte {
            b'=' => encoded.extend_from_slice(b"%3D"),
            b'%' => encoded.extend_from_slice(b"%25"),
            byte => encoded.push(*byte),
        }
    }
    encoded
}
