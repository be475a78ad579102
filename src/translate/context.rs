//! The main build context.

use super::error::Error;
use super::git_url;
use super::options::{Context, LocalContext};
use super::reason::Reason;
use super::remote;
use super::scope::Scope;
use crate::llb::{self, Constraints, Copy, File, Local, State};

/// The main context; of a local folder only the paths that are used.
pub(super) fn main(scope: &Scope<'_>, follow_paths: &[String]) -> Result<State, Error> {
    match &scope.options.context {
        Context::Local(context) => Ok(main_local(scope, context, follow_paths)),
        Context::State(state) => Ok((**state).clone()),
        Context::Git {
            url,
            keep_git_dir,
            subdir,
        } => {
            let refused = |reason: String| {
                Error::from(Reason::Context {
                    url: url.clone(),
                    reason,
                })
            };
            let mut source = match git_url::parse(url) {
                None => return Err(refused("it is not a git URL".to_owned())),
                Some(source) => source.map_err(refused)?,
            };
            // A wanted epoch makes files have the time of their commit, unless the URL says otherwise.
            let epoch = scope.options.build_args.get("SOURCE_DATE_EPOCH");
            if source.git.mtime.is_empty() && epoch.is_some_and(|epoch| !epoch.is_empty()) {
                "commit".clone_into(&mut source.git.mtime);
            }
            Ok(scoped(
                git(scope, source, url, *keep_git_dir),
                subdir.as_deref(),
            ))
        }
        Context::Http {
            url,
            archive,
            subdir,
        } => {
            let constraints = Constraints::new().named("[internal] load remote build context");
            let file = llb::http(url, "context", "", constraints);
            let unpacked = match archive {
                true => {
                    let copy = Copy {
                        unpack: true,
                        ..Copy::default()
                    };
                    State::scratch().file(
                        File::new().copy(&file, "/context", "/", copy),
                        Constraints::new(),
                    )
                }
                false => file,
            };
            Ok(scoped(unpacked, subdir.as_deref()))
        }
    }
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

/// Only this folder of the context.
fn scoped(context: State, subdir: Option<&str>) -> State {
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

/// A git repository as a context.
pub(super) fn git(
    scope: &Scope<'_>,
    mut source: git_url::GitSource,
    url: &str,
    keep_git_dir: bool,
) -> State {
    source.git.keep_git_dir = keep_git_dir || source.keep_git_dir == Some(true);
    remote::git(
        scope,
        source.git,
        Constraints::new().named(format!("[internal] load git source {url}")),
    )
}
