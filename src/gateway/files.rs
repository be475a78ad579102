//! Reads files of a ref. Reading computes the ref, so its failures appear here.

use std::{
    ops::Range,
    time::{Duration, SystemTime},
};

use bytes::Bytes;

use super::{Bridge, Error, Ref, caps};
use crate::client::AnswerProblem;
use crate::{
    client::failed,
    proto::{fsutil::types::Stat, moby::buildkit::v1::frontend as proto},
};

/// The metadata of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileInfo {
    /// The name in its directory, or the requested path.
    pub path: String,
    /// The file's type.
    pub kind: FileKind,
    /// The permission bits, with set-user-id, set-group-id and sticky as in `chmod`.
    pub mode: u32,
    /// The owner's id.
    pub uid: u32,
    /// The group's id.
    pub gid: u32,
    /// The size in bytes.
    pub size: i64,
    /// The modification time.
    pub modified: SystemTime,
    /// The target of a symbolic link.
    pub link_target: String,
}

/// The types of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A device, pipe or socket.
    Other,
}

/// Go's `os.FileMode` bits.
mod go_mode {
    pub(super) const DIRECTORY: u32 = 1 << 31;
    pub(super) const SYMLINK: u32 = 1 << 27;
    pub(super) const SET_UID: u32 = 1 << 23;
    pub(super) const SET_GID: u32 = 1 << 22;
    pub(super) const STICKY: u32 = 1 << 20;
    /// Directory, symlink, device, named pipe, socket, character device, irregular.
    pub(super) const TYPE: u32 =
        DIRECTORY | SYMLINK | 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19;
}

impl Bridge {
    /// Reads a file, or a range of its bytes. The daemon returns at most 16 MiB.
    ///
    /// # Errors
    /// [`Error::Client`] if the ref cannot be computed or the file does not exist.
    pub async fn read_file(
        &self,
        reference: &Ref,
        path: &str,
        range: Option<Range<u64>>,
    ) -> Result<Bytes, Error> {
        let request = proto::ReadFileRequest {
            r#ref: reference.id().to_owned(),
            file_path: path.to_owned(),
            range: range.map(file_range),
            mount_index: 0,
        };
        let answer = self
            .calls()
            .read_file(self.request(request))
            .await
            .map_err(failed("reading a file"))?;
        Ok(answer.into_inner().data)
    }

    /// Returns a directory's entries that match a pattern (`*`, `?`, `[…]`; empty matches all).
    ///
    /// # Errors
    /// [`Error::Client`] if the ref cannot be computed or the directory does not exist.
    pub async fn read_dir(
        &self,
        reference: &Ref,
        path: &str,
        pattern: &str,
    ) -> Result<Vec<FileInfo>, Error> {
        self.need(caps::READ_DIR).await?;
        let request = proto::ReadDirRequest {
            r#ref: reference.id().to_owned(),
            dir_path: path.to_owned(),
            include_pattern: pattern.to_owned(),
            mount_index: 0,
        };
        let answer = self
            .calls()
            .read_dir(self.request(request))
            .await
            .map_err(failed("reading a directory"))?;
        Ok(answer
            .into_inner()
            .entries
            .into_iter()
            .map(FileInfo::from)
            .collect())
    }

    /// Returns the metadata of a path; symbolic links are not followed.
    ///
    /// # Errors
    /// [`Error::Client`] if the ref cannot be computed or the path does not exist.
    pub async fn stat_file(&self, reference: &Ref, path: &str) -> Result<FileInfo, Error> {
        let call = "looking at a file";
        self.need(caps::STAT_FILE).await?;
        let request = proto::StatFileRequest {
            r#ref: reference.id().to_owned(),
            path: path.to_owned(),
            mount_index: 0,
        };
        let answer = self
            .calls()
            .stat_file(self.request(request))
            .await
            .map_err(failed(call))?;
        let stat = answer.into_inner().stat.ok_or_else(|| invalid_stat(call))?;
        Ok(FileInfo::from(stat))
    }
}

pub(super) fn file_range(range: Range<u64>) -> proto::FileRange {
    let length = range.end.saturating_sub(range.start);
    proto::FileRange {
        offset: range.start.try_into().unwrap_or(i64::MAX),
        length: length.try_into().unwrap_or(i64::MAX),
    }
}

pub(super) fn invalid_stat(call: &'static str) -> Error {
    Error::invalid(call, AnswerProblem::Missing { part: "stat" })
}

impl From<Stat> for FileInfo {
    fn from(stat: Stat) -> Self {
        let has = |bit| stat.mode & bit != 0;
        let kind = match stat.mode & go_mode::TYPE {
            0 => FileKind::File,
            go_mode::DIRECTORY => FileKind::Directory,
            go_mode::SYMLINK => FileKind::Symlink,
            _ => FileKind::Other,
        };
        let extra = [
            (go_mode::SET_UID, 0o4000),
            (go_mode::SET_GID, 0o2000),
            (go_mode::STICKY, 0o1000),
        ];
        let extra = extra
            .into_iter()
            .filter(|(bit, _)| has(*bit))
            .fold(0, |mode, (_, bit)| mode | bit);
        let since = Duration::from_nanos(stat.mod_time.unsigned_abs());
        let modified = match stat.mod_time >= 0 {
            true => SystemTime::UNIX_EPOCH.checked_add(since),
            false => SystemTime::UNIX_EPOCH.checked_sub(since),
        };
        Self {
            path: in_text(stat.path),
            kind,
            mode: stat.mode & 0o777 | extra,
            uid: stat.uid,
            gid: stat.gid,
            size: stat.size,
            modified: modified.unwrap_or(SystemTime::UNIX_EPOCH),
            link_target: in_text(stat.linkname),
        }
    }
}

/// Converts a path to text, for messages and rules; invalid UTF-8 becomes the replacement
/// character.
fn in_text(path: Vec<u8>) -> String {
    String::from_utf8(path)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gos_mode_bits_become_unix_ones() {
        let info = |mode| {
            FileInfo::from(Stat {
                mode,
                mod_time: -1,
                ..Stat::default()
            })
        };
        assert_eq!(
            (info(0o644).kind, info(0o644).mode),
            (FileKind::File, 0o644)
        );
        let tmp = info(go_mode::DIRECTORY | go_mode::STICKY | 0o777);
        assert_eq!((tmp.kind, tmp.mode), (FileKind::Directory, 0o1777));
        assert_eq!(info(go_mode::SYMLINK | 0o777).kind, FileKind::Symlink);
        assert_eq!(info(1 << 25 | 0o600).kind, FileKind::Other);
    }
}
