//! Hints for a context or Dockerfile that cannot be read: a similar name, or the credentials that
//! git needs.

use std::path::Path;

use solvekit::pipeline::{Error, PolicyError};
use solvekit::policy::{FileError, LoadError};
use solvekit::{frontend, layout};

use super::daemon_text::for_git;
use super::failure::with_causes;

/// The next step, if the failure is about an input of the build.
pub(crate) fn for_context(error: &Error) -> Option<String> {
    let text = match error {
        Error::Context { near, .. } => match near {
            Some(near) => return Some(did_you_mean(near)),
            None => "the last argument is the folder that COPY and ADD read, often '.'",
        },
        Error::ContextNotAFolder { .. } => {
            "the last argument is the folder that COPY and ADD read, often '.'"
        }
        Error::Dockerfile {
            near: Some(near), ..
        } => return Some(format!("did you mean -f {}?", near.display())),
        Error::Dockerfile { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            "name it with -f FILE, or give the folder that holds it as the context"
        }
        // The context is fetched to read the policy in it, before anything else.
        Error::Policy(PolicyError::Load(load)) => match &**load {
            LoadError::File(FileError::Remote { source, .. }) => return for_context(source),
            _ => return None,
        },
        Error::LeadsOut { .. } => {
            "what a context holds is read inside of it only: put a copy of the file there, or name \
             one elsewhere with -f FILE"
        }
        Error::NotRegular { .. } => "put a regular file there",
        Error::NamedContext { name, source } => return for_named(name, source),
        Error::EmptyStream => {
            "pipe a tar archive or a Dockerfile into it, for example: tar -c . | solvekit build -"
        }
        Error::StreamTwice => {
            "put the Dockerfile into the archive and name it with -f, or give the context as a \
             folder"
        }
        Error::StreamIsNoArchive => {
            "leave out -f to build the Dockerfile from stdin, or pipe in a tar archive with the \
             Dockerfile that -f names"
        }
        Error::Frontend(frontend::Error::Context { .. }) => {
            return for_git(&with_causes(error));
        }
        Error::Frontend(frontend::Error::Dockerfile { .. }) => {
            "-f names a file of the context that is fetched; for one of this machine give an \
             absolute path"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// The next step if a named context cannot be read.
fn for_named(name: &str, error: &Error) -> Option<String> {
    let text = match error {
        Error::LeadsOut { .. } | Error::NotRegular { .. } => return for_context(error),
        Error::Context {
            near: Some(near), ..
        } => return Some(did_you_mean(near)),
        Error::Layout(layout::Error::NoImage {
            path, available, ..
        }) if !available.is_empty() => {
            let (path, tag) = (path.display(), &available[0]);
            return Some(format!(
                "add the tag: --build-context {name}=oci-layout://{path}:{tag}"
            ));
        }
        Error::Layout(layout::Error::NoIndex { .. }) => {
            "an OCI layout is a folder such as --output type=oci,tar=false,dest=FOLDER writes"
        }
        _ => {
            "write --build-context NAME=PATH with the path of a folder, or \
             NAME=docker-image://IMAGE"
        }
    };
    Some(text.to_owned())
}

fn did_you_mean(near: &Path) -> String {
    format!("did you mean {}?", near.display())
}
