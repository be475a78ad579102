//! A paused build: the step, its files, and containers like the step's own.

use super::graph::{Graph, Node};
use super::program::Step;
use crate::client::{OperationDetail, platform_from_proto};
use crate::frontend::Solving;
use crate::gateway::{
    Bridge, Container, ContainerMount, ContainerRequest, Error, ProcessRequest, Ref,
};
use crate::llb::{HostIp, Network, Secret, Security};
use crate::oci::{ImageConfig, Platform};
use crate::proto::pb;

/// A paused build.
#[derive(Debug)]
#[non_exhaustive]
pub struct Pause<'a> {
    /// The reason of the pause.
    pub reason: Reason<'a>,
    /// The name of the build if several run together, as the targets of a bake file do.
    pub target: Option<&'a str>,
    /// The platform; `None` if the build has only one and a frontend in the daemon translated it.
    pub platform: Option<&'a Platform>,
    /// The step, then the steps that wait for its branch. Empty if the step is unknown.
    pub frames: Vec<&'a Step>,
    /// The file systems that the step reads, its root first. Those of other branches are computed
    /// when they are read.
    pub files: Vec<Files>,
    /// The settings of the step.
    pub details: StepDetails,
    bridge: &'a Bridge,
    container: Option<ContainerRequest>,
    /// The same with the files before the step; `container` has those after a failed process.
    initial: Option<ContainerRequest>,
    process: ProcessRequest,
}

/// The reason of a pause.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Reason<'a> {
    /// The step is the next one in stepping mode.
    Step,
    /// The step has a breakpoint.
    Breakpoint,
    /// The step, or one that it needs, failed.
    Failure(&'a Error),
    /// The whole graph is solved.
    End,
}

/// A file system of a paused step.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Files {
    /// Its path in the step, or a description.
    pub name: String,
    /// Its content.
    pub result: Ref,
}

/// The settings of a step.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct StepDetails {
    /// Its platform.
    pub platform: Option<Platform>,
    /// The program and arguments of its process; empty if it has none.
    pub args: Vec<String>,
    /// The variables of its process, as `NAME=value`.
    pub env: Vec<String>,
    /// The working directory of its process.
    pub cwd: String,
    /// The user of its process.
    pub user: String,
}

impl<'a> Pause<'a> {
    /// Returns the bridge to the build.
    pub fn bridge(&self) -> &'a Bridge {
        self.bridge
    }

    /// Creates a container like the step's own: with its mounts, network and hosts. For a failed
    /// process it has the files as the process left them. For a step without a process it has the
    /// files that the step modifies. Written files are lost with the container.
    ///
    /// # Errors
    /// `None` if the step has no files. Otherwise the daemon's errors.
    pub async fn container(&self) -> Result<Option<Container>, Error> {
        match &self.container {
            None => Ok(None),
            Some(request) => self.bridge.container(request).await.map(Some),
        }
    }

    /// Like [`Pause::container`], but with the files as they were before the step, also for a
    /// failed process.
    ///
    /// # Errors
    /// As [`Pause::container`].
    pub async fn initial_container(&self) -> Result<Option<Container>, Error> {
        match self.initial.as_ref().or(self.container.as_ref()) {
            None => Ok(None),
            Some(request) => self.bridge.container(request).await.map(Some),
        }
    }

    /// Returns a process with the step's environment, working directory and user.
    pub fn process(&self, args: impl IntoIterator<Item = impl Into<String>>) -> ProcessRequest {
        let mut process = self.process.clone();
        process.args = args.into_iter().map(Into::into).collect();
        process
    }

    /// Pauses at a step with these solved inputs or results.
    pub(super) fn at(
        solving: Solving<'a>,
        reason: Reason<'a>,
        frames: Vec<&'a Step>,
        graph: &Graph,
        solved: Solved<'_>,
    ) -> Self {
        let mut pause = Self {
            reason,
            target: solving.target,
            platform: solving.platform,
            frames,
            files: Vec::new(),
            details: StepDetails::default(),
            bridge: solving.bridge,
            container: None,
            initial: None,
            process: ProcessRequest::default(),
        };
        match solved {
            Solved::Nothing => {}
            Solved::Result(result, node) => {
                pause.files = vec![Files::root(result.clone())];
                pause.container = Some(ContainerRequest::on(&result));
                let config = solving.image.map(|image| &image.config);
                pause.process = match node {
                    Some(node) => earlier_process(graph, node).map(process_of_step),
                    None => config.map(process_of_image),
                }
                .unwrap_or_default();
            }
            Solved::Inputs(node, inputs) => pause.take(graph, node, &inputs),
        }
        pause
    }

    fn take(&mut self, graph: &Graph, node: &Node, inputs: &[Ref]) {
        self.files = files(graph, node, inputs);
        self.details.platform = node.op.platform.clone().map(platform_from_proto);
        let Some(exec) = node.exec() else {
            let root = node.parent().and_then(|input| inputs.get(input));
            self.container = root.map(ContainerRequest::on);
            // Take the variables and the working directory from the nearest earlier step with a
            // process.
            let earlier = earlier_process(graph, node);
            self.process = earlier.map(process_of_step).unwrap_or_default();
            return;
        };
        let operation = match self.reason {
            Reason::Failure(error) => error.failure().and_then(|failure| failure.operation()),
            _ => None,
        };
        self.container = Some(container(exec, inputs, operation));
        self.initial = operation.map(|_| container(exec, inputs, None));
        self.process = process_of_step(exec);
        let meta = exec.meta.clone().unwrap_or_default();
        self.details.args = meta.args;
        self.details.env = meta.env;
        self.details.cwd = meta.cwd;
        self.details.user = meta.user;
    }
}

/// The results that are available at a step.
pub(super) enum Solved<'g> {
    Nothing,
    Inputs(&'g Node, Vec<Ref>),
    /// The result of a step; without a step, of the whole graph.
    Result(Ref, Option<&'g Node>),
}

impl Files {
    fn root(result: Ref) -> Self {
        Self {
            name: "/".to_owned(),
            result,
        }
    }
}

/// The inputs of a step, by their names in the step.
fn files(graph: &Graph, node: &Node, inputs: &[Ref]) -> Vec<Files> {
    let parent = node.parent();
    let mut found: Vec<Files> = Vec::new();
    let order = parent
        .into_iter()
        .chain((0..inputs.len()).filter(|it| Some(*it) != parent));
    for index in order {
        let (Some(result), Some(input)) = (inputs.get(index), node.op.inputs.get(index)) else {
            continue;
        };
        let name = match Some(index) == parent {
            true => "/".to_owned(),
            false => input_name(graph, node, index, input),
        };
        if !found.iter().any(|known| known.name == name) {
            let result = result.clone();
            found.push(Files { name, result });
        }
    }
    found
}

fn input_name(graph: &Graph, node: &Node, index: usize, input: &pb::Input) -> String {
    let mounts = node.exec().into_iter().flat_map(|exec| &exec.mounts);
    let is_input = |mount: &&pb::Mount| usize::try_from(mount.input) == Ok(index);
    if let Some(mount) = mounts.clone().find(is_input) {
        return mount.dest.clone();
    }
    let source = graph.node(&input.digest);
    match source.and_then(|source| source.op.op.as_ref()) {
        Some(pb::op::Op::Source(source)) => source.identifier.clone(),
        _ => match source.map(|source| source.name.as_str()) {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => input.digest.clone(),
        },
    }
}

/// A container like that of a process. A failed process reports the ids of its mounts.
fn container(
    exec: &pb::ExecOp,
    inputs: &[Ref],
    failed: Option<&OperationDetail>,
) -> ContainerRequest {
    let failed = failed.filter(|failed| failed.mount_ids.len() >= exec.mounts.len());
    let mounts = exec.mounts.iter().enumerate().map(|(index, mount)| {
        let input = usize::try_from(mount.input).ok();
        let id = match failed {
            Some(failed) => failed.mount_ids.get(index).map(String::as_str),
            None => input.and_then(|input| inputs.get(input)).map(Ref::id),
        };
        ContainerMount::of_step(mount, id.unwrap_or_default())
    });
    let meta = exec.meta.as_ref();
    let hosts = meta.into_iter().flat_map(|meta| &meta.extra_hosts);
    let hosts = hosts.map(|host| HostIp {
        host: host.host.clone(),
        ip: host.ip.clone(),
    });
    ContainerRequest {
        mounts: mounts.collect(),
        network: match exec.network() {
            pb::NetMode::Unset => Network::Sandbox,
            pb::NetMode::Host => Network::Host,
            pb::NetMode::None => Network::None,
        },
        extra_hosts: hosts.collect(),
        hostname: meta.map(|meta| meta.hostname.clone()).unwrap_or_default(),
        ..ContainerRequest::default()
    }
}

fn process_of_step(exec: &pb::ExecOp) -> ProcessRequest {
    let mut meta = exec.meta.clone().unwrap_or_default();
    meta.env.extend(meta.proxy_env.iter().flat_map(proxies));
    let secrets = exec.secretenv.iter().map(|secret| Secret {
        id: secret.id.clone(),
        env: Some(secret.name.clone()),
        optional: secret.optional,
        ..Secret::default()
    });
    ProcessRequest {
        env: meta.env,
        cwd: meta.cwd,
        user: meta.user,
        security: match exec.security() {
            pb::SecurityMode::Sandbox => Security::Sandbox,
            pb::SecurityMode::Insecure => Security::Insecure,
        },
        secret_env: secrets.collect(),
        ..ProcessRequest::default()
    }
}

/// The proxy variables that the daemon sets for a process.
fn proxies(proxy: &pb::ProxyEnv) -> Vec<String> {
    let named = [
        ("HTTP_PROXY", &proxy.http_proxy),
        ("HTTPS_PROXY", &proxy.https_proxy),
        ("FTP_PROXY", &proxy.ftp_proxy),
        ("NO_PROXY", &proxy.no_proxy),
        ("ALL_PROXY", &proxy.all_proxy),
    ];
    let set = named.into_iter().filter(|(_, value)| !value.is_empty());
    set.flat_map(|(name, value)| {
        [
            format!("{name}={value}"),
            format!("{}={value}", name.to_lowercase()),
        ]
    })
    .collect()
}

fn process_of_image(config: &ImageConfig) -> ProcessRequest {
    ProcessRequest {
        env: config.env.clone(),
        cwd: config.working_dir.clone(),
        user: config.user.clone(),
        ..ProcessRequest::default()
    }
}

/// The nearest process among the steps that this step is based on.
fn earlier_process<'g>(graph: &'g Graph, node: &'g Node) -> Option<&'g pb::ExecOp> {
    let before = |node: &&'g Node| {
        let parent = node.parent().and_then(|input| node.op.inputs.get(input))?;
        graph.node(&parent.digest)
    };
    std::iter::successors(Some(node), before).find_map(Node::exec)
}
