//! A commit and the differences in the working tree, as reported by `git`.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use solvekit::bake::{ChangeKind, ChangedPath};
use solvekit_host::{files, names};

use crate::cli::report::Failure;
use crate::cli::report::usage::BakeUsage;

/// The size limit of git's output, in bytes: paths of millions of files.
const MAX_ANSWER: u64 = 256 << 20;
/// The size limit of git's error message, in bytes.
const MAX_COMPLAINT: u64 = 4096;
/// The modes of symbolic links and submodules in git's trees.
const LEAD_ON: [&str; 2] = ["120000", "160000"];

/// A commit of the repository that contains a folder.
#[derive(Debug)]
pub(super) struct Commit {
    root: PathBuf,
    id: String,
    time: i64,
}

impl Commit {
    /// Finds the commit that `reference` names.
    pub(super) fn find(folder: &Path, reference: &str) -> Result<Self, Failure> {
        let root = line(&git(folder, &["rev-parse", "--show-toplevel"])?);
        let root = root.ok_or(BakeUsage::NoRepository)?;
        let root = files::canonical(&names::path(&root));
        let root = root.map_err(|error| {
            Failure::new(format!("cannot find the repository's folder: {error}"))
        })?;
        let unknown = || BakeUsage::UnknownCommit(reference.to_owned());
        let named = format!("{reference}^{{commit}}");
        let found = git(
            &root,
            &[
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                &named,
            ],
        )?;
        let id = line(&found).ok_or_else(unknown)?;
        let id = String::from_utf8_lossy(&id).into_owned();
        let time = line(&git(&root, &["show", "-s", "--format=%ct", &id])?);
        let time = time.and_then(|time| String::from_utf8_lossy(&time).parse().ok());
        Ok(Self {
            root,
            id,
            time: time.ok_or_else(unknown)?,
        })
    }

    /// The top-level folder of the repository.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The commit time, in seconds since the Unix epoch.
    pub(super) fn time(&self) -> i64 {
        self.time
    }

    /// The paths that differ from the commit in the working tree, and those that are untracked or
    /// that git was told to ignore.
    pub(super) fn changes(&self) -> Result<Vec<ChangedPath>, Failure> {
        let differences = self.ask(&[
            "diff",
            "--raw",
            "-z",
            "--no-renames",
            "--ignore-submodules=none",
            "--no-relative",
            &self.id,
            "--",
        ])?;
        let mut changes = differing(&differences);
        changes.extend(unrecorded(&self.ask(&["ls-files", "--others", "-z"])?));
        let hidden = self.ask(&["ls-files", "-v", "-z"])?;
        let is_there =
            |change: &ChangedPath| self.root.join(&change.path).symlink_metadata().is_ok();
        changes.extend(unobserved(&hidden).into_iter().filter(is_there));
        Ok(changes)
    }

    /// The content of a file at the commit; `path` is relative to the repository. `None` if it did
    /// not exist.
    pub(super) fn file(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        let object = format!("{}:{path}", self.id);
        git(&self.root, &["cat-file", "blob", &object]).map(|answer| answer.ok())
    }

    fn ask(&self, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
        let answer = git(&self.root, arguments)?;
        answer.map_err(|complaint| {
            let command = arguments.first().unwrap_or(&"");
            Failure::new(format!("git {command} failed: {complaint}"))
        })
    }
}

/// Parses the output of `diff --raw -z`: `:MODE MODE ID ID STATUS`, then the path.
fn differing(answer: &[u8]) -> Vec<ChangedPath> {
    let mut fields = answer.split(|&byte| byte == 0);
    let mut changes = Vec::new();
    while let (Some(about), Some(path)) = (fields.next(), fields.next()) {
        let about = String::from_utf8_lossy(about);
        let mut modes = about.trim_start_matches(':').split(' ').take(2);
        let mut change = ChangedPath::new(names::path(path), ChangeKind::Differs);
        change.leads_on = modes.any(|mode| LEAD_ON.contains(&mode));
        changes.push(change);
    }
    changes
}

/// Parses the output of `ls-files --others -z`; the folder of another repository ends with `/`.
fn unrecorded(answer: &[u8]) -> Vec<ChangedPath> {
    let paths = answer
        .split(|&byte| byte == 0)
        .filter(|path| !path.is_empty());
    let changes = paths.map(|path| {
        let folder = path.strip_suffix(b"/");
        let name = names::path(folder.unwrap_or(path));
        let mut change = ChangedPath::new(name, ChangeKind::Unrecorded);
        change.leads_on = folder.is_some();
        change
    });
    changes.collect()
}

/// The paths in the output of `ls-files -v -z` with a lower-case letter (assume-unchanged) or `S`
/// (skip-worktree).
fn unobserved(answer: &[u8]) -> Vec<ChangedPath> {
    let entries = answer.split(|&byte| byte == 0);
    let unobserved = entries.filter_map(|entry| match entry {
        [tag, b' ', path @ ..] if tag.is_ascii_lowercase() || *tag == b'S' => Some(path),
        _ => None,
    });
    unobserved
        .map(|path| ChangedPath::new(names::path(path), ChangeKind::Unrecorded))
        .collect()
}

/// The first line without its newline; `None` if git failed or printed nothing.
fn line(answer: &Result<Vec<u8>, String>) -> Option<Vec<u8>> {
    let text = answer.as_ref().ok()?;
    let line = text.split(|&byte| byte == b'\n').next()?;
    (!line.is_empty()).then(|| line.to_vec())
}

/// The output of git, or its error message.
fn git(folder: &Path, arguments: &[&str]) -> Result<Result<Vec<u8>, String>, Failure> {
    let failed = |error| Failure::from(BakeUsage::NoGit(error));
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments);
    // Take no locks in the repository: other git commands may be running.
    command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let complaint = child.stderr.take().map(|stderr| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let mut stderr = stderr;
            let read = std::io::Read::by_ref(&mut stderr)
                .take(MAX_COMPLAINT)
                .read_to_end(&mut text);
            // Read the rest too, so that git does not block.
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
            read.map(|_| text).unwrap_or_default()
        })
    });
    let mut answer = Vec::new();
    let read = match child.stdout.take() {
        Some(stdout) => stdout.take(MAX_ANSWER + 1).read_to_end(&mut answer),
        None => Ok(0),
    };
    let status = child.wait().map_err(failed)?;
    read.map_err(failed)?;
    let complaint = complaint
        .and_then(|reading| reading.join().ok())
        .unwrap_or_default();
    if answer.len() as u64 > MAX_ANSWER {
        return Err(Failure::new(format!(
            "git lists more than {MAX_ANSWER} bytes of paths, which is not compared"
        )));
    }
    Ok(match status.success() {
        true => Ok(answer),
        false => Err(String::from_utf8_lossy(&complaint).trim().to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_other_repositories_lead_on() {
        let answer = b":100644 100755 a b M\0run.sh\0:120000 000000 a 0 D\0link\0:160000 160000 a \
                       0 M\0sub\0";
        let changes = differing(answer);
        let found: Vec<(&str, bool)> = changes
            .iter()
            .map(|it| (it.path.to_str().unwrap(), it.leads_on))
            .collect();
        assert_eq!(found, [("run.sh", false), ("link", true), ("sub", true)]);
        assert!(differing(b"").is_empty());
    }

    #[test]
    fn what_git_does_not_look_at_is_unrecorded() {
        let others = unrecorded(b"dist/a b.js\0nested/\0");
        assert_eq!(others[0].path, Path::new("dist/a b.js"));
        assert!(!others[0].leads_on && others[1].leads_on);
        assert_eq!(others[1].path, Path::new("nested"));
        let hidden = unobserved(b"H seen\0h assumed\0S skipped\0");
        let paths: Vec<&Path> = hidden.iter().map(|it| it.path.as_path()).collect();
        assert_eq!(paths, [Path::new("assumed"), Path::new("skipped")]);
        assert!(hidden.iter().all(|it| it.kind == ChangeKind::Unrecorded));
    }
}
