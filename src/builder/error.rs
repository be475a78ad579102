//! What can go wrong with builders.

use std::io;
use std::path::PathBuf;

use super::Driver;
use crate::client;

/// Why a builder cannot be found, kept or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name that is no name of a builder or node.
    #[error(
        "invalid name {name:?}: a name begins with a letter and has letters, digits, '.', '-' and '_' only"
    )]
    InvalidName {
        /// The text.
        name: String,
    },
    /// A name that is taken by the docker CLI.
    #[error("the name {name:?} is taken by a context of the docker CLI")]
    NameOfContext {
        /// The name.
        name: String,
    },
    /// There is no such builder.
    #[error("there is no builder {name:?}{}", did_you_mean(.nearest.as_deref()))]
    NotFound {
        /// The name that was asked for.
        name: String,
        /// The builder whose name is nearest.
        nearest: Option<String>,
        /// All builders there are.
        known: Vec<String>,
    },
    /// There is a builder of that name already.
    #[error("there is a builder {name:?} already")]
    Exists {
        /// Its name.
        name: String,
    },
    /// The builder has no such node.
    #[error("the builder {builder:?} has no node {node:?}{}", did_you_mean(.nearest.as_deref()))]
    NodeNotFound {
        /// The builder.
        builder: String,
        /// The node that was asked for.
        node: String,
        /// The node whose name is nearest.
        nearest: Option<String>,
    },
    /// The only node of a builder cannot leave it.
    #[error("{node:?} is the last node of the builder {builder:?}")]
    LastNode {
        /// The builder.
        builder: String,
        /// The node.
        node: String,
    },
    /// Two nodes with one endpoint.
    #[error("the builder has a node with the endpoint {endpoint:?} already")]
    DuplicateEndpoint {
        /// The endpoint.
        endpoint: String,
    },
    /// The builder has another driver.
    #[error("the builder {builder:?} has the driver {driver}, not {asked}")]
    OtherDriver {
        /// The builder.
        builder: String,
        /// Its driver.
        driver: String,
        /// The driver that was asked for.
        asked: Driver,
    },
    /// A driver that does not exist.
    #[error("there is no driver {name:?}; there are {}", Driver::names().join(", "))]
    UnknownDriver {
        /// The name.
        name: String,
    },
    /// A driver that is known, and cannot do this here.
    #[error("the {driver} driver {reason}")]
    Driver {
        /// The driver.
        driver: Driver,
        /// What it cannot do.
        reason: String,
    },
    /// An option that the driver does not have.
    #[error("the {driver} driver has no option {option:?}{}", did_you_mean(*.nearest))]
    UnknownOption {
        /// The driver.
        driver: Driver,
        /// The option.
        option: String,
        /// The option whose name is nearest.
        nearest: Option<&'static str>,
    },
    /// An option with a value that it cannot have.
    #[error("the option {option:?} of the {driver} driver cannot be {value:?}: {reason}")]
    InvalidOption {
        /// The driver.
        driver: Driver,
        /// The option.
        option: String,
        /// The value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the store cannot be read or written.
    #[error("cannot {action} {path:?}")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file that does not hold what it should. It is left alone.
    #[error("cannot understand {path:?}: {reason}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A configuration of `buildkitd` with a mistake.
    #[error("cannot use {path:?} as buildkitd's configuration: {reason}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another program holds the lock of the store.
    #[error("another program holds the lock {path:?} of the builders")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// Flags that cannot be split into words.
    #[error("cannot split {text:?} into words: {reason}")]
    Words {
        /// The text.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A context of the docker CLI that cannot be used.
    #[error("cannot use the context {name:?} of the docker CLI: {reason}")]
    Context {
        /// Its name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A program that has to be started is not there.
    #[error("{program} is not on PATH")]
    NotOnPath {
        /// Its name.
        program: String,
    },
    /// A BuildKit was started, and does not answer.
    #[error("the BuildKit of {name} was started and does not answer: {said}")]
    NotStarted {
        /// The container.
        name: String,
        /// What its programs said last.
        said: String,
    },
    /// `kubectl` failed, or the cluster that it asked.
    #[error("cannot {what}: kubectl says: {said}")]
    Kubectl {
        /// What it was to do.
        what: String,
        /// Its words.
        said: String,
    },
    /// Pods that are not ready in time, or not there any more.
    #[error("the pods of the {name} are not ready: {said}")]
    PodsNotReady {
        /// What keeps the pods.
        name: String,
        /// What they wait for.
        said: String,
        /// What helps against that.
        hint: String,
    },
    /// The daemon of a node, or the engine that holds it.
    #[error(transparent)]
    Client(#[from] client::Error),
}

impl Error {
    /// What its user can do about it, if that is known: one line, without a final dot.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotFound { known, .. } if known.is_empty() => {
                "make one: solvekit create --name NAME --use".to_owned()
            }
            Self::NotFound { known, .. } => format!("there are: {}", known.join(", ")),
            Self::Exists { name } => format!(
                "add a node with --append --name {name}, change one with --node, or take another name"
            ),
            Self::LastNode { builder, .. } => {
                format!("remove the builder: solvekit rm {builder}")
            }
            Self::UnknownOption { driver, .. } => match driver.options() {
                [] => format!("the {driver} driver has no options"),
                options if *driver == Driver::Kubernetes => format!(
                    "there are: {}; an option with commas is quoted: --driver-opt '\"nodeselector=a=b,c=d\"'",
                    options.join(", ")
                ),
                options => format!("there are: {}", options.join(", ")),
            },
            Self::OtherDriver { .. } => {
                "all nodes of a builder have the same driver; leave --driver away".to_owned()
            }
            Self::Broken { path, .. } => format!(
                "it is left as it is; mend it, or move it away: mv {0} {0}.broken",
                path.display()
            ),
            Self::Locked { .. } => {
                "wait until docker buildx or solvekit is done with it".to_owned()
            }
            Self::File {
                action: "write" | "create",
                path,
                ..
            } => format!(
                "make {} writable, or set BUILDX_CONFIG to a folder that is",
                path.parent().unwrap_or(path).display()
            ),
            Self::NotOnPath { program } if program == "kubectl" => {
                "the kubernetes driver speaks to the cluster through kubectl: install it, and see that kubectl get pods works"
                    .to_owned()
            }
            Self::Kubectl { said, .. } => super::kubernetes::hint(said),
            Self::PodsNotReady { hint, .. } => hint.clone(),
            Self::NotOnPath { .. } => {
                "the local driver needs buildkitd, runc and, without root, rootlesskit on PATH"
                    .to_owned()
            }
            Self::Config { .. } => {
                "https://github.com/moby/buildkit/blob/master/docs/buildkitd.toml.md describes it"
                    .to_owned()
            }
            Self::Client(error) => return error.hint(),
            _ => return None,
        };
        Some(hint)
    }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"))
}
