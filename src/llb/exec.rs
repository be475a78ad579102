//! Exec ops: a process, its mounts, secrets and limits.

use std::sync::Arc;

use super::caps::{Cap, CapSet};
use super::metadata::Constraints;
use super::state::{Network, Security, Settings, State};
use super::vertex::{Kind, Output, Vertex};

/// A process to run, with everything that is said about it alone; what it shares with others stands in the [`State`].
#[derive(Debug, Default)]
pub struct Exec {
    args: Vec<String>,
    mounts: Vec<Mount>,
    extras: Extras,
    read_only_root: bool,
    network: Option<Network>,
    constraints: Constraints,
}

/// The parts of an exec op that go into it as they are.
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
    /// Sorted by target; the root is among them.
    pub(super) mounts: Vec<Mount>,
    pub(super) settings: Arc<Settings>,
    pub(super) network: Network,
    pub(super) extras: Extras,
    pub(super) caps: CapSet,
}

/// A file system mounted for the process.
#[derive(Debug)]
pub struct Mount {
    pub(super) target: String,
    pub(super) source: Option<Output>,
    pub(super) selector: String,
    pub(super) read_only: bool,
    pub(super) no_output: bool,
    pub(super) kind: MountKind,
}

#[derive(Debug)]
pub(super) enum MountKind {
    Bind,
    Cache { id: String, sharing: Sharing },
    Tmpfs { size: i64 },
}

/// What happens when two processes want one cache mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Both use it.
    #[default]
    Shared,
    /// The second gets another one.
    Private,
    /// The second waits.
    Locked,
}

impl Mount {
    fn new(target: impl Into<String>, source: Option<Output>, kind: MountKind) -> Self {
        Self {
            target: target.into(),
            source,
            selector: String::new(),
            read_only: false,
            no_output: false,
            kind,
        }
    }

    /// `state` at `target`; writable unless [`read_only`](Self::read_only).
    pub fn bind(target: impl Into<String>, state: &State) -> Self {
        Self::new(target, state.output().cloned(), MountKind::Bind)
    }

    /// A folder that lives on in the daemon under `id`, with the files of `state` when it is new.
    pub fn cache(
        target: impl Into<String>,
        state: &State,
        id: impl Into<String>,
        sharing: Sharing,
    ) -> Self {
        Self::new(
            target,
            state.output().cloned(),
            MountKind::Cache {
                id: id.into(),
                sharing,
            },
        )
    }

    /// Memory; `size` in bytes, 0 for the daemon's default.
    pub fn tmpfs(target: impl Into<String>, size: i64) -> Self {
        Self::new(target, None, MountKind::Tmpfs { size })
    }

    /// Only this path of the mounted file system.
    #[must_use]
    pub fn selecting(mut self, path: impl Into<String>) -> Self {
        self.selector = path.into();
        self
    }

    /// Not writable when set.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// What is written is forgotten afterwards.
    #[must_use]
    pub fn without_output(mut self) -> Self {
        self.no_output = true;
        self
    }

    /// Has the process's change to this mount an output of its own?
    pub(super) fn has_output(&self) -> bool {
        !self.read_only && !self.no_output && matches!(self.kind, MountKind::Bind)
    }

    fn add_caps(&self, caps: &mut CapSet) {
        if !self.selector.is_empty() {
            caps.insert(Cap::ExecMountSelector);
        }
        match &self.kind {
            MountKind::Cache { .. } => {
                caps.insert(Cap::ExecMountCache);
                caps.insert(Cap::ExecMountCacheSharing);
            }
            MountKind::Tmpfs { size } => {
                caps.insert(Cap::ExecMountTmpfs);
                if *size > 0 {
                    caps.insert(Cap::ExecMountTmpfsSize);
                }
            }
            MountKind::Bind if self.source.is_some() => caps.insert(Cap::ExecMountBind),
            MountKind::Bind => {}
        }
    }
}

/// A secret of the client, as a file, a variable or both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secret {
    /// Its name.
    pub id: String,
    /// The file.
    pub target: Option<String>,
    /// The variable.
    pub env: Option<String>,
    /// The file's owner.
    pub uid: u32,
    /// The file's group.
    pub gid: u32,
    /// The file's mode.
    pub mode: u32,
    /// Run without it when the client does not have it.
    pub optional: bool,
}

/// The client's SSH agent behind a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshSocket {
    /// Which agent.
    pub id: String,
    /// The socket; empty for `/run/buildkit/ssh_agent.N`.
    pub target: String,
    /// The socket's owner.
    pub uid: u32,
    /// The socket's group.
    pub gid: u32,
    /// The socket's mode.
    pub mode: u32,
    /// Run without it when the client does not have it.
    pub optional: bool,
}

/// A CDI device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Its qualified name.
    pub name: String,
    /// Run without it when the worker does not have it.
    pub optional: bool,
}

/// Proxies for the process that do not change the cache key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyEnv {
    /// `http_proxy`
    pub http: String,
    /// `https_proxy`
    pub https: String,
    /// `ftp_proxy`
    pub ftp: String,
    /// `no_proxy`
    pub no: String,
    /// `all_proxy`
    pub all: String,
}

/// A line of `/etc/hosts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostIp {
    /// The name.
    pub host: String,
    /// The address as Go prints it.
    pub ip: String,
}

/// A limit as `setrlimit` has it; -1 is unlimited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ulimit {
    /// `nofile`, `nproc` …
    pub name: String,
    /// The soft limit.
    pub soft: i64,
    /// The hard limit.
    pub hard: i64,
}

impl Exec {
    /// A process with these arguments, the program first.
    pub fn new(args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            args: args.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// With a mount.
    #[must_use]
    pub fn mount(mut self, mount: Mount) -> Self {
        self.mounts.push(mount);
        self
    }

    /// With a secret.
    #[must_use]
    pub fn secret(mut self, secret: Secret) -> Self {
        self.extras.secrets.push(secret);
        self
    }

    /// With an SSH agent.
    #[must_use]
    pub fn ssh(mut self, socket: SshSocket) -> Self {
        self.extras.ssh.push(socket);
        self
    }

    /// With a device.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.extras.devices.push(device);
        self
    }

    /// With proxies.
    #[must_use]
    pub fn proxy(mut self, proxy: Option<Arc<ProxyEnv>>) -> Self {
        self.extras.proxy = proxy;
        self
    }

    /// With these names resolved.
    #[must_use]
    pub fn extra_hosts(mut self, hosts: Arc<[HostIp]>) -> Self {
        self.extras.extra_hosts = hosts;
        self
    }

    /// Under these limits.
    #[must_use]
    pub fn ulimits(mut self, ulimits: Arc<[Ulimit]>) -> Self {
        self.extras.ulimits = ulimits;
        self
    }

    /// In a control group below this one.
    #[must_use]
    pub fn cgroup_parent(mut self, parent: Option<Arc<str>>) -> Self {
        self.extras.cgroup_parent = parent;
        self
    }

    /// With another network than the state's.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.network = Some(network);
        self
    }

    /// With these rights.
    #[must_use]
    pub fn security(mut self, security: Security) -> Self {
        self.extras.security = security;
        self
    }

    /// Exit codes that count as success.
    #[must_use]
    pub fn valid_exit_codes(mut self, codes: impl IntoIterator<Item = i32>) -> Self {
        self.extras.valid_exit_codes = codes.into_iter().collect();
        self
    }

    /// With a root that cannot be written.
    #[must_use]
    pub fn read_only_root(mut self) -> Self {
        self.read_only_root = true;
        self
    }

    /// With these constraints.
    #[must_use]
    pub fn constraints(mut self, constraints: Constraints) -> Self {
        self.constraints = constraints;
        self
    }
}

/// What a process leaves behind.
#[derive(Clone, Debug)]
pub struct Run {
    root: State,
    mounts: Vec<(String, Output)>,
}

impl Run {
    pub(super) fn new(root: State, mounts: Vec<(String, Output)>) -> Self {
        Self { root, mounts }
    }

    /// The root file system afterwards.
    pub fn root(self) -> State {
        self.root
    }

    /// The writable mount at `target` afterwards.
    pub fn mounted(&self, target: &str) -> Option<State> {
        self.mounts
            .iter()
            .find(|(at, _)| at == target)
            .map(|(_, output)| State::on(output.clone()))
    }
}

/// The vertex of `exec`: the root's output, and those of the other writable mounts.
pub(super) fn vertex(
    exec: Exec,
    root: Option<Output>,
    settings: Arc<Settings>,
) -> (Option<Output>, Vec<(String, Output)>) {
    let read_only_root = exec.read_only_root.then(|| root.clone());
    let mut mounts = Vec::with_capacity(exec.mounts.len() + 1);
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
    let written: Vec<String> = op
        .mounts
        .iter()
        .filter(|mount| mount.has_output())
        .map(|mount| mount.target.clone())
        .collect();
    let first = Vertex::output(Kind::Exec(Box::new(op)), exec.constraints);
    let mut outputs: Vec<(String, Output)> = written
        .into_iter()
        .enumerate()
        .map(|(index, target)| {
            (
                target,
                Output {
                    vertex: first.vertex.clone(),
                    index: index as i64,
                },
            )
        })
        .collect();
    if let Some(unchanged) = read_only_root {
        return (unchanged, outputs);
    }
    let at = outputs.iter().position(|(target, _)| target == "/");
    (at.map(|at| outputs.remove(at).1), outputs)
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
