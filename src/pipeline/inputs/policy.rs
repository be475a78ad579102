//! The policies of a build, from its request and its inputs: explicit files, and the one beside the
//! Dockerfile.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ContextRead, DockerfileRead, folder};
use crate::client::Client;
use crate::gateway::Bridge;
use crate::pipeline::{BuildRequest, Environment, Error, Inputs, PolicyError};
use crate::policy::{self, Env, Guard, Own, PolicyFiles, RemoteRoot, Root, Sets};
use crate::session::SourceCheck;

/// The daemon asks the client about sources.
const ASKS: &str = "source.policy.session";
const PROXY: &str = "exec.meta.network.proxy";

/// Loads the policies of the builds: a source is used only if all of them allow it.
pub(in crate::pipeline) async fn guard<'a>(
    builds: impl Iterator<Item = (&'a BuildRequest, &'a Inputs)>,
    client: &Client,
    environment: &Environment,
) -> Result<Option<Arc<Guard>>, Error> {
    let sets = builds.map(|(request, inputs)| sets(request, inputs, client, environment));
    let sets: Vec<Sets<'a>> = sets.collect::<Result<_, _>>()?;
    let guard = policy::load(sets).await?;
    Ok(guard.map(|guard| {
        guard.show(environment.progress.as_ref());
        Arc::new(guard)
    }))
}

fn sets<'a>(
    request: &'a BuildRequest,
    inputs: &Inputs,
    client: &Client,
    environment: &Environment,
) -> Result<Sets<'a>, Error> {
    let context = match &inputs.context {
        ContextRead::Directory(folder) => Root::Folder(folder.clone()),
        ContextRead::Empty(folder) => Root::Folder(folder.path().to_owned()),
        ContextRead::Upload(_) => Root::Nowhere,
        ContextRead::Remote(url) => Root::Remote(Box::new(RemoteRoot {
            url: url.clone(),
            client: client.clone(),
            environment: environment.clone(),
            secrets: request.secrets.clone(),
            ssh_agents: request.ssh_agents.clone(),
        })),
    };
    let own = match &inputs.dockerfile {
        DockerfileRead::Text {
            path,
            on_disk: true,
            ..
        } => read_own(path, inputs.folder())?,
        DockerfileRead::InContext(name) if matches!(context, Root::Remote(_)) => {
            Own::InContext(beside(Path::new(name)).display().to_string())
        }
        _ => Own::Absent,
    };
    let args = request.build_args.iter();
    Ok(Sets {
        policies: &request.policy,
        files: PolicyFiles {
            context,
            working_folder: request.policy.working_folder.clone(),
        },
        env: Env {
            args: args
                .map(|(name, value)| (name.clone(), Some(value.clone())))
                .collect(),
            labels: request.labels.clone(),
            filename: filename(&inputs.dockerfile),
            target: request.target.clone().unwrap_or_default(),
            ..Env::default()
        },
        own,
    })
}

fn filename(dockerfile: &DockerfileRead) -> String {
    let path = match dockerfile {
        DockerfileRead::Text {
            path,
            on_disk: true,
            ..
        } => path.as_path(),
        DockerfileRead::InContext(name) => Path::new(name),
        _ => Path::new(super::USUAL_NAME),
    };
    let name = path.file_name().unwrap_or(super::USUAL_NAME.as_ref());
    name.to_string_lossy().into_owned()
}

fn beside(dockerfile: &Path) -> PathBuf {
    let mut path = dockerfile.as_os_str().to_owned();
    path.push(".rego");
    PathBuf::from(path)
}

fn read_own(dockerfile: &Path, context: Option<&Path>) -> Result<Own, Error> {
    let path = beside(dockerfile);
    match folder::beside_dockerfile(&path, context) {
        Ok(text) => Ok(Own::Text {
            name: path.display().to_string(),
            text,
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Own::Absent),
        Err(source) => Err(PolicyError::Unreadable { path, source }.into()),
    }
}

/// The guard as the session needs it.
pub(in crate::pipeline) fn as_check(guard: &Arc<Guard>) -> Arc<dyn SourceCheck> {
    Arc::clone(guard) as Arc<dyn SourceCheck>
}

/// Checks that the daemon can enforce the policies, before anything is fetched.
pub(in crate::pipeline) fn check_daemon(guard: &Guard, bridge: &Bridge) -> Result<(), Error> {
    let files = || guard.files().map(str::to_owned).collect();
    if !bridge.capabilities().has_llb(ASKS) {
        return Err(PolicyError::NotAsked { files: files() }.into());
    }
    if guard.wants_proxy() && !bridge.capabilities().has_llb(PROXY) {
        return Err(PolicyError::Proxy { files: files() }.into());
    }
    let first = bridge.workers().first();
    guard.set_platform(first.and_then(|worker| worker.platforms.first()));
    Ok(())
}

/// Replaces the error of a build that failed because of a policy by the policy's own.
pub(in crate::pipeline) fn explained<T>(
    guard: Option<&Guard>,
    result: Result<T, Error>,
) -> Result<T, Error> {
    let denial = guard.and_then(Guard::end);
    match (result, denial) {
        (Err(Error::Interrupted), _) => Err(Error::Interrupted),
        (Err(_), Some(denial)) if denial.failed => Err(PolicyError::Failed {
            origin: denial.source,
            reason: denial.reasons.join("; "),
        }
        .into()),
        (Err(_), Some(denial)) => Err(PolicyError::Denied {
            origin: denial.source,
            reasons: denial.reasons,
        }
        .into()),
        (result, _) => result,
    }
}
