//! Errors of builders.

use std::io;
use std::path::PathBuf;

use super::{
    ConfigProblem, ContextProblem, Driver, KubectlProblem, NodeProblem, OptionProblem, PodsProblem,
};
use crate::client;
use crate::spread;

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
    /// The headers for the Docker Engine cannot be sent.
    #[error("cannot use HttpHeaders in the docker CLI's config.json")]
    EngineHeaders {
        /// The problem with the headers.
        #[source]
        source: client::EngineHeaderProblem,
    },
    /// The builder's placement is unknown.
    #[error("the builder {builder:?} has a placement that this version does not know")]
    Placement {
        /// The builder.
        builder: String,
        /// The placement.
        #[source]
        source: spread::UnknownPlacement,
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
    /// The driver cannot use the node.
    #[error("cannot use a node of the {driver} driver")]
    Node {
        /// The driver.
        driver: Driver,
        /// The cause.
        source: NodeProblem,
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
    #[error("the option {option:?} of the {driver} driver cannot be {value:?}")]
    InvalidOption {
        /// The driver.
        driver: Driver,
        /// The option.
        option: String,
        /// The value.
        value: String,
        /// The problem with the value.
        source: OptionProblem,
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
    #[error("cannot understand {path:?}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// The mistake in the file.
        source: serde_json::Error,
    },
    /// The configuration of `buildkitd` has a mistake.
    #[error("cannot use {path:?} as buildkitd's configuration")]
    Config {
        /// The file.
        path: PathBuf,
        /// The mistake in the configuration.
        source: ConfigProblem,
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
        /// The mistake in the text.
        reason: &'static str,
    },
    /// A context of the docker CLI is not usable.
    #[error("cannot use the context {name:?} of the docker CLI")]
    Context {
        /// Its name.
        name: String,
        /// The reason.
        source: ContextProblem,
    },
    /// A required program is not installed.
    #[error("{program} is not on PATH")]
    NotOnPath {
        /// Its name.
        program: String,
    },
    /// A BuildKit was started but does not answer.
    #[error("the BuildKit of {name} was started and does not answer: {output}")]
    NotStarted {
        /// The container.
        name: String,
        /// The last output of its programs.
        output: String,
    },
    /// `kubectl` or its cluster reported an error.
    #[error("cannot {action}")]
    Kubectl {
        /// The purpose of the call, such as `list the pods`.
        action: String,
        /// The cause.
        source: KubectlProblem,
    },
    /// The pods did not become ready in time, or have vanished.
    #[error("the pods of the {name} are not ready: {state}")]
    PodsNotReady {
        /// The object that manages the pods.
        name: String,
        /// The state of the pods, as the cluster describes it.
        state: String,
        /// The kind of the problem.
        problem: PodsProblem,
    },
    /// An error of a node's daemon, or of the engine that runs it.
    #[error(transparent)]
    Client(#[from] client::Error),
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"))
}
