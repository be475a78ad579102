//! Entries whose names the system does not distinguish, such as `Readme` and `readme` on Windows.

use std::collections::HashMap;

use solvekit_host::names;

use super::error::ExportError;

/// The paths that arrived, by the form in which the system compares them. Empty on systems that
/// distinguish all names.
#[derive(Debug, Default)]
pub(super) struct Distinct {
    paths: HashMap<Vec<u8>, Entry>,
}

#[derive(Debug)]
struct Entry {
    path: Vec<u8>,
    is_folder: bool,
}

impl Distinct {
    /// True if paths are remembered on this system.
    pub(super) fn remembers() -> bool {
        names::compared(&[]).is_some()
    }

    /// Adds a path. Folders with such names become one folder.
    ///
    /// # Errors
    /// [`ExportError::SameName`] if one entry would replace the other.
    pub(super) fn add(&mut self, path: &[u8], is_folder: bool) -> Result<(), ExportError> {
        match names::compared(path) {
            Some(compared) => self.add_compared(compared, path, is_folder),
            None => Ok(()),
        }
    }

    fn add_compared(
        &mut self,
        compared: Vec<u8>,
        path: &[u8],
        is_folder: bool,
    ) -> Result<(), ExportError> {
        let entry = Entry {
            path: path.to_owned(),
            is_folder,
        };
        match self.paths.insert(compared, entry) {
            Some(other) if !(is_folder && other.is_folder) => Err(ExportError::SameName {
                path: String::from_utf8_lossy(path).into_owned(),
                other: String::from_utf8_lossy(&other.path).into_owned(),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(distinct: &mut Distinct, path: &str, is_folder: bool) -> Result<(), String> {
        let compared = path.to_uppercase().into_bytes();
        distinct
            .add_compared(compared, path.as_bytes(), is_folder)
            .map_err(|error| error.message())
    }

    #[test]
    fn a_file_does_not_replace_one_whose_name_differs_in_case() {
        let mut distinct = Distinct::default();
        add(&mut distinct, "Sub", true).unwrap();
        add(&mut distinct, "Sub/Readme", false).unwrap();
        add(&mut distinct, "sub", true).unwrap();
        add(&mut distinct, "sub/other", false).unwrap();
        assert_eq!(
            add(&mut distinct, "sub/readme", false).unwrap_err(),
            "cannot create sub/readme: its name differs from that of Sub/Readme only in case"
        );
        assert!(add(&mut distinct, "SUB", false).is_err());
    }
}
