//! Mistakes with builders, daemons, emulators, and solvekit as a plugin.

use std::path::PathBuf;

use solvekit::client::{self, EngineHeaderProblem};
use thiserror::Error;

use super::Advised;

#[derive(Debug, Error)]
pub(crate) enum BuilderUsage {
    #[error("cannot use DOCKER_CUSTOM_HEADERS: {0}")]
    EngineHeaders(EngineHeaderProblem),
    #[error("there is no folder for builders")]
    NoFolder,
    #[error("which builder?")]
    NoName,
    #[error("the builder {0:?} has no nodes")]
    NoNodes(String),
    #[error("no node of the builder {name:?} can do this build alone: {problems}")]
    NoNodeAlone { name: String, problems: String },
    #[error("TLS options are given for the builder {0:?}, which has its own")]
    TlsOfBuilder(String),
    #[error("TLS options are given without an address")]
    TlsForNothing,
    #[error(transparent)]
    Address(client::Error),
    #[error("{0:?} is a context of the docker CLI")]
    RemoveContext(String),
    #[error("{name:?} is a context of the docker CLI, and {current:?} is the one that is used")]
    OtherContext {
        name: String,
        current: String,
        is_default: bool,
    },
    #[error(
        "{} the context {name:?}, which the docker CLI does not have",
        if *.is_variable { "DOCKER_CONTEXT names" } else { "docker's config.json names" }
    )]
    UnknownContext { name: String, is_variable: bool },
    #[error("--append needs the builder's name")]
    AppendWithoutName,
    #[error("--leave needs the builder's name")]
    LeaveWithoutName,
    #[error("--leave needs the node's name")]
    LeaveWithoutNode,
    #[error("no builder can be made with the docker driver")]
    DockerDriver,
    #[error("the remote driver needs the address of a BuildKit")]
    RemoteWithoutAddress,
    #[error("the builder {builder:?} has not been started")]
    NotStarted { builder: String, container: String },
    #[error("the builder {builder:?} is stopped")]
    Stopped { builder: String, container: String },
    #[error("there is no kubeconfig, so the cluster is not known")]
    NoCluster,
    #[error("the kubernetes driver has no endpoint, {0:?} is given")]
    KubernetesEndpoint(String),
    #[error("the daemon ({0}) knows neither --max-used-space nor --min-free-space")]
    OldPrune(String),
    #[error("--tree cannot be printed as {0:?}")]
    TreeFormat(String),
    #[error("the builder's node {node} is on another machine, and reached without a Docker Engine")]
    FarNode { node: String, by_hand: String },
    #[error("emulators are registered by a container, and there is no Docker Engine: {reason}")]
    NoEngine { reason: String, by_hand: String },
    #[error("cannot listen on {0:?}")]
    ListenAddress(String),
    #[error("{0} can be reached from other machines, and everybody could use the builder")]
    ListenWithoutTls(String),
    #[error("the docker CLI's folder of plugins is not known: HOME is not set")]
    NoPluginFolder,
    #[error("{} is another program", .0.display())]
    OtherPlugin(PathBuf),
}

impl Advised for BuilderUsage {
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::EngineHeaders(_) => "it is NAME=VALUE,NAME2=VALUE2; quote a pair that has commas",
            Self::NoFolder => "set BUILDX_CONFIG, DOCKER_CONFIG or HOME",
            Self::NoName => "solvekit use NAME; solvekit ls lists them",
            Self::NoNodes(name) => {
                return Some(format!(
                    "add one: solvekit create --append --name {name} ENDPOINT"
                ));
            }
            Self::NoNodeAlone { name, .. } => return Some(alone(name)),
            Self::TlsOfBuilder(_) => "solvekit create has --driver-opt cacert=…,cert=…,key=…",
            Self::TlsForNothing => {
                "say which daemon they are for: --addr tcp://HOST:PORT, or BUILDKIT_HOST"
            }
            Self::Address(_) => ADDRESSES,
            Self::RemoveContext(name) => {
                return Some(format!("docker context rm {name} removes it"));
            }
            Self::OtherContext {
                name, is_default, ..
            } => {
                let unset = if *is_default {
                    ", or without DOCKER_CONTEXT"
                } else {
                    ""
                };
                return Some(format!(
                    "docker context use {name}, or for one command: --builder {name}{unset}"
                ));
            }
            Self::UnknownContext {
                is_variable: true, ..
            } => "docker context ls lists those it has; unset DOCKER_CONTEXT to use the default",
            Self::UnknownContext { .. } => {
                "docker context ls lists those it has; docker context use NAME chooses one"
            }
            Self::AppendWithoutName | Self::LeaveWithoutName => "give it: --name BUILDER",
            Self::LeaveWithoutNode => "give it: --node NODE",
            Self::DockerDriver => {
                "it is the engine of a context: docker context create NAME --docker host=…"
            }
            Self::RemoteWithoutAddress => {
                "for example: solvekit create --driver remote tcp://HOST:1234"
            }
            Self::NotStarted { builder, .. } | Self::Stopped { builder, .. } => {
                return Some(format!(
                    "start it: docker buildx inspect --bootstrap {builder}"
                ));
            }
            Self::NoCluster => "name it with KUBECONFIG, or put it at ~/.kube/config",
            Self::KubernetesEndpoint(_) => {
                "the cluster is the one of KUBECONFIG and its current context; \
                 --driver-opt namespace=NAME is a place in it"
            }
            Self::TreeFormat(_) => "it is text, or --format json",
            Self::OldPrune(_) => "BuildKit 0.17 and newer do; --reserved-space works here",
            Self::FarNode { by_hand, .. } => return Some(format!("on that machine: {by_hand}")),
            Self::NoEngine { by_hand, .. } => return Some(format!("as root: {by_hand}")),
            Self::ListenAddress(_) => "--listen takes unix://PATH or tcp://HOST:PORT",
            Self::ListenWithoutTls(_) => {
                "give --listen-tlscert, --listen-tlskey and --listen-tlscacert, or listen on \
                 tcp://127.0.0.1:PORT or unix://PATH"
            }
            Self::NoPluginFolder => "give it with --dir",
            Self::OtherPlugin(_) => {
                "give --force to replace it: it is kept with .old at its name's end"
            }
        };
        Some(advice.to_owned())
    }

    fn in_buildx(&self) -> Option<String> {
        Some(match self {
            Self::NoName => {
                "failed to find instance \"\": invalid name , name needs to start with a \
                             letter and may not contain symbols, except ._-"
                    .to_owned()
            }
            Self::RemoveContext(name) => format!(
                "context builder cannot be removed, run `docker context rm {name}` to remove this \
                 context"
            ),
            Self::OtherContext {
                name, is_default, ..
            } => match is_default {
                true => "run `docker context use default` to switch to default context".to_owned(),
                false => format!("run `docker context use {name}` to switch to context {name}"),
            },
            Self::UnknownContext { name, .. } => format!("no builder {name:?} found"),
            Self::AppendWithoutName => "append requires a builder name".to_owned(),
            Self::LeaveWithoutName => "leave requires instance name".to_owned(),
            Self::LeaveWithoutNode => "leave requires node name".to_owned(),
            Self::DockerDriver => {
                "additional instances of driver \"docker\" cannot be created".to_owned()
            }
            Self::RemoteWithoutAddress => "no remote endpoint provided".to_owned(),
            Self::NotStarted { container, .. } => {
                format!("Error response from daemon: No such container: {container}")
            }
            Self::Stopped { container, .. } => {
                format!("Error response from daemon: container {container} is not running")
            }
            Self::NoCluster => "cannot determine Kubernetes namespace, specify manually: invalid \
                                configuration: no configuration has been provided, try setting \
                                KUBERNETES_MASTER environment variable"
                .to_owned(),
            Self::KubernetesEndpoint(endpoint) => {
                format!("kubernetes driver does not support endpoint args {endpoint:?}")
            }
            Self::OldPrune(_) => "buildkit v0.17.0+ is required for max-used-space and \
                                  min-free-space filters"
                .to_owned(),
            _ => return None,
        })
    }

    fn stands_alone(&self) -> bool {
        matches!(self, Self::UnknownContext { .. })
    }
}

const ADDRESSES: &str = "an address is unix:///path/buildkitd.sock, tcp://host:1234, docker://, \
                         docker:///path/docker.sock, docker-container://NAME, kube-pod://POD or \
                         ssh://HOST";

fn alone(name: &str) -> String {
    format!(
        "build the platforms of one node at a time (--platform), add a node that builds them all \
         (solvekit create --append --name {name} …), or start the nodes that do not answer"
    )
}
