//! Extended attributes of folders and their entries.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};

use rustix::io::Errno;

use super::Beneath;

/// Linux's limit in bytes for all names of a file, and for one value.
const LIMIT: usize = 64 << 10;

impl Beneath {
    /// Returns the absolute path of the folder; `None` if the folder was removed, if something else
    /// was mounted there, or if the path is unknown.
    pub fn absolute(&self) -> Option<Vec<u8>> {
        let link = format!("/proc/self/fd/{}", self.as_fd().as_raw_fd());
        let path = rustix::fs::readlink(link, Vec::new()).ok()?;
        let there = rustix::fs::lstat(&path).ok()?;
        let own = rustix::fs::fstat(self).ok()?;
        let same = (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino);
        same.then(|| path.into_bytes())
    }

    /// Returns true if the name in the folder at this absolute path has no attributes, as nearly
    /// all files. This takes a third of the time of [`attributes`](Self::attributes). The path may
    /// lead to another folder meanwhile, so no attribute is read here.
    pub fn has_no_attributes(folder: &[u8], name: &[u8]) -> bool {
        let path = [folder, b"/", name].concat();
        // Too small for any name: the call fails if there is one.
        let mut names = [0; 1];
        let listed = rustix::fs::llistxattr(path, &mut names);
        matches!(listed, Ok(0) | Err(Errno::NOTSUP))
    }

    /// Reads the extended attributes of a name, without those of macOS. No system call does this
    /// for a name in an open folder, so it goes through `/proc`. Without `/proc` there are none.
    ///
    /// # Errors
    /// If they cannot be listed. Unreadable ones are omitted.
    pub fn attributes(&self, name: &[u8], found: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
        let folder = format!("/proc/self/fd/{}/", self.as_fd().as_raw_fd());
        let path = CString::new([folder.as_bytes(), name].concat())?;
        let mut small = [0; 512];
        let mut large = Vec::new();
        let names: &[u8] = match rustix::fs::llistxattr(&path, &mut small) {
            Ok(length) => &small[..length],
            Err(Errno::NOTSUP | Errno::NOENT) => return Ok(()),
            Err(Errno::RANGE) => {
                large.resize(LIMIT, 0);
                let length = rustix::fs::llistxattr(&path, &mut large[..])?;
                &large[..length]
            }
            Err(error) => return Err(error.into()),
        };
        for name in names.split(|&byte| byte == 0) {
            let Ok(name) = std::str::from_utf8(name) else {
                continue;
            };
            if name.is_empty() || name.starts_with("com.apple.") {
                continue;
            }
            if let Ok(value) = read_attribute(&path, name) {
                found.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }

    /// Reads the extended attributes of the folder for which `wanted` returns true, sorted by name.
    /// The list is empty if the file system has no attributes. Unreadable ones are omitted.
    pub fn own_attributes(&self, wanted: fn(&[u8]) -> bool) -> Vec<(Vec<u8>, Vec<u8>)> {
        open_attributes(self, wanted)
    }

    /// Reads the extended attributes of an open file, as [`own_attributes`](Self::own_attributes).
    pub fn file_attributes(file: &File, wanted: fn(&[u8]) -> bool) -> Vec<(Vec<u8>, Vec<u8>)> {
        open_attributes(file, wanted)
    }
}

fn open_attributes(file: impl AsFd, wanted: fn(&[u8]) -> bool) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = vec![0; LIMIT];
    let length = rustix::fs::flistxattr(&file, &mut names[..]).unwrap_or(0);
    let mut found = Vec::new();
    for name in names[..length].split(|&byte| byte == 0) {
        if name.is_empty() || !wanted(name) {
            continue;
        }
        let mut value = vec![0; LIMIT];
        if let Ok(length) = rustix::fs::fgetxattr(&file, name, &mut value[..]) {
            value.truncate(length);
            found.push((name.to_vec(), value));
        }
    }
    found.sort();
    found
}

fn read_attribute(path: &CStr, name: &str) -> Result<Vec<u8>, Errno> {
    let mut value = vec![0; 256];
    loop {
        match rustix::fs::lgetxattr(path, name, &mut value[..]) {
            Ok(length) => {
                value.truncate(length);
                return Ok(value);
            }
            Err(Errno::RANGE) if value.len() < LIMIT => value.resize(value.len() * 4, 0),
            Err(error) => return Err(error),
        }
    }
}
