//! The context argument, `-f` and `--build-context`: the inputs of a build.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Component, Path, PathBuf};

use clap::ValueHint;
use solvekit::builder::BuildState;
use solvekit::pipeline::{
    BuildRequest, DockerfileFrom, Folders, InputStream, MainContext, NamedContext, context_name,
};

use super::headings::BUILD;
use crate::cli::report::usage::BuildUsage;
use crate::cli::report::{Failure, build_failure};

#[derive(Debug, clap::Args)]
pub(crate) struct ContextArgs {
    /// The build context that COPY and ADD read: a folder, the URL of a git repository or of a tar
    /// archive, or - for an archive or a Dockerfile on stdin
    #[arg(value_name = "PATH|URL|-", value_hint = ValueHint::DirPath)]
    context: String,

    #[command(flatten)]
    files: FileArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = BUILD)]
pub(crate) struct FileArgs {
    /// Read this Dockerfile: a path, a URL, or - for stdin [default: Dockerfile in the context]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<String>,

    /// Exclude from the context what this file says, instead of .dockerignore
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    ignorefile: Option<PathBuf>,

    /// Add a named context for FROM, COPY --from and RUN --mount: NAME=PATH, or NAME= and a
    /// docker-image://, oci-layout://, target: or other URL; repeatable
    #[arg(long, value_name = "NAME=CONTEXT")]
    build_context: Vec<String>,
}

impl ContextArgs {
    /// A request to build this context.
    pub(crate) fn request(&self) -> Result<BuildRequest, Failure> {
        self.files.request(&self.context)
    }

    /// Replaces the context and the Dockerfile.
    pub(crate) fn replace(&mut self, context: Option<String>, dockerfile: Option<String>) {
        self.context = context.unwrap_or_else(|| std::mem::take(&mut self.context));
        self.files.file = dockerfile.or(self.files.file.take());
    }

    /// The context as given.
    pub(crate) fn context(&self) -> &str {
        &self.context
    }

    /// True if the context or the Dockerfile comes on stdin.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.context == "-" || self.files.file.as_deref() == Some("-")
    }

    /// The inputs for the record of a build: local contexts and Dockerfiles as absolute paths.
    pub(crate) fn state(&self) -> BuildState {
        let context = self.context.as_str();
        let file = self.files.file.as_deref().unwrap_or_default();
        let is_remote =
            |text: &str| text == "-" || (text.contains(':') && !Path::new(text).exists());
        let is_folder = !is_remote(context);
        BuildState {
            target: "default".to_owned(),
            local_path: match is_folder {
                true => absolute(context),
                false => context.to_owned(),
            },
            dockerfile_path: match is_folder && !file.is_empty() && !is_remote(file) {
                true => absolute(file),
                false => file.to_owned(),
            },
            ..BuildState::default()
        }
    }
}

impl FileArgs {
    /// A request to build a context with this Dockerfile and these named contexts.
    pub(crate) fn request(&self, context: &str) -> Result<BuildRequest, Failure> {
        let stdin = InputStream::new(std::io::stdin());
        let mut request = BuildRequest::new(main_context(context, &stdin)?);
        request.folders = Folders::from_environment();
        request.dockerfile = match &self.file {
            None => None,
            Some(file) => Some(dockerfile(file, &stdin)?),
        };
        let uses_stdin = context == "-" || self.file.as_deref() == Some("-");
        if uses_stdin && std::io::stdin().is_terminal() {
            return Err(BuildUsage::ContextFromTerminal.into());
        }
        request.ignore_file.clone_from(&self.ignorefile);
        request.contexts = named_contexts(&self.build_context)?;
        Ok(request)
    }
}

/// The context for the record of a build: absolute if it is a local folder.
pub(crate) fn absolute_context(text: &str) -> String {
    match text.contains(':') && !Path::new(text).exists() {
        true => text.to_owned(),
        false => absolute(text),
    }
}

/// An absolute path without `.` and `..`; the path need not exist.
fn absolute(path: &str) -> String {
    let mut clean = PathBuf::new();
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean.to_string_lossy().into_owned()
}

/// An existing folder is a folder, even if its name looks like a URL.
fn main_context(text: &str, stdin: &InputStream) -> Result<MainContext, Failure> {
    match text {
        "-" => Ok(MainContext::Stream(stdin.clone())),
        _ if Path::new(text).is_dir() => Ok(text.into()),
        _ => text
            .parse()
            .map_err(|error| build_failure::before_daemon(&error)),
    }
}

fn dockerfile(text: &str, stdin: &InputStream) -> Result<DockerfileFrom, Failure> {
    match text {
        "-" => Ok(DockerfileFrom::Stream(stdin.clone())),
        _ if Path::new(text).is_file() => Ok(text.into()),
        _ => text
            .parse()
            .map_err(|error| build_failure::before_daemon(&error)),
    }
}

/// Parses `NAME=CONTEXT`. The last value of a name wins, and an empty text is ignored, as in
/// buildx.
fn named_contexts(given: &[String]) -> Result<BTreeMap<String, NamedContext>, Failure> {
    let mut contexts = BTreeMap::new();
    for text in given.iter().filter(|text| !text.is_empty()) {
        let (name, context) = text
            .split_once('=')
            .ok_or_else(|| BuildUsage::ContextWithoutName(text.clone()))?;
        let failed = |error| build_failure::before_daemon(&error);
        let name = context_name(name).map_err(failed)?;
        let context = match Path::new(context).is_dir() {
            true => context.into(),
            false => context.parse().map_err(failed)?,
        };
        contexts.insert(name, context);
    }
    Ok(contexts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(given: &[&str]) -> Result<BTreeMap<String, NamedContext>, Failure> {
        named_contexts(
            &given
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn named_contexts_are_looked_up_as_images_are() {
        let contexts = named(&[
            "",
            "docker.io/library/alpine:latest=docker-image://busybox",
            "data=.",
            "data=git://host/r.git",
        ])
        .unwrap();
        assert_eq!(contexts.keys().collect::<Vec<_>>(), ["alpine", "data"]);
        assert!(
            matches!(&contexts["data"], NamedContext::Remote(url) if url == "git://host/r.git")
        );
    }

    #[test]
    fn mistakes_in_named_contexts_are_refused() {
        for text in ["data", "=.", "UPPER=.", "a=", "a=s3://bucket", "a=target:"] {
            assert!(named(&[text]).is_err(), "{text}");
        }
    }
}
