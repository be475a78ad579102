//! The actions of ADD and COPY: one for each source.

use std::sync::Arc;

use super::super::error::Error;
use super::super::reason::Reason;
use super::super::start::COMMAND;
use super::super::{git_url, remote};
use super::transfer::Transfer;
use super::{Step, system_path};
use crate::ignore::PatternMatcher;
use crate::llb::{Constraints, Copy, File, Mode, Owner, State, path};

/// The actions of one file op.
pub(super) struct Actions<'t> {
    pub(super) transfer: &'t Transfer<'t>,
    pub(super) mode: Option<Mode>,
    pub(super) destination: &'t str,
    pub(super) name: Arc<str>,
    /// The checksum of this source. A URL may set one, which then applies to later sources too.
    pub(super) checksum: String,
    pub(super) keep_git_dir: Option<bool>,
    pub(super) file: File,
}

impl Actions<'_> {
    pub(super) fn add_path(
        &mut self,
        step: &mut Step<'_, '_, '_>,
        source: &str,
    ) -> Result<(), Error> {
        match git_url::parse(source) {
            Some(Err(problem)) => {
                return Err(Reason::GitUrl {
                    url: source.to_owned(),
                    problem,
                }
                .into());
            }
            Some(Ok(git)) if !git.like_a_path => return self.add_git(step, source, git),
            _ => {}
        }
        if git_url::is_http(source) {
            return self.add_http(source);
        }
        self.add_local(step, source)
    }

    fn refuse_in_copy(&self, source: &str) -> Result<(), Reason> {
        match self.transfer.keyword {
            "ADD" => Ok(()),
            instruction => Err(Reason::CannotFetch {
                instruction,
                url: source.to_owned(),
            }),
        }
    }

    fn add_git(
        &mut self,
        step: &Step<'_, '_, '_>,
        url: &str,
        source: git_url::GitSource,
    ) -> Result<(), Error> {
        self.refuse_in_copy(url)?;
        let conflict = |flag| {
            Error::from(Reason::GitUrlConflict {
                flag,
                url: url.to_owned(),
            })
        };
        match (self.keep_git_dir, source.keep_git_dir) {
            (Some(flag), Some(url)) if flag != url => return Err(conflict("--keep-git-dir")),
            (_, Some(url)) => self.keep_git_dir = Some(url),
            _ => {}
        }
        let mut git = source.git;
        if !git.checksum.is_empty() {
            if !self.checksum.is_empty() && self.checksum != git.checksum {
                return Err(conflict("--checksum"));
            }
            self.checksum.clone_from(&git.checksum);
        }
        git.checksum.clone_from(&self.checksum);
        git.keep_git_dir = self.keep_git_dir == Some(true);
        // A URL's mtime is only for contexts; ADD ignores it.
        git.mtime.clear();
        let state = remote::git(
            step.scope.options,
            git,
            Constraints::new().named(self.name.clone()),
        );
        self.copy(
            &state,
            "/",
            Copy {
                create_dest: true,
                ..Copy::default()
            },
        );
        Ok(())
    }

    fn add_http(&mut self, url: &str) -> Result<(), Error> {
        self.refuse_in_copy(url)?;
        remote::check_digest(&self.checksum)?;
        let constraints = Constraints::new()
            .named(self.name.clone())
            .described(COMMAND, "");
        let (state, name) = remote::http(url, &self.checksum, constraints);
        let unpack = self.transfer.unpack.unwrap_or(false);
        self.copy(
            &state,
            &name,
            Copy {
                create_dest: true,
                unpack,
                ..Copy::default()
            },
        );
        Ok(())
    }

    fn add_local(&mut self, step: &mut Step<'_, '_, '_>, source: &str) -> Result<(), Error> {
        if self.transfer.from_context {
            step.lint_source(source);
        }
        if !self.transfer.parents {
            self.lint_excluded(step, source);
        }
        let os = step.stage.os();
        let (root, pattern) = match (self.transfer.parents, source.split_once("/./")) {
            (false, _) => (source, None),
            (true, Some((root, pattern))) => (root, Some(pattern)),
            (true, None) => ("/", Some(source)),
        };
        let mut copy = Copy {
            follow_symlinks: true,
            dir_contents: true,
            unpack: self
                .transfer
                .unpack
                .unwrap_or(self.transfer.keyword == "ADD"),
            create_dest: true,
            allow_wildcard: true,
            allow_empty_wildcard: true,
            ..Copy::default()
        };
        if let Some(pattern) = pattern {
            let pattern = system_path::normalize("/", pattern, os, false)?;
            if !has_wildcards(root) && !has_wildcards(&pattern) {
                let required = path::clean(&format!("{root}/{pattern}"));
                copy.required_paths = vec![system_path::normalize("/", &required, os, false)?];
            }
            copy.include_patterns = vec![pattern.strip_prefix('/').unwrap_or(&pattern).to_owned()];
        }
        let from = system_path::normalize("/", root, os, false)?;
        let source = self.transfer.source.clone();
        self.copy(&source, &from, copy);
        Ok(())
    }

    /// Patterns of `--exclude` apply inside the copied folder, not to the names that a wildcard
    /// matches.
    fn lint_excluded(&self, step: &mut Step<'_, '_, '_>, source: &str) {
        let name = path::base(source);
        if !has_wildcards(source) || source.ends_with('/') {
            return;
        }
        let mut excluded = self.transfer.exclude.iter();
        if let Some(pattern) = excluded.find(|pattern| can_match_both(pattern, name)) {
            let keyword = self.transfer.keyword;
            step.lint(|linter, instruction| {
                linter.excluded_match(instruction, keyword, pattern, source);
            });
        }
    }

    pub(super) fn add_inline(
        &mut self,
        step: &Step<'_, '_, '_>,
        name: &str,
        content: &[u8],
    ) -> Result<(), Error> {
        let name = system_path::without_drive(name, step.stage.os(), false)?;
        let constraints = Constraints::new().named("[internal] preparing inline document");
        let state =
            State::scratch().file(File::new().make_file(&*name, 0o644, content), constraints);
        let from = system_path::to_slash(&name, step.stage.os());
        self.copy(
            &state,
            &from,
            Copy {
                create_dest: true,
                ..Copy::default()
            },
        );
        Ok(())
    }

    fn copy(&mut self, source: &State, from: &str, copy: Copy) {
        let chown = &self.transfer.chown;
        let copy = Copy {
            owner: (!chown.is_empty()).then(|| Owner::parse(chown)),
            mode: self.mode.clone(),
            exclude_patterns: self.transfer.exclude.to_vec(),
            ..copy
        };
        let file = std::mem::take(&mut self.file);
        self.file = file.copy(source, from, self.destination, copy);
    }
}

/// True if some name matches both the pattern of `--exclude` and the last part of the source. Of
/// two patterns only the parts before the first and after the last wildcard are compared.
fn can_match_both(excluded: &str, source: &str) -> bool {
    let excluded = excluded.strip_prefix('/').unwrap_or(excluded);
    let excluded = excluded.strip_suffix('/').unwrap_or(excluded);
    if excluded.is_empty() || excluded.starts_with('!') || excluded.contains('/') {
        return false;
    }
    let matches = |pattern: &str, name: &str| {
        PatternMatcher::new([pattern]).is_ok_and(|pattern| pattern.matches(name))
    };
    match (has_wildcards(excluded), has_wildcards(source)) {
        (false, _) => matches(source, excluded),
        (true, false) => matches(excluded, source),
        (true, true) => {
            let ((start, end), (other_start, other_end)) = (ends(excluded), ends(source));
            (start.starts_with(other_start) || other_start.starts_with(start))
                && (end.ends_with(other_end) || other_end.ends_with(end))
        }
    }
}

/// Returns the parts before the first and after the last wildcard.
fn ends(pattern: &str) -> (&str, &str) {
    const WILDCARDS: [char; 5] = ['*', '?', '[', ']', '\\'];
    let first = pattern.find(WILDCARDS).unwrap_or(pattern.len());
    let last = pattern.rfind(WILDCARDS).map_or(0, |last| last + 1);
    (&pattern[..first], &pattern[last..])
}

/// True if the path has an unescaped `*`, `?` or `[`.
fn has_wildcards(path: &str) -> bool {
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' | b'?' | b'[' => return true,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_both_patterns_match_are_possible_or_not() {
        for (excluded, source) in [
            ("a", "*"),
            ("/a/", "?"),
            ("*.txt", "hom*"),
            ("[ab]", "*"),
            ("*.md", "README.*"),
            ("a*", "a"),
        ] {
            assert!(can_match_both(excluded, source), "{excluded} {source}");
        }
        for (excluded, source) in [
            ("a", "b*"),
            ("**/a", "*"),
            ("x/a", "*"),
            ("!a", "*"),
            ("*.txt", "*.md"),
            ("b*", "a*"),
            ("", "*"),
        ] {
            assert!(!can_match_both(excluded, source), "{excluded} {source}");
        }
    }
}
