//! What is in a context folder: what a build may be sent, and which rule keeps the rest back.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::session::{MatchState, PatternError, PatternMatcher};

/// Files and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many files there are; links and devices count, folders do not.
    pub files: u64,
    /// The bytes of regular files; one with several names counts for each.
    pub bytes: u64,
}

impl Tally {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// What is in a context folder.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Survey {
    /// Everything that no rule excludes. Of this a build is sent what its `COPY` and `ADD` name.
    pub included: Tally,
    /// The same for each entry of the folder that has something of it, by name; the name of a folder ends with `/`.
    pub entries: BTreeMap<String, Tally>,
    /// What each rule of the ignore file excludes. A rule that excludes nothing is there too.
    pub excluded: BTreeMap<String, Tally>,
    /// The largest files that are included, the largest first.
    pub largest: Vec<(String, u64)>,
}

/// Why a folder cannot be surveyed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurveyError {
    /// A rule of the ignore file is none.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// Something in the folder cannot be read, which a build could not send either.
    #[error("cannot read {}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Survey {
    /// Looks at every file of a folder. `rules` are those of its ignore file, `keep` is how many of the largest files are kept.
    /// Links are not followed. What vanishes meanwhile was never there. Blocking.
    ///
    /// # Errors
    /// The first path that cannot be read, or the rule that is none.
    pub fn of(root: &Path, rules: &[String], keep: usize) -> Result<Self, SurveyError> {
        let mut found = Self::default();
        let rule_names = rules.iter().map(|rule| rule.trim());
        let excluding = rule_names.filter(|rule| !rule.is_empty() && !rule.starts_with('!'));
        found.excluded = excluding
            .map(|rule| (rule.to_owned(), Tally::default()))
            .collect();
        let matcher = PatternMatcher::new(rules)?;
        let mut open = vec![Folder::default()];
        while let Some(folder) = open.pop() {
            found.folder(root, &folder, &matcher, &mut open)?;
            found.forget_small(keep);
        }
        found
            .largest
            .sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        found.largest.truncate(keep);
        Ok(found)
    }

    fn folder(
        &mut self,
        root: &Path,
        folder: &Folder,
        matcher: &PatternMatcher,
        open: &mut Vec<Folder>,
    ) -> Result<(), SurveyError> {
        let path = root.join(&folder.path);
        let failed = |path: &Path, source| SurveyError::Read {
            path: path.to_owned(),
            source,
        };
        let listing = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            listing => listing.map_err(|error| failed(&path, error))?,
        };
        for entry in listing {
            let entry = entry.map_err(|error| failed(&path, error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let relative = match folder.path.as_str() {
                "" => name,
                parent => format!("{parent}/{name}"),
            };
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata.map_err(|error| failed(&entry.path(), error))?,
            };
            let mut state = MatchState::default();
            let is_excluded = matcher.step(&relative, &folder.state, Some(&mut state));
            if metadata.is_dir() {
                open.push(Folder {
                    path: relative,
                    state,
                });
                continue;
            }
            let bytes = if metadata.is_file() {
                metadata.len()
            } else {
                0
            };
            if is_excluded {
                let rule = matcher.rule(&relative).map(|rule| rule.pattern.to_owned());
                self.excluded
                    .entry(rule.unwrap_or_default())
                    .or_default()
                    .add(bytes);
            } else {
                self.include(relative, bytes);
            }
        }
        Ok(())
    }

    fn include(&mut self, path: String, bytes: u64) {
        self.included.add(bytes);
        let entry = match path.split_once('/') {
            Some((folder, _)) => format!("{folder}/"),
            None => path.clone(),
        };
        self.entries.entry(entry).or_default().add(bytes);
        self.largest.push((path, bytes));
    }

    /// Keeps the list of the largest files short while it grows.
    fn forget_small(&mut self, keep: usize) {
        if self.largest.len() > 2 * keep + 1024 {
            self.largest
                .sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
            self.largest.truncate(keep);
        }
    }
}

/// A folder that is to be read, relative to the root.
#[derive(Default)]
struct Folder {
    path: String,
    state: MatchState,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(files: u64, bytes: u64) -> Tally {
        Tally { files, bytes }
    }

    #[test]
    fn every_file_is_included_or_excluded_by_a_rule() {
        let folder = tempfile::tempdir().unwrap();
        for (path, size) in [
            ("src/main.rs", 10),
            ("src/deep/lib.rs", 20),
            ("target/debug/x", 1000),
            ("target/keep/y", 3),
            ("notes.md", 7),
            ("big.bin", 500),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, vec![0; size]).unwrap();
        }
        std::os::unix::fs::symlink("/", folder.path().join("link")).unwrap();
        let rules: Vec<String> = ["target", "!target/keep", "*.md", "*.none"]
            .map(str::to_owned)
            .into();
        let survey = Survey::of(folder.path(), &rules, 2).unwrap();
        assert_eq!(survey.included, tally(5, 533));
        assert_eq!(survey.entries["src/"], tally(2, 30));
        assert_eq!(survey.entries["target/"], tally(1, 3));
        assert_eq!(survey.entries["link"], tally(1, 0));
        assert_eq!(survey.excluded["target"], tally(1, 1000));
        assert_eq!(survey.excluded["*.md"], tally(1, 7));
        assert_eq!(survey.excluded["*.none"], Tally::default());
        assert_eq!(
            survey.largest,
            [
                ("big.bin".to_owned(), 500),
                ("src/deep/lib.rs".to_owned(), 20)
            ]
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let rules = ["[".to_owned()];
        let error = Survey::of(folder.path(), &rules, 1).unwrap_err();
        assert!(error.to_string().contains('['), "{error}");
    }
}
