//! Reads bbolt databases: a file of pages, with a B+ tree for each bucket, and nested buckets. A
//! small bucket is stored inline, as the value of its key. The format is that of
//! `go.etcd.io/bbolt`, version 2.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// The size of a page's header, in bytes.
const HEADER: usize = 16;
/// The size of a branch or leaf element, in bytes.
const ELEMENT: usize = 16;
/// Flags of pages.
const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
/// The flag of an element whose value is a bucket.
const BUCKET: u32 = 0x01;
/// The largest page with its overflow pages, in bytes.
const PAGE_LIMIT: usize = 64 << 20;
/// The deepest nesting of buckets, and of pages below a root.
const DEPTH: usize = 64;

/// An open database.
pub(super) struct Database {
    file: File,
    page_size: usize,
    root: u64,
    /// The ids of the pages that were read: a page must not be reached twice.
    seen: HashSet<u64>,
}

/// An entry of a database.
pub(super) enum Item<'a> {
    Bucket(&'a [u8]),
    Pair(&'a [u8], &'a [u8]),
}

/// Receives the entries with the depth of their bucket.
type Visit<'a> = &'a mut dyn FnMut(usize, Item<'_>) -> io::Result<()>;

/// The newest meta page.
struct Meta {
    page_size: usize,
    root: u64,
    transaction: u64,
}

impl Database {
    pub(super) fn open(file: File) -> io::Result<Self> {
        let first = meta(&read(&file, 0, 4096)?);
        // The second meta page follows the first. If the first is damaged, the page size is
        // unknown.
        let sizes: Vec<usize> = match &first {
            Some(first) => vec![first.page_size],
            None => (9..17).map(|bits| 1 << bits).collect(),
        };
        let second = sizes.into_iter().find_map(|size| {
            let page = read(&file, size as u64, 4096).ok()?;
            meta(&page).filter(|meta| meta.page_size == size)
        });
        let metas = [first, second].into_iter().flatten();
        let newest = metas.max_by_key(|meta| meta.transaction);
        let newest = newest.ok_or_else(|| broken("it is not a bbolt database"))?;
        Ok(Self {
            file,
            page_size: newest.page_size,
            root: newest.root,
            seen: HashSet::new(),
        })
    }

    /// Visits all buckets, keys and values in order.
    pub(super) fn walk(&mut self, visit: Visit<'_>) -> io::Result<()> {
        self.pages(self.root, 0, 0, visit)
    }

    /// Visits the pages of a bucket below a page.
    fn pages(&mut self, id: u64, depth: usize, level: usize, visit: Visit<'_>) -> io::Result<()> {
        if level > DEPTH || !self.seen.insert(id) {
            return Err(broken("its pages lead to each other"));
        }
        let page = self.page(id)?;
        match number16(&page, 8)? {
            BRANCH => {
                for place in elements(&page)? {
                    let child = number64(&page, place + 8)?;
                    self.pages(child, depth, level + 1, visit)?;
                }
                Ok(())
            }
            LEAF => self.leaf(&page, depth, visit),
            _ => Err(broken("a page is of an unknown kind")),
        }
    }

    fn leaf(&mut self, page: &[u8], depth: usize, visit: Visit<'_>) -> io::Result<()> {
        for place in elements(page)? {
            let [flags, offset, key, value] = [0, 4, 8, 12].map(|at| number32(page, place + at));
            let (offset, key, value) = (offset? as usize, key? as usize, value? as usize);
            let start = place + offset;
            let key_bytes = slice(page, start, key)?;
            let value_bytes = slice(page, start + key, value)?;
            if flags? & BUCKET == 0 {
                visit(depth, Item::Pair(key_bytes, value_bytes))?;
                continue;
            }
            visit(depth, Item::Bucket(key_bytes))?;
            self.bucket(value_bytes, depth + 1, visit)?;
        }
        Ok(())
    }

    /// Visits a bucket, given the value of its key: the id of its root page, or an inline page.
    fn bucket(&mut self, value: &[u8], depth: usize, visit: Visit<'_>) -> io::Result<()> {
        if depth > DEPTH {
            return Err(broken("it has too many buckets within buckets"));
        }
        match number64(value, 0)? {
            0 => {
                let page = slice(value, HEADER, value.len().saturating_sub(HEADER))?;
                match number16(page, 8)? {
                    LEAF => self.leaf(page, depth, visit),
                    _ => Err(broken("a bucket in a bucket is of an unknown kind")),
                }
            }
            root => self.pages(root, depth, 0, visit),
        }
    }

    /// Reads a page with its overflow pages.
    fn page(&self, id: u64) -> io::Result<Vec<u8>> {
        let at = id.checked_mul(self.page_size as u64);
        let at = at.ok_or_else(|| broken("a page is beyond its end"))?;
        let header = read(&self.file, at, HEADER)?;
        let overflow = number32(&header, 12)? as usize;
        let size = overflow.saturating_add(1).saturating_mul(self.page_size);
        if size > PAGE_LIMIT {
            return Err(broken("a page is larger than any"));
        }
        read(&self.file, at, size)
    }
}

/// Parses a meta page; `None` unless its checksum is right.
fn meta(page: &[u8]) -> Option<Meta> {
    let at = |offset: usize| number32(page, HEADER + offset).ok();
    let long = |offset: usize| number64(page, HEADER + offset).ok();
    let is_one = at(0)? == MAGIC && at(4)? == VERSION;
    let sum = fnv(page.get(HEADER..HEADER + 56)?);
    let page_size = at(8)? as usize;
    let is_size = page_size.is_power_of_two() && (512..=1 << 16).contains(&page_size);
    (is_one && is_size && sum == long(56)?).then_some(Meta {
        page_size,
        root: long(16)?,
        transaction: long(48)?,
    })
}

/// The offsets of a page's elements.
fn elements(page: &[u8]) -> io::Result<impl Iterator<Item = usize> + use<>> {
    let count = usize::from(number16(page, 10)?);
    slice(page, HEADER, count * ELEMENT)?;
    Ok((0..count).map(|index| HEADER + index * ELEMENT))
}

fn read(mut file: &File, at: u64, size: usize) -> io::Result<Vec<u8>> {
    let mut page = vec![0; size];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut page)?;
    Ok(page)
}

fn slice(bytes: &[u8], start: usize, length: usize) -> io::Result<&[u8]> {
    let end = start.checked_add(length);
    let found = end.and_then(|end| bytes.get(start..end));
    found.ok_or_else(|| broken("a page is cut off"))
}

fn number16(bytes: &[u8], at: usize) -> io::Result<u16> {
    let bytes = slice(bytes, at, 2)?;
    Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
}

fn number32(bytes: &[u8], at: usize) -> io::Result<u32> {
    let bytes = slice(bytes, at, 4)?;
    let bytes = bytes.try_into().map_err(|_| broken("a page is cut off"))?;
    Ok(u32::from_le_bytes(bytes))
}

fn number64(bytes: &[u8], at: usize) -> io::Result<u64> {
    let bytes = slice(bytes, at, 8)?;
    let bytes = bytes.try_into().map_err(|_| broken("a page is cut off"))?;
    Ok(u64::from_le_bytes(bytes))
}

/// The 64-bit FNV-1a hash.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn broken(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const SIZE: usize = 4096;

    fn page(id: u64, kind: u16, count: u16, rest: &[u8]) -> Vec<u8> {
        let mut page = id.to_le_bytes().to_vec();
        page.extend(kind.to_le_bytes());
        page.extend(count.to_le_bytes());
        page.extend(0_u32.to_le_bytes());
        page.extend(rest);
        page
    }

    /// A leaf page of pairs; the flag marks a bucket.
    fn leaf(id: u64, pairs: &[(u32, &[u8], &[u8])]) -> Vec<u8> {
        let (mut heads, mut data) = (Vec::new(), Vec::new());
        for (index, (flags, key, value)) in pairs.iter().enumerate() {
            let offset = (pairs.len() - index) * ELEMENT + data.len();
            let numbers = [*flags, offset as u32, key.len() as u32, value.len() as u32];
            heads.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
            data.extend([*key, *value].concat());
        }
        heads.extend(data);
        page(id, LEAF, pairs.len() as u16, &heads)
    }

    fn meta_page(id: u64, root: u64, transaction: u64) -> Vec<u8> {
        let mut meta = MAGIC.to_le_bytes().to_vec();
        meta.extend(VERSION.to_le_bytes());
        meta.extend((SIZE as u32).to_le_bytes());
        meta.extend(0_u32.to_le_bytes());
        for number in [root, 0, 0, 9, transaction] {
            meta.extend(number.to_le_bytes());
        }
        let sum = fnv(&meta);
        meta.extend(sum.to_le_bytes());
        page(id, 4, 0, &meta)
    }

    fn file_of(pages: &[Vec<u8>]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        for page in pages {
            let mut page = page.clone();
            page.resize(SIZE, 0);
            file.write_all(&page).unwrap();
        }
        file
    }

    fn listed(pages: &[Vec<u8>]) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        Database::open(file_of(pages))?.walk(&mut |depth, item| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            found.push(match item {
                Item::Bucket(name) => format!("{depth} {}/", text(name)),
                Item::Pair(key, value) => format!("{depth} {}={}", text(key), text(value)),
            });
            Ok(())
        })?;
        Ok(found)
    }

    fn database(third: Vec<u8>) -> Vec<Vec<u8>> {
        let inline = [&[0; 16][..], &leaf(0, &[(0, b"c", b"3")])].concat();
        let outside = [4_u64.to_le_bytes(), [0; 8]].concat();
        let root = leaf(3, &[(BUCKET, b"in", &inline), (BUCKET, b"out", &outside)]);
        let mut branch = Vec::new();
        for (offset, child) in [(32_u32, 5_u64), (16, 6)] {
            branch.extend(offset.to_le_bytes());
            branch.extend(0_u32.to_le_bytes());
            branch.extend(child.to_le_bytes());
        }
        vec![
            meta_page(0, 99, 1),
            meta_page(1, 3, 2),
            third,
            root,
            page(4, BRANCH, 2, &branch),
            leaf(5, &[(0, b"a", b"1")]),
            leaf(6, &[(0, b"b", b"2")]),
        ]
    }

    #[test]
    fn buckets_inside_and_outside_of_their_value_are_walked() {
        let found = listed(&database(Vec::new())).unwrap();
        assert_eq!(found, ["0 in/", "1 c=3", "0 out/", "1 a=1", "1 b=2"]);
    }

    #[test]
    fn what_is_none_or_damaged_is_an_error() {
        assert!(listed(&[vec![7; SIZE], vec![7; SIZE]]).is_err());
        let mut torn = database(Vec::new());
        // The newer meta page is damaged: the older one points beyond the end.
        torn[1][20] ^= 1;
        assert!(listed(&torn).is_err());
        let mut looped = database(Vec::new());
        let own = [3_u64.to_le_bytes(), [0; 8]].concat();
        looped[3] = leaf(3, &[(BUCKET, b"x", &own)]);
        let error = listed(&looped).unwrap_err();
        assert!(error.to_string().contains("each other"), "{error}");
        let mut huge = database(Vec::new());
        huge[5][12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        let error = listed(&huge).unwrap_err();
        assert!(error.to_string().contains("larger than any"), "{error}");
        let mut cut = database(Vec::new());
        cut[6][HEADER + 8..HEADER + 12].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(listed(&cut).is_err());
    }
}
