//! `BUILDX_GIT_INFO` and `BUILDX_GIT_LABELS`: the context's repository and commit in the history,
//! in the request of a full provenance, and in the image's labels, with buildx's names.

use std::path::{Path, PathBuf};

use solvekit::pipeline::{BuildRequest, DockerfileFrom, MainContext};

use super::git_repository::Repository;
use super::values;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::terminal::warn;

const REVISION_LABEL: &str = "org.opencontainers.image.revision";
const SOURCE_LABEL: &str = "org.opencontainers.image.source";
const DOCKERFILE_LABEL: &str = "com.docker.image.source.entrypoint";

/// The information about the source that the environment requests.
struct Wanted {
    info: bool,
    labels: bool,
    check_dirty: bool,
}

impl Wanted {
    /// A value that is not a boolean counts as unset, as in buildx. When called as buildx, the
    /// provenance has the commit by default.
    fn of(environment: &Environment) -> Self {
        let is_true = |value: &Option<String>| values::boolean(value.as_deref()?).ok();
        let full = environment.buildx_defaults.git_labels.as_deref() == Some("full");
        Self {
            info: is_true(&environment.buildx_defaults.git_info)
                .unwrap_or(environment.identity == Identity::Buildx),
            labels: full || is_true(&environment.buildx_defaults.git_labels).unwrap_or(false),
            check_dirty: is_true(&environment.buildx_defaults.git_check_dirty).unwrap_or(false),
        }
    }
}

/// Adds information about the context's repository. Without a repository or without git, the build
/// continues without it.
pub(crate) fn apply(request: &mut BuildRequest, environment: &Environment) {
    let wanted = Wanted::of(environment);
    let MainContext::Directory(context) = &request.context else {
        return;
    };
    if !wanted.info && !wanted.labels {
        return;
    }
    let Ok(context) = context.canonicalize() else {
        return;
    };
    let repository = match Repository::find(&context) {
        Ok(Some(repository)) => repository,
        Ok(None) if !context.join(".git").is_dir() => return,
        Ok(None) => return tell("git does not read the repository"),
        Err(_) if !context.join(".git").is_dir() => return,
        Err(error) => return tell(error.message()),
    };
    let revision = repository.revision(wanted.check_dirty);
    let dockerfile = match &request.dockerfile {
        None => Some(context.join("Dockerfile")),
        Some(DockerfileFrom::Path(path)) => std::path::absolute(path).ok(),
        Some(_) => None,
    };
    if wanted.labels {
        let entrypoint = dockerfile
            .as_deref()
            .and_then(|path| repository.inside(path));
        let labels = [
            (REVISION_LABEL, revision.clone()),
            (SOURCE_LABEL, repository.remote.clone()),
            (DOCKERFILE_LABEL, entrypoint),
        ];
        request.labels.extend(known(labels));
    }
    if wanted.info {
        let folder = dockerfile
            .as_deref()
            .and_then(Path::parent)
            .map(PathBuf::from);
        let folder = folder.and_then(|folder| repository.inside(&folder));
        request.source_info.extend(known([
            ("vcs:revision", revision),
            ("vcs:source", repository.remote.clone()),
            ("vcs:localdir:context", repository.inside(&context)),
            ("vcs:localdir:dockerfile", folder),
        ]));
    }
}

fn known<const N: usize>(
    values: [(&str, Option<String>); N],
) -> impl Iterator<Item = (String, String)> {
    let values = values.into_iter();
    values.filter_map(|(name, value)| Some((name.to_owned(), value?)))
}

fn tell(reason: &str) {
    warn(&format!(
        "current commit information was not captured by the build: {reason}"
    ));
}
