//! Exec ops: a process, its mounts, secrets and limits.

mod mount;
mod parts;

use std::sync::Arc;

pub(super) use self::mount::MountKind;
pub use self::mount::{Mount, Sharing};
pub use self::parts::{Device, HostIp, ProxyEnv, Secret, SshSocket};
use super::caps::{Cap, CapSet};
use super::metadata::Constraints;
use super::state::{Network, Security, Settings, State};
use super::vertex::{Kind, Output, Vertex};
pub use crate::units::Ulimit;

/// A process to run, with its own settings. The settings that processes share are in the [`State`].
#[derive(Debug, Default)]
pub struct Exec {
    args: Vec<String>,
    mounts: Vec<Mount>,
    extras: Extras,
    read_only_root: bool,
    network: Option<Network>,
    constraints: Constraints,
}

/// The parts of an exec op that are written unchanged.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    pub(super) secrets: Vec<Secret>,
    pub(super) ssh: Vec<SshSocket>,
    pub(super) devices: Vec<Device>,
    pub(super) proxy: Option<Arc<ProxyEnv>>,
    pub(super) extra_hosts: Arc<[HostIp]>,
    pub(super) ulimits: Arc<[Ulimit]>,
    pub(super) cgroup_parent: Option<Arc<str>>,
    pub(super) security: Security,
    pub(super) valid_exit_codes: Vec<i32>,
}

/// An exec op in the graph.
#[derive(Debug)]
pub(crate) struct ExecOp {
    pub(super) args: Vec<String>,
    /// The mounts including the root, sorted by target.
    pub(super) mounts: Vec<Mount>,
    pub(super) settings: Arc<Settings>,
    pub(super) network: Network,
    pub(super) extras: Extras,
    pub(super) caps: CapSet,
}

impl Exec {
    /// Returns a process with these arguments, the program first.
    pub fn new(args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            args: args.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Adds a mount.
    #[must_use]
    pub fn mount(mut self, mount: Mount) -> Self {
        self.mounts.push(mount);
        self
    }

    /// Adds a secret.
    #[must_use]
    pub fn secret(mut self, secret: Secret) -> Self {
        self.extras.secrets.push(secret);
        self
    }

    /// Adds an SSH agent.
    #[must_use]
    pub fn ssh(mut self, socket: SshSocket) -> Self {
        self.extras.ssh.push(socket);
        self
    }

    /// Adds a device.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.extras.devices.push(device);
        self
    }

    /// Sets the proxies.
    #[must_use]
    pub fn proxy(mut self, proxy: Option<Arc<ProxyEnv>>) -> Self {
        self.extras.proxy = proxy;
        self
    }

    /// Sets additional host names.
    #[must_use]
    pub fn extra_hosts(mut self, hosts: Arc<[HostIp]>) -> Self {
        self.extras.extra_hosts = hosts;
        self
    }

    /// Sets the resource limits of the process (ulimits).
    #[must_use]
    pub fn ulimits(mut self, ulimits: Arc<[Ulimit]>) -> Self {
        self.extras.ulimits = ulimits;
        self
    }

    /// Sets the parent of the process's control group.
    #[must_use]
    pub fn cgroup_parent(mut self, parent: Option<Arc<str>>) -> Self {
        self.extras.cgroup_parent = parent;
        self
    }

    /// Sets a network that overrides the state's.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.network = Some(network);
        self
    }

    /// Sets the security mode.
    #[must_use]
    pub fn security(mut self, security: Security) -> Self {
        self.extras.security = security;
        self
    }

    /// Sets the exit codes that count as success.
    #[must_use]
    pub fn valid_exit_codes(mut self, codes: impl IntoIterator<Item = i32>) -> Self {
        self.extras.valid_exit_codes = codes.into_iter().collect();
        self
    }

    /// Makes the root read-only.
    #[must_use]
    pub fn read_only_root(mut self) -> Self {
        self.read_only_root = true;
        self
    }

    /// Sets the constraints.
    #[must_use]
    pub fn constraints(mut self, constraints: Constraints) -> Self {
        self.constraints = constraints;
        self
    }
}

/// The file systems after a process.
#[derive(Clone, Debug)]
pub struct Run {
    root: State,
    op: Output,
}

impl Run {
    /// Returns the root file system after the process.
    pub fn root(self) -> State {
        self.root
    }

    /// Returns the file system of the writable mount at `target` after the process.
    pub fn mounted(&self, target: &str) -> Option<State> {
        let Kind::Exec(exec) = &self.op.vertex.kind else {
            return None;
        };
        let root = exec.root_output();
        let mut outputs = exec.outputs().filter(|(index, _)| Some(*index) != root);
        let (index, _) = outputs.find(|(_, mount)| mount.target == target)?;
        Some(State::on(self.op.at(index)))
    }
}

impl ExecOp {
    /// The mounts that are outputs, with their indexes.
    fn outputs(&self) -> impl Iterator<Item = (i64, &Mount)> {
        (0..).zip(self.mounts.iter().filter(|mount| mount.has_output()))
    }

    /// The index of the root among the outputs; none if it is read-only.
    fn root_output(&self) -> Option<i64> {
        let mut outputs = self.outputs();
        outputs
            .find(|(_, mount)| mount.target == "/")
            .map(|(index, _)| index)
    }
}

/// Runs `exec` on a file system. A read-only root stays as it is.
pub(super) fn run(exec: Exec, on: &State, settings: Arc<Settings>) -> Run {
    let mut mounts = Vec::with_capacity(exec.mounts.len() + 1);
    let root = on.output().cloned();
    mounts.push(Mount::new("/", root, MountKind::Bind).read_only(exec.read_only_root));
    mounts.extend(exec.mounts);
    mounts.sort_by(|a, b| a.target.cmp(&b.target));
    let network = exec.network.unwrap_or(settings.network);
    let caps = caps(
        &mounts,
        &exec.extras,
        network,
        exec.constraints.metadata.linux_resources.is_some(),
    );
    let op = ExecOp {
        args: exec.args,
        mounts,
        settings,
        network,
        extras: exec.extras,
        caps,
    };
    let root = op.root_output();
    let op = Vertex::output(Kind::Exec(Box::new(op)), exec.constraints);
    let root = match exec.read_only_root {
        true => on.clone(),
        false => on.with_output(root.map(|index| op.at(index))),
    };
    Run { root, op }
}

fn caps(mounts: &[Mount], extras: &Extras, network: Network, limited: bool) -> CapSet {
    let mut caps = CapSet::EMPTY.with(Cap::ExecMetaBase);
    let needed = [
        (network != Network::Sandbox, Cap::ExecMetaNetwork),
        (extras.security == Security::Insecure, Cap::ExecMetaSecurity),
        (!extras.ulimits.is_empty(), Cap::ExecMetaUlimit),
        (!extras.valid_exit_codes.is_empty(), Cap::ExecValidExitCode),
        (extras.proxy.is_some(), Cap::ExecMetaProxy),
        (!extras.secrets.is_empty(), Cap::ExecMountSecret),
        (
            extras.secrets.iter().any(|secret| secret.env.is_some()),
            Cap::ExecSecretEnv,
        ),
        (!extras.ssh.is_empty(), Cap::ExecMountSsh),
        (!extras.devices.is_empty(), Cap::ExecMetaCdi),
        (limited, Cap::ExecMetaLinuxResources),
    ];
    for (_, cap) in needed.iter().filter(|(needed, _)| *needed) {
        caps.insert(*cap);
    }
    for mount in mounts {
        mount.add_caps(&mut caps);
    }
    caps
}
