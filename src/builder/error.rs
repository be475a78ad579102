//! Errors of builders.

use std::io;
use std::path::PathBuf;

use super::Driver;
use crate::client;

/// Why a builder cannot be found, stored or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name is not valid for a builder or node.
    #[error(
        "invalid name {name:?}: a name begins with a letter and has letters, digits, '.', '-' and \
         '_' only"
    )]
    InvalidName {
        /// The name.
        name: String,
    },
    /// The name belongs to a context of the docker CLI.
    #[error("the name {name:?} is taken by a context of the docker CLI")]
    NameOfContext {
        /// The name.
        name: String,
    },
    /// The builder does not exist.
    #[error("there is no builder {name:?}{}", did_you_mean(.nearest.as_deref()))]
    NotFound {
        /// The requested name.
        name: String,
        /// The builder with the nearest name.
        nearest: Option<String>,
        /// The names of all builders.
        known: Vec<String>,
    },
    /// A builder with this name exists already.
    #[error("there is a builder {name:?} already")]
    Exists {
        /// Its name.
        name: String,
    },
    /// The builder does not have this node.
    #[error("the builder {builder:?} has no node {node:?}{}", did_you_mean(.nearest.as_deref()))]
    NodeNotFound {
        /// The builder.
        builder: String,
        /// The requested node.
        node: String,
        /// The node with the nearest name.
        nearest: Option<String>,
    },
    /// The node is the builder's only one, so it cannot be removed.
    #[error("{node:?} is the last node of the builder {builder:?}")]
    LastNode {
        /// The builder.
        builder: String,
        /// The node.
        node: String,
    },
    /// Two nodes have the same endpoint.
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
        /// The requested driver.
        asked: Driver,
    },
    /// The driver is unknown.
    #[error("there is no driver {name:?}; there are {}", Driver::names().join(", "))]
    UnknownDriver {
        /// The name.
        name: String,
    },
    /// The driver does not support this.
    #[error("the {driver} driver {reason}")]
    Driver {
        /// The driver.
        driver: Driver,
        /// The unsupported operation.
        reason: String,
    },
    /// The driver does not have this option.
    #[error("the {driver} driver has no option {option:?}{}", did_you_mean(*.nearest))]
    UnknownOption {
        /// The driver.
        driver: Driver,
        /// The option.
        option: String,
        /// The option with the nearest name.
        nearest: Option<&'static str>,
    },
    /// The option's value is invalid.
    #[error("the option {option:?} of the {driver} driver cannot be {value:?}: {reason}")]
    InvalidOption {
        /// The driver.
        driver: Driver,
        /// The option.
        option: String,
        /// The value.
        value: String,
        /// What is wrong with the input.
        reason: String,
    },
    /// A file of the store cannot be read or written.
    #[error("cannot {action} {path:?}")]
    File {
        /// The action that failed, such as `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file has the wrong content. It is left unchanged.
    #[error("cannot understand {path:?}: {reason}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with the file.
        reason: String,
    },
    /// The configuration of `buildkitd` has a mistake.
    #[error("cannot use {path:?} as buildkitd's configuration: {reason}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with the configuration.
        reason: String,
    },
    /// Another program holds the store's lock.
    #[error("another program holds the lock {path:?} of the builders")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The flags cannot be split into words.
    #[error("cannot split {text:?} into words: {reason}")]
    Words {
        /// The text.
        text: String,
        /// What is wrong with the input.
        reason: &'static str,
    },
    /// A context of the docker CLI is not usable.
    #[error("cannot use the context {name:?} of the docker CLI: {reason}")]
    Context {
        /// Its name.
        name: String,
        /// The reason.
        reason: String,
    },
    /// A required program is not installed.
    #[error("{program} is not on PATH")]
    NotOnPath {
        /// Its name.
        program: String,
    },
    /// A BuildKit was started but does not answer.
    #[error("the BuildKit of {name} was started and does not answer: {said}")]
    NotStarted {
        /// The container.
        name: String,
        /// The last output of its programs.
        said: String,
    },
    /// `kubectl` or its cluster reported an error.
    #[error("cannot {what}: kubectl says: {said}")]
    Kubectl {
        /// The purpose of the call.
        what: String,
        /// The error message.
        said: String,
    },
    /// The pods did not become ready in time, or have vanished.
    #[error("the pods of the {name} are not ready: {said}")]
    PodsNotReady {
        /// The object that manages the pods.
        name: String,
        /// What the pods wait for.
        said: String,
        /// A suggestion for the user.
        hint: String,
    },
    /// An error of a node's daemon, or of the engine that runs it.
    #[error(transparent)]
    Client(#[from] client::Error),
}

impl Error {
    /// Returns a suggestion for the user, if there is one: one line, without a final dot.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotFound { known, .. } if known.is_empty() => {
                "make one: solvekit create --name NAME --use".to_owned()
            }
            Self::NotFound { known, .. } => format!("there are: {}", known.join(", ")),
            Self::Exists { name } => format!(
                "add a node with --append --name {name}, change one with --node, or take another \
                 name"
            ),
            Self::LastNode { builder, .. } => {
                format!("remove the builder: solvekit rm {builder}")
            }
            Self::UnknownOption { driver, .. } => match driver.options() {
                [] => format!("the {driver} driver has no options"),
                options if *driver == Driver::Kubernetes => format!(
                    "there are: {}; an option with commas is quoted: --driver-opt \
                     '\"nodeselector=a=b,c=d\"'",
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
                "the kubernetes driver speaks to the cluster through kubectl: install it, and see \
                 that kubectl get pods works"
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
