//! Policies beside Dockerfiles (`Dockerfile.rego`): buildx obeys them, this does not evaluate them yet. A build that ignored one
//! could use what its owner forbids, so it is refused.

use std::io;
use std::path::{Path, PathBuf};

use super::DockerfileRead;
use crate::pipeline::{BuildRequest, Error, Inputs};

/// What is done about a policy that stands beside the Dockerfile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PolicyUse {
    /// A build with one is refused.
    #[default]
    Refuse,
    /// None counts.
    Disabled,
}

/// Refuses a build whose Dockerfile, on this machine, has a policy.
pub(in crate::pipeline) fn check(request: &BuildRequest, inputs: &Inputs) -> Result<(), Error> {
    match &inputs.dockerfile {
        DockerfileRead::Text {
            path,
            on_disk: true,
            ..
        } if request.policy == PolicyUse::Refuse => check_file(path),
        _ => Ok(()),
    }
}

fn check_file(dockerfile: &Path) -> Result<(), Error> {
    let mut path = dockerfile.as_os_str().to_owned();
    path.push(".rego");
    let path = PathBuf::from(path);
    match std::fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // What cannot be looked at may be one.
        _ => Err(Error::Policy {
            file: path.display().to_string(),
        }),
    }
}
