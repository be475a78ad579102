//! The main build context.

use super::error::Error;
use super::git_url;
use super::options::{Context, LocalContext, Options};
use super::problem::ContextProblem;
use super::reason::Reason;
use super::remote;
use super::scope::Scope;
use crate::llb::{self, Constraints, Copy, File, Local, State};
use crate::text::redact_url;

/// Returns the main context; for a local folder, restricted to the used paths.
pub(super) fn main(scope: &Scope<'_>, follow_paths: &[String]) -> Result<State, Error> {
    let subdir = match &scope.options.context {
        Context::Local(context) => return Ok(main_local(scope, context, follow_paths)),
        Context::State(state) => return Ok((**state).clone()),
        Context::Git { subdir, .. } | Context::Http { subdir, .. } => subdir.as_deref(),
    };
    let whole = scope.options.remote_context()?.unwrap_or_default();
    Ok(scoped(whole, subdir))
}

impl Options {
    /// Returns the main context if it is remote. It is the whole source, not only `subdir`: the
    /// Dockerfile is looked up there.
    ///
    /// # Errors
    /// [`Error`] for a malformed git URL.
    pub fn remote_context(&self) -> Result<Option<State>, Error> {
        match &self.context {
            Context::Local(_) | Context::State(_) => Ok(None),
            Context::Git {
                url, keep_git_dir, ..
            } => main_git(self, url, *keep_git_dir).map(Some),
            Context::Http { url, archive, .. } => Ok(Some(main_http(url, *archive))),
        }
    }
}

fn main_git(options: &Options, url: &str, keep_git_dir: bool) -> Result<State, Error> {
    let refused = |reason| {
        Error::from(Reason::Context {
            url: url.to_owned(),
            reason,
        })
    };
    let mut source = match git_url::parse(url) {
        None => {
            return Err(refused(ContextProblem::NotGit {
                url: redact_url(url),
            }));
        }
        Some(source) => source.map_err(|problem| refused(ContextProblem::Git(problem)))?,
    };
    // With an epoch, files get the time of their commit, unless the URL sets another mtime.
    let epoch = options.build_args.get("SOURCE_DATE_EPOCH");
    if source.git.mtime.is_empty() && epoch.is_some_and(|epoch| !epoch.is_empty()) {
        "commit".clone_into(&mut source.git.mtime);
    }
    Ok(git(options, source, url, keep_git_dir))
}

fn main_http(url: &str, archive: bool) -> State {
    let constraints = Constraints::new().named("[internal] load remote build context");
    let file = llb::http(url, &llb::Http::named("context"), constraints);
    if !archive {
        return file;
    }
    let copy = Copy {
        unpack: true,
        ..Copy::default()
    };
    State::scratch().file(
        File::new().copy(&file, "/context", "/", copy),
        Constraints::new(),
    )
}

fn main_local(scope: &Scope<'_>, context: &LocalContext, follow_paths: &[String]) -> State {
    let transfer = Local {
        session: session(scope, context),
        shared_key_hint: context.name.clone(),
        exclude_patterns: context.exclude_patterns.clone(),
        follow_paths: follow_paths.to_vec(),
        ..Local::default()
    };
    llb::local(
        &context.name,
        &transfer,
        Constraints::new().named("[internal] load build context"),
    )
}

pub(super) fn session(scope: &Scope<'_>, context: &LocalContext) -> String {
    context
        .session_id
        .as_ref()
        .unwrap_or(&scope.options.session_id)
        .clone()
}

/// Returns the context restricted to this folder.
pub fn scoped(context: State, subdir: Option<&str>) -> State {
    let Some(subdir) = subdir else { return context };
    let copy = Copy {
        dir_contents: true,
        ..Copy::default()
    };
    State::scratch().file(
        File::new().copy(&context, subdir, "/", copy),
        Constraints::new(),
    )
}

/// Returns a git repository as a context. The daemon shows its step and keeps it in the history, so
/// its name has no password.
pub(super) fn git(
    options: &Options,
    mut source: git_url::GitSource,
    url: &str,
    keep_git_dir: bool,
) -> State {
    source.git.keep_git_dir = keep_git_dir || source.keep_git_dir == Some(true);
    remote::git(
        options,
        source.git,
        Constraints::new().named(format!("[internal] load git source {}", redact_url(url))),
    )
}
