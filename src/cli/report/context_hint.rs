//! What to do next when a context or a Dockerfile cannot be read: the nearest name, what git wants to have.

use std::path::Path;

use solvekit::pipeline::Error;
use solvekit::{frontend, layout};

use super::hint::full;

/// The next step, for a failure that is about an input of the build.
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
        Error::LeadsOut { .. } => {
            "what a context holds is read inside of it only: put a copy of the file there, or name one elsewhere with -f FILE"
        }
        Error::NotRegular { .. } => "put a regular file there",
        Error::NamedContext { name, source } => match &**source {
            Error::LeadsOut { .. } | Error::NotRegular { .. } => return for_context(source),
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
                "write --build-context NAME=PATH with the path of a folder, or NAME=docker-image://IMAGE"
            }
        },
        Error::EmptyStream => {
            "pipe a tar archive or a Dockerfile into it, for example: tar -c . | solvekit build -"
        }
        Error::StreamTwice => {
            "put the Dockerfile into the archive and name it with -f, or give the context as a folder"
        }
        Error::StreamIsNoArchive => {
            "leave out -f to build the Dockerfile from stdin, or pipe in a tar archive with the Dockerfile that -f names"
        }
        Error::Frontend(frontend::Error::Context { .. }) => {
            return for_git(&full(error));
        }
        Error::Frontend(frontend::Error::Dockerfile { .. }) => {
            "-f names a file of the context that is fetched; for one of this machine give an absolute path"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

fn did_you_mean(near: &Path) -> String {
    format!("did you mean {}?", near.display())
}

/// True if git was given no token, and the server wants one.
pub(crate) fn wants_login(message: &str) -> bool {
    let signs = ["could not read Username for", "could not read Password for"];
    signs.iter().any(|sign| message.contains(sign))
}

/// What git wants to have, by what it says.
pub(crate) fn for_git(message: &str) -> Option<String> {
    let says = |signs: &[&str]| signs.iter().any(|sign| message.contains(sign));
    let text = if wants_login(message) {
        "the git server wants a login: give a token with --secret id=GIT_AUTH_TOKEN,env=GIT_AUTH_TOKEN or \
         --secret id=GIT_AUTH_TOKEN,src=FILE (for one server only: id=GIT_AUTH_TOKEN.HOST; for a whole header: \
         id=GIT_AUTH_HEADER); a variable of the environment is used only when --secret names it"
    } else if says(&["Authentication failed for", "HTTP Basic: Access denied"]) {
        "the git server does not take the token of the secret GIT_AUTH_TOKEN (or the header of GIT_AUTH_HEADER): give one \
         that may read this repository"
    } else if says(&["ssh forward key", "no SSH key", "no ssh handler"]) {
        "git over ssh uses your SSH agent: start one, `ssh-add` a key, and build with --ssh default"
    } else if says(&[
        "Permission denied (publickey",
        "Too many authentication failures",
    ]) {
        "the git server takes none of the keys: `ssh-add` one that may read this repository, and build with --ssh default"
    } else if says(&["does not contain ref", "couldn't find remote ref"]) {
        "a branch, tag or commit comes after #, a folder after that: URL#main:folder"
    } else {
        return None;
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_git_server_s_refusal_says_what_to_give() {
        let hint = |message: &str| for_git(message).unwrap();
        let no_token = "fatal: could not read Username for 'https://h': terminal prompts disabled";
        assert!(hint(no_token).contains("--secret id=GIT_AUTH_TOKEN"));
        assert!(hint("git@h: Permission denied (publickey).").contains("ssh-add"));
        assert!(hint("no SSH key \"default\" forwarded").contains("--ssh default"));
        assert!(for_git("exit code: 1").is_none());
    }
}
