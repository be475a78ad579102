//! Limits the memory that a daemon's export can use until it is complete.

use super::error::ExportError;
use crate::proto::fsutil::types::Stat;
use crate::session::fsutil::mode;

/// A pending file takes about ten bytes, so this allows fifty million of them.
const FILES: usize = 512 << 20;
/// The bytes counted for a folder, hard link or remembered path, besides its text.
const ENTRY: usize = 256;
/// Folders, hard links, and all paths of a mirror or on Windows: about a million of them.
const ENTRIES: usize = 512 << 20;
/// Extended attributes: the kernel allows 64 KiB per file, and few files have any.
const ATTRIBUTES: usize = 64 << 20;

/// The bytes used so far.
#[derive(Debug, Default)]
pub(super) struct Budget {
    entries: usize,
    attributes: usize,
}

impl Budget {
    /// Counts the memory for a file.
    ///
    /// # Errors
    /// [`ExportError::Limit`] with the exceeded limit.
    pub(super) fn take(&mut self, stat: &Stat, is_remembered: bool) -> Result<(), ExportError> {
        self.take_within(stat, is_remembered, (ENTRIES, ATTRIBUTES))
    }

    fn take_within(
        &mut self,
        stat: &Stat,
        is_remembered: bool,
        (entries, attributes): (usize, usize),
    ) -> Result<(), ExportError> {
        let is_kept = stat.mode & mode::DIR != 0 || !stat.linkname.is_empty();
        for _ in 0..usize::from(is_kept) + usize::from(is_remembered) {
            self.entries += ENTRY + stat.path.len() + stat.linkname.len();
        }
        let named = stat.xattrs.iter();
        self.attributes += named
            .map(|(name, value)| name.len() + value.len())
            .sum::<usize>();
        if self.entries > entries {
            return Err(ExportError::Limit {
                what: "folders and links",
                limit: "512 MiB",
            });
        }
        if self.attributes > attributes {
            return Err(ExportError::Limit {
                what: "extended attributes",
                limit: "64 MiB",
            });
        }
        Ok(())
    }
}

/// Checks the size of the file table.
///
/// # Errors
/// [`ExportError::Limit`] if it is too large.
pub(super) fn files(size: usize) -> Result<(), ExportError> {
    match size > FILES {
        false => Ok(()),
        true => Err(ExportError::Limit {
            what: "names of files",
            limit: "512 MiB",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(path: &str) -> Stat {
        Stat {
            path: path.into(),
            mode: mode::DIR | 0o755,
            ..Stat::default()
        }
    }

    #[test]
    fn folders_and_attributes_are_counted_and_limited() {
        let mut budget = Budget::default();
        let limits = (10 * (ENTRY + 4), 1000);
        for _ in 0..10 {
            budget.take_within(&folder("abcd"), false, limits).unwrap();
        }
        let error = budget
            .take_within(&folder("abcd"), false, limits)
            .unwrap_err();
        assert_eq!(
            error.message(),
            "the daemon sent folders and links of more than 512 MiB"
        );

        let mut file = Stat::default();
        file.xattrs.insert("user.a".to_owned(), vec![0; 600]);
        let mut budget = Budget::default();
        budget.take_within(&file, false, limits).unwrap();
        let error = budget.take_within(&file, false, limits).unwrap_err();
        assert_eq!(
            error.message(),
            "the daemon sent extended attributes of more than 64 MiB"
        );
        assert!(files(FILES + 1).is_err());
    }

    #[test]
    fn what_is_remembered_is_not_larger_than_what_is_counted() {
        assert!(size_of::<Stat>() <= ENTRY, "{}", size_of::<Stat>());
    }
}
