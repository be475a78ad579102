//! The next step when a builder or one of its nodes cannot be used, by the type of the error.

use solvekit::builder::{Driver, Error, NodeProblem};

use super::usage::Advised;
use super::{buildx_words, cluster};
use crate::cli::identity::Identity;

impl Advised for Error {
    fn advice(&self) -> Option<String> {
        let hint = match self {
            Self::NotFound { known, .. } if known.is_empty() => {
                "create one: solvekit create --name NAME --use".to_owned()
            }
            Self::NotFound { known, .. } => format!("there are: {}", known.join(", ")),
            Self::Exists { name } => format!(
                "add a node with --append --name {name}, change one with --node, or take another \
                 name"
            ),
            Self::LastNode { builder, .. } => {
                format!("remove the builder: solvekit rm {builder}")
            }
            Self::UnknownOption { driver, .. } => known_options(*driver),
            Self::OtherDriver { .. } => {
                "all nodes of a builder have the same driver; leave out --driver".to_owned()
            }
            Self::Node { source, .. } => for_node(source)?.to_owned(),
            Self::Broken { path, .. } => format!(
                "the file is unchanged; repair it, or move it away: mv {0} {0}.broken",
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
            Self::File { action: "read", .. } => {
                "make it readable for this user, or name another folder with DOCKER_CONFIG (for \
                 builders: BUILDX_CONFIG)"
                    .to_owned()
            }
            Self::NotOnPath { program } if program == "kubectl" => {
                "the kubernetes driver speaks to the cluster through kubectl: install it, and see \
                 that kubectl get pods works"
                    .to_owned()
            }
            Self::NotOnPath { .. } => {
                "the local driver needs buildkitd, runc and, without root, rootlesskit on PATH"
                    .to_owned()
            }
            Self::Kubectl { source, .. } => cluster::for_cluster(source),
            Self::PodsNotReady { problem, .. } => cluster::for_pods(problem)?,
            Self::Config { .. } => {
                "https://github.com/moby/buildkit/blob/master/docs/buildkitd.toml.md describes it"
                    .to_owned()
            }
            Self::Client(error) => return error.advice(),
            _ => return None,
        };
        Some(hint)
    }

    fn in_buildx(&self) -> Option<String> {
        buildx_words::of_builder(self)
    }

    fn is_daemon_absent(&self) -> bool {
        matches!(self, Self::Client(error) if error.is_daemon_absent())
    }

    fn stands_alone(&self) -> bool {
        match self {
            Self::NotFound { .. } => true,
            Self::Client(error) => error.stands_alone(),
            _ => false,
        }
    }
}

/// The message for a node that cannot be used, in the wording of the called program.
pub(crate) fn message(error: &Error, identity: Identity) -> String {
    let words = error.in_buildx().filter(|_| identity == Identity::Buildx);
    words.unwrap_or_else(|| super::Failure::from_error(error).into_message())
}

fn known_options(driver: Driver) -> String {
    match driver.options() {
        [] => format!("the {driver} driver has no options"),
        options if driver == Driver::Kubernetes => format!(
            "there are: {}; an option with commas is quoted: --driver-opt \
             '\"nodeselector=a=b,c=d\"'",
            options.join(", ")
        ),
        options => format!("there are: {}", options.join(", ")),
    }
}

fn for_node(problem: &NodeProblem) -> Option<&'static str> {
    match problem {
        NodeProblem::NoStateFolder => Some("name one: --driver-opt root=/absolute/path"),
        NodeProblem::PodName { .. } => Some("give the node another name: --node NAME"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_option_is_answered_with_those_that_there_are() {
        let error = Driver::DockerContainer
            .parse_options(&["imge=x".to_owned()])
            .unwrap_err();
        assert!(error.advice().unwrap().contains("cpuset-cpus"));
        let error = Driver::Kubernetes
            .parse_options(&["replica=2".to_owned()])
            .unwrap_err();
        let advice = error.advice().unwrap();
        assert!(advice.contains("'\"nodeselector=a=b,c=d\"'"), "{advice}");
    }
}
