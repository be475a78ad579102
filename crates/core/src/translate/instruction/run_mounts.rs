//! `RUN --mount`.

use super::super::error::Error;
use super::super::reason::Reason;
use super::Step;
use crate::dockerfile::{self, CacheSharing, Mount, MountType, RunMount};
use crate::llb::{
    self, Cap, Constraints, Exec, File, MakeDir, Owner, Secret, Sharing, SshSocket, State, path,
};

/// Returns the mounts with their variables expanded.
pub(super) fn expand(
    step: &mut Step<'_, '_, '_>,
    mounts: &[RunMount],
) -> Result<Vec<Mount>, Error> {
    let mut expanded = Vec::with_capacity(mounts.len());
    for mount in mounts {
        let mut expand = |word: &str| step.expand_mount_value(word);
        let mount = dockerfile::parse_mount(&mount.text, &mut expand).map_err(Reason::Mount)?;
        expanded.push(mount);
    }
    Ok(expanded)
}

/// Adds the mounts to a process, in their order.
pub(super) fn add(
    step: &mut Step<'_, '_, '_>,
    mut exec: Exec,
    mounts: &[Mount],
) -> Result<Exec, Error> {
    for (position, mount) in mounts.iter().enumerate() {
        exec = match mount.kind {
            MountType::Secret => {
                let secret = secret(mount);
                if let Some(outline) = &mut step.stage.outline {
                    outline.secret(&secret.id, mount.required, step.instruction.span);
                }
                exec.secret(secret)
            }
            MountType::Ssh => {
                let ssh = ssh(mount)?;
                if let Some(outline) = &mut step.stage.outline {
                    let id = if ssh.id.is_empty() {
                        "default"
                    } else {
                        &ssh.id
                    };
                    outline.ssh(id, mount.required, step.instruction.span);
                }
                exec.ssh(ssh)
            }
            MountType::Bind | MountType::Cache | MountType::Tmpfs => {
                exec.mount(files(step, mount, position)?)
            }
        };
    }
    Ok(exec)
}

/// Returns a mount with files: from the context, a stage, an image, a cache or tmpfs.
fn files(step: &mut Step<'_, '_, '_>, mount: &Mount, position: usize) -> Result<llb::Mount, Error> {
    // A cache without a source starts empty.
    let from =
        (mount.from.is_some() || mount.kind == MountType::Cache).then(|| step.sources[position]);
    let mut state = match from {
        None => step.scope.context.state(),
        Some(id) => {
            let source = step.source(id);
            if !source.dispatched {
                let from = mount.from.clone().unwrap_or_default();
                return Err(Reason::LaterStage {
                    from,
                    stage: step.stage.steps.stage.clone(),
                }
                .into());
            }
            source.state.clone()
        }
    };
    let target = target(step, mount)?;
    let source = path::rooted(&mount.source);
    let mut selector = (source != "/").then(|| source.clone().into_owned());
    if selector.is_none() && (mount.uid.is_some() || mount.gid.is_some() || mount.mode.is_some()) {
        state = with_owner(&state, mount);
        selector = Some("/cache".to_owned());
    }
    let mut made = match mount.kind {
        MountType::Tmpfs => llb::Mount::tmpfs(target, mount.size_limit),
        MountType::Cache => {
            let name = match mount.id.as_str() {
                "" => path::cleaned(&mount.target),
                id => id.into(),
            };
            let namespace = step.scope.options.cache_mount_namespace.as_str();
            let id = [namespace, "/", &name].concat();
            llb::Mount::cache(target, &state, id, sharing(mount.sharing))
        }
        _ => llb::Mount::bind(target, &state),
    };
    if let Some(selector) = selector {
        made = made.selecting(selector);
    }
    let writable_bind = mount.kind == MountType::Bind && !mount.read_only;
    if writable_bind
        && step
            .scope
            .options
            .caps
            .contains(Cap::ExecMountBindReadWriteNoOutput)
    {
        made = made.without_output();
    }
    match from {
        None => step.use_context_path(&mount.source),
        Some(id) => step.use_stage_path(id, &mount.source),
    }
    Ok(made.read_only(mount.read_only))
}

/// Returns the mount's target; a relative one is below the working directory.
fn target(step: &Step<'_, '_, '_>, mount: &Mount) -> Result<String, Reason> {
    let target = match mount.target.starts_with('/') {
        true => mount.target.clone(),
        false => path::join("/", &format!("{}/{}", step.stage.state.dir(), mount.target)),
    };
    match target.as_str() {
        "/" => Err(Reason::MountTarget),
        _ => Ok(target),
    }
}

fn sharing(sharing: Option<CacheSharing>) -> Sharing {
    match sharing {
        Some(CacheSharing::Private) => Sharing::Private,
        Some(CacheSharing::Locked) => Sharing::Locked,
        Some(CacheSharing::Shared) | None => Sharing::Shared,
    }
}

/// Returns a state with a directory of this owner and mode, to be mounted instead of the root.
fn with_owner(state: &State, mount: &Mount) -> State {
    let dir = MakeDir {
        owner: Some(Owner::ids(mount.uid.unwrap_or(0), mount.gid.unwrap_or(0))),
        ..MakeDir::default()
    };
    let file = File::new().make_dir("/cache", mount.mode.unwrap_or(0o755), dir);
    state.file(
        file,
        Constraints::new().named("[internal] setting cache mount permissions"),
    )
}

/// Returns the secret: a file, unless only a variable is requested.
fn secret(mount: &Mount) -> Secret {
    let id = match (
        mount.source.as_str(),
        mount.id.as_str(),
        mount.target.as_str(),
    ) {
        ("", "", target) => path::base(target),
        ("", id, _) => id,
        (source, ..) => source,
    };
    let target = match (mount.target.as_str(), &mount.env) {
        ("", Some(_)) => None,
        ("", None) => Some(format!("/run/secrets/{}", path::base(id))),
        (target, _) => Some(target.to_owned()),
    };
    Secret {
        id: id.to_owned(),
        target,
        env: mount.env.clone(),
        uid: mount.uid.unwrap_or(0),
        gid: mount.gid.unwrap_or(0),
        mode: mount.mode.unwrap_or(0o400),
        optional: !mount.required,
    }
}

fn ssh(mount: &Mount) -> Result<SshSocket, Reason> {
    if !mount.source.is_empty() {
        return Err(Reason::SshSource);
    }
    Ok(SshSocket {
        id: mount.id.clone(),
        target: mount.target.clone(),
        uid: mount.uid.unwrap_or(0),
        gid: mount.gid.unwrap_or(0),
        mode: mount.mode.unwrap_or(0o600),
        optional: !mount.required,
    })
}
