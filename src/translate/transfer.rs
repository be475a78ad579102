//! What ADD and COPY have in common: one file op with an action for each source.

use std::borrow::Cow;
use std::sync::Arc;

use super::base::COMMAND;
use super::dispatch::Step;
use super::error::Error;
use super::reason::Reason;
use super::stage::Layer;
use super::{chmod, git_url, remote, system_path};
use crate::dockerfile::{Lexer, Sources};
use crate::llb::{self, Cap, Constraints, Copy, File, Mode, Owner, ProgressGroup, State, path};
use crate::oci::Platform;

/// An ADD or COPY with its words expanded.
pub(super) struct Transfer<'t> {
    /// `ADD` or `COPY`.
    pub(super) keyword: &'static str,
    pub(super) paths: Vec<Cow<'t, str>>,
    /// Names and contents.
    pub(super) inline: Vec<(&'t str, Cow<'t, str>)>,
    pub(super) destination: Cow<'t, str>,
    pub(super) chown: Cow<'t, str>,
    pub(super) chmod: Cow<'t, str>,
    pub(super) exclude: &'t [String],
    pub(super) link: bool,
    pub(super) parents: bool,
    pub(super) checksum: Cow<'t, str>,
    pub(super) keep_git_dir: Option<bool>,
    pub(super) unpack: Option<bool>,
    /// Local sources come from the main context.
    pub(super) from_context: bool,
    /// Where local sources come from.
    pub(super) source: State,
}

/// Sources and destination, expanded. The contents of heredocs keep their quotes, and `\` escapes in them whatever the file says.
pub(super) struct Expanded<'t> {
    pub(super) paths: Vec<Cow<'t, str>>,
    pub(super) inline: Vec<(&'t str, Cow<'t, str>)>,
    pub(super) destination: Cow<'t, str>,
}

impl<'t> Expanded<'t> {
    pub(super) fn new(step: &mut Step<'_, '_, '_>, sources: &'t Sources) -> Result<Self, Error> {
        let mut paths = Vec::with_capacity(sources.paths.len());
        for path in &sources.paths {
            paths.push(step.expand(path)?);
        }
        let destination = step.expand(&sources.destination)?;
        let raw = Lexer {
            ignore_quotes: true,
            ..Lexer::new('\\')
        };
        let mut inline = Vec::with_capacity(sources.inline.len());
        for file in &sources.inline {
            let content = match file.expand {
                true => step.expand_with(&raw, &file.content)?,
                false => Cow::Borrowed(file.content.as_str()),
            };
            inline.push((file.name.as_str(), content));
        }
        Ok(Self {
            paths,
            inline,
            destination,
        })
    }
}

/// Copies everything into the stage.
pub(super) fn dispatch(step: &mut Step<'_, '_, '_>, transfer: &Transfer<'_>) -> Result<(), Error> {
    let destination = destination(step, &transfer.destination)?;
    let mode = match &*transfer.chmod {
        "" => None,
        mode => {
            let refused = || Reason::Mode {
                mode: mode.to_owned(),
            };
            Some(chmod::parse(mode).ok_or_else(refused)?)
        }
    };
    check_checksum(transfer)?;
    let shown = step.shown();
    let platform = step.stage.platform.clone();
    let name = step
        .stage
        .steps
        .next(&shown, platform.as_deref(), Some(step.stage.state.env()));
    let name: Arc<str> = name.into();
    let mut actions = Actions {
        transfer,
        mode,
        destination: &destination,
        name: name.clone(),
        checksum: transfer.checksum.to_string(),
        keep_git_dir: transfer.keep_git_dir,
        file: File::new(),
    };
    for path in &transfer.paths {
        actions.add_path(step, path)?;
    }
    for (file_name, content) in &transfer.inline {
        actions.add_inline(step, file_name, content)?;
    }
    let file = actions.file;
    let constraints = Constraints::new()
        .named(name.clone())
        .at(step.scope.location(Some(step.instruction.span)))
        .ignoring_cache(step.stage.ignore_cache);
    let linked = transfer.link
        && transfer.chmod.is_empty()
        && step.scope.options.caps.contains(Cap::MergeOp);
    match linked {
        true => link(step, file, constraints, &name, &shown, platform.as_deref()),
        false => step.stage.update(|state| state.file(file, constraints)),
    }
    step.commit(history(transfer), Layer::Marked);
    Ok(())
}

/// The copy in a layer of its own, which stays valid when what is below changes.
fn link(
    step: &mut Step<'_, '_, '_>,
    file: File,
    constraints: Constraints,
    name: &Arc<str>,
    shown: &str,
    platform: Option<&Platform>,
) {
    let steps = &mut step.stage.steps;
    let target = platform.map(Platform::format_all).unwrap_or_default();
    let id = format!(
        "{}/{target}/{}/{}",
        step.scope.options.session_id, steps.stage, steps.index
    );
    let group = |weak| ProgressGroup {
        id: Arc::from(id.as_str()),
        name: name.clone(),
        weak,
    };
    steps.back();
    let merged_name = steps.next(
        &format!("LINK {shown}"),
        platform,
        Some(step.stage.state.env()),
    );
    let copied = State::scratch().file(file, constraints.clone().in_group(group(true)));
    let merged = constraints.in_group(group(false)).named(merged_name);
    step.stage.update(|state| {
        let files = llb::merge(&[state.clone(), copied], merged);
        state.with_files_of(&files)
    });
}

fn history(transfer: &Transfer<'_>) -> String {
    let mut text = String::from(transfer.keyword);
    let mut word = |prefix: &str, word: &str| {
        text.push(' ');
        text.push_str(prefix);
        text.push_str(word);
    };
    if transfer.parents {
        word("", "--parents");
    }
    for (flag, value) in [("--chown=", &transfer.chown), ("--chmod=", &transfer.chmod)] {
        if !value.is_empty() {
            word(flag, value);
        }
    }
    for path in &transfer.paths {
        word("", path);
    }
    for (name, _) in &transfer.inline {
        word("<<", name);
    }
    word("", &transfer.destination);
    text
}

/// The destination as an absolute path; nothing and `.` are the working directory.
fn destination(step: &Step<'_, '_, '_>, given: &str) -> Result<String, Reason> {
    let os = step.stage.os();
    let given = system_path::without_drive(given, os, true)?;
    if system_path::is_absolute(&given, os) {
        return system_path::normalize("/", &given, os, true);
    }
    let given = if matches!(&*given, "" | ".") {
        "./"
    } else {
        &given
    };
    system_path::normalize(step.stage.state.dir(), given, os, true)
}

fn check_checksum(transfer: &Transfer<'_>) -> Result<(), Reason> {
    if transfer.checksum.is_empty() {
        return Ok(());
    }
    match transfer.paths.as_slice() {
        [path] if git_url::is_http(path) || matches!(git_url::parse(path), Some(Ok(_))) => Ok(()),
        [path] => Err(Reason::ChecksumOfFile {
            path: path.to_string(),
        }),
        paths => Err(Reason::ChecksumOfMany { count: paths.len() }),
    }
}

/// The actions of one file op.
struct Actions<'t> {
    transfer: &'t Transfer<'t>,
    mode: Option<Mode>,
    destination: &'t str,
    name: Arc<str>,
    /// Of this source; a URL may bring its own, which then holds for later ones too.
    checksum: String,
    keep_git_dir: Option<bool>,
    file: File,
}

impl Actions<'_> {
    fn add_path(&mut self, step: &mut Step<'_, '_, '_>, source: &str) -> Result<(), Error> {
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
        // A URL's mtime is for contexts; ADD does not take it over.
        git.mtime.clear();
        let state = remote::git(step.scope, git, Constraints::new().named(self.name.clone()));
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

    fn add_inline(
        &mut self,
        step: &Step<'_, '_, '_>,
        name: &str,
        content: &str,
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

/// Does the path hold `*`, `?` or `[` that are not escaped?
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
