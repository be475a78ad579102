//! ADD and COPY in common: one file op with an action for each source.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::error::Error;
use super::super::git_url;
use super::super::reason::Reason;
use super::super::stage::Layer;
use super::Step;
use super::copy_actions::Actions;
use super::{chmod, system_path};
use crate::dockerfile::{Lexer, Sources};
use crate::llb::{self, Cap, Constraints, File, ProgressGroup, State};
use crate::oci::Platform;

/// An ADD or COPY with its words expanded.
pub(super) struct Transfer<'t> {
    /// `ADD` or `COPY`.
    pub(super) keyword: &'static str,
    pub(super) paths: Vec<Cow<'t, str>>,
    /// The names and contents of heredocs.
    pub(super) inline: Vec<(&'t str, Cow<'t, [u8]>)>,
    pub(super) destination: Cow<'t, str>,
    pub(super) chown: Cow<'t, str>,
    pub(super) chmod: Cow<'t, str>,
    pub(super) exclude: &'t [String],
    pub(super) link: bool,
    pub(super) parents: bool,
    pub(super) checksum: Cow<'t, str>,
    pub(super) keep_git_dir: Option<bool>,
    pub(super) unpack: Option<bool>,
    /// True if local sources come from the main context.
    pub(super) from_context: bool,
    /// The file system of local sources.
    pub(super) source: State,
}

/// Sources and destination, expanded. The contents of heredocs keep their quotes, and their escape
/// character is always `\`.
pub(super) struct Expanded<'t> {
    pub(super) paths: Vec<Cow<'t, str>>,
    pub(super) inline: Vec<(&'t str, Cow<'t, [u8]>)>,
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
                true => bytes(step.expand_with(&raw, &file.content)?),
                false => Cow::Borrowed(file.bytes()),
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

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
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
    let stage = &mut *step.stage;
    let name = stage
        .steps
        .next(&shown, platform.as_deref(), Some(stage.state.env()));
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

/// Copies into a layer of its own, which stays valid when the layers below change.
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
    let (session, index) = (&step.scope.options.session_id, steps.index.to_string());
    let id: Arc<str> = [session, &target, &steps.stage, &index]
        .map(String::as_str)
        .join("/")
        .into();
    let group = |weak| ProgressGroup {
        id: id.clone(),
        name: name.clone(),
        weak,
    };
    steps.back();
    let merged_name = steps.next(
        &["LINK ", shown].concat(),
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
    let paths = transfer.paths.iter().map(|path| path.len() + 1);
    let inline = transfer.inline.iter().map(|(name, _)| name.len() + 3);
    let others = [&transfer.destination, &transfer.chown, &transfer.chmod].map(|word| word.len());
    let size = paths.chain(inline).chain(others).sum::<usize>();
    let mut text = String::with_capacity(size + 64);
    text.push_str(transfer.keyword);
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

/// Returns the destination as an absolute path; an empty path and `.` are the working directory.
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
