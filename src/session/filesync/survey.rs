//! Surveys a context folder: what a build could send, and which rule excludes the rest.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use solvekit_host::{Kind, is_missing, names};

use super::descent::{Descent, Next};
use super::walk::in_text;
use crate::files::Beneath;
use crate::session::{MatchState, PatternError, PatternMatcher};

/// A number of files and their size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of files; links and devices count, folders do not.
    pub files: u64,
    /// The total size of regular files in bytes; a file with several names counts for each.
    pub bytes: u64,
}

impl Tally {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// The content of a context folder.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Survey {
    /// Everything that no rule excludes. A build sends the part that its `COPY` and `ADD` name.
    pub included: Tally,
    /// The same for each top-level entry with included files, by name; a folder's name ends with
    /// `/`.
    pub entries: BTreeMap<String, Tally>,
    /// The files that each rule of the ignore file excludes. Rules without effect are listed too.
    pub excluded: BTreeMap<String, Tally>,
    /// The largest included files with their sizes in bytes, largest first.
    pub largest: Vec<(String, u64)>,
}

/// Why a folder could not be surveyed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurveyError {
    /// A rule of the ignore file is invalid.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A path could not be read. A build could not send it either.
    #[error("cannot read {}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl Survey {
    /// Surveys a folder. `rules` come from its ignore file; `keep` limits the list of the largest
    /// files. Links are not followed, and files that vanish meanwhile are ignored. Blocking.
    ///
    /// # Errors
    /// The first unreadable path, or an invalid rule.
    pub fn of(root: &Path, rules: &[String], keep: usize) -> Result<Self, SurveyError> {
        let mut found = Self::default();
        let rule_names = rules.iter().map(|rule| rule.trim());
        let excluding = rule_names.filter(|rule| !rule.is_empty() && !rule.starts_with('!'));
        found.excluded = excluding
            .map(|rule| (rule.to_owned(), Tally::default()))
            .collect();
        let matcher = PatternMatcher::new(rules)?;
        let failed = |path: &[u8], source| SurveyError::Read {
            path: root.join(names::path(path)),
            source,
        };
        let beneath = Beneath::open(root).map_err(|error| failed(b"", error))?;
        let descent = Descent::of(&beneath, MatchState::default());
        let mut descent = descent.map_err(|error| failed(b"", error))?;
        loop {
            match descent.next() {
                Next::Entry(_) => found
                    .entry(&mut descent, &matcher)
                    .map_err(|error| failed(descent.path(), error))?,
                Next::End => found.forget_small(keep),
                Next::Done => break,
            }
        }
        found
            .largest
            .sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        found.largest.truncate(keep);
        Ok(found)
    }

    /// Counts the current path, or enters it.
    fn entry(
        &mut self,
        descent: &mut Descent<'_, MatchState>,
        matcher: &PatternMatcher,
    ) -> io::Result<()> {
        let metadata = match descent.look(descent.path().len()) {
            Err(error) if is_missing(&error) => return Ok(()),
            looked => looked?.status,
        };
        let path = in_text(descent.path()).into_owned();
        let mut state = MatchState::default();
        let Some(parent) = descent.state() else {
            return Ok(());
        };
        let is_excluded = matcher.step(&path, parent, Some(&mut state));
        let bytes = match metadata.kind {
            Kind::Folder => {
                return match descent.enter(state) {
                    Err(error) if is_missing(&error) => Ok(()),
                    entered => entered,
                };
            }
            Kind::File => metadata.size,
            _ => 0,
        };
        if is_excluded {
            let rule = matcher.rule(&path).map(|rule| rule.pattern.to_owned());
            let rule = self.excluded.entry(rule.unwrap_or_default());
            rule.or_default().add(bytes);
        } else {
            self.include(path, bytes);
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

    /// Trims the list of the largest files.
    fn forget_small(&mut self, keep: usize) {
        if self.largest.len() > 2 * keep + 1024 {
            self.largest
                .sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
            self.largest.truncate(keep);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;

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
    fn names_that_are_not_utf8_are_counted_and_gone_into() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join(OsStr::from_bytes(b"odd-\xff"));
        fs::create_dir(&odd).unwrap();
        fs::write(odd.join("file"), "1234").unwrap();
        let survey = Survey::of(folder.path(), &[], 1).unwrap();
        assert_eq!(survey.included, tally(1, 4));
        assert_eq!(survey.entries["odd-\u{fffd}/"], tally(1, 4));
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let rules = ["[".to_owned()];
        let error = Survey::of(folder.path(), &rules, 1).unwrap_err();
        assert!(error.to_string().contains('['), "{error}");
    }
}
