//! `BUILDX_GIT_INFO` and `BUILDX_GIT_LABELS`: the context's repository and commit in the history,
//! in the request of a full provenance, and in the image's labels, with buildx's names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use solvekit::pipeline::{BuildRequest, DockerfileFrom, MainContext, NamedContext};
use solvekit_host::files;

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

/// Adds information about the repositories of the contexts. Without a repository or without git,
/// the builds continue without it.
pub(crate) fn apply<'r>(
    requests: impl IntoIterator<Item = &'r mut BuildRequest>,
    environment: &Environment,
) {
    let wanted = Wanted::of(environment);
    if !wanted.info && !wanted.labels {
        return;
    }
    // The targets of a bake file often share a context.
    let mut found = BTreeMap::new();
    for request in requests {
        let MainContext::Directory(context) = &request.context else {
            continue;
        };
        let Ok(context) = files::canonical(context) else {
            continue;
        };
        let found = found
            .entry(context)
            .or_insert_with_key(|context| Found::of(context, &wanted));
        if let Some(found) = found {
            found.describe(request, &wanted);
        }
    }
}

/// The repository of a context, and its commit.
struct Found {
    context: PathBuf,
    repository: Repository,
    revision: Option<String>,
}

impl Found {
    fn of(context: &Path, wanted: &Wanted) -> Option<Self> {
        let repository = match Repository::find(context) {
            Ok(Some(repository)) => repository,
            _ if !context.join(".git").is_dir() => return None,
            Ok(None) => {
                tell("git does not read the repository");
                return None;
            }
            Err(error) => {
                tell(error.message());
                return None;
            }
        };
        Some(Self {
            revision: repository.revision(wanted.check_dirty),
            context: context.to_owned(),
            repository,
        })
    }

    /// Adds the wanted facts about the repository to a request for this context.
    fn describe(&self, request: &mut BuildRequest, wanted: &Wanted) {
        let dockerfile = match &request.dockerfile {
            None => Some(self.context.join("Dockerfile")),
            Some(DockerfileFrom::Path(path)) => std::path::absolute(path).ok(),
            Some(_) => None,
        };
        let repository = &self.repository;
        let (revision, remote) = (self.revision.clone(), repository.remote.clone());
        if wanted.labels {
            let entrypoint = dockerfile.as_deref();
            let entrypoint = entrypoint.and_then(|path| repository.inside(path));
            request.labels.extend(known([
                (REVISION_LABEL, revision.clone()),
                (SOURCE_LABEL, remote.clone()),
                (DOCKERFILE_LABEL, entrypoint),
            ]));
        }
        if wanted.info {
            let folder = dockerfile.as_deref().and_then(Path::parent);
            let folder = folder.and_then(|folder| repository.inside(folder));
            request.source_info.extend(known([
                ("vcs:revision", revision),
                ("vcs:source", remote),
                ("vcs:localdir:context", repository.inside(&self.context)),
                ("vcs:localdir:dockerfile", folder),
            ]));
            for (name, context) in &request.contexts {
                if let NamedContext::Directory(folder) = context
                    && let Some(inside) = repository.inside(folder)
                {
                    let name = format!("vcs:localdir:{name}");
                    request.source_info.insert(name, inside);
                }
            }
        }
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
