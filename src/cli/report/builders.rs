//! The next step when a builder or one of its nodes cannot be used, by the type of the error.

use solvekit::builder::{ClusterRefusal, Driver, Error, KubectlProblem, NodeProblem, PodsProblem};

use super::buildx_words;
use super::usage::Advised;

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
            Self::NotOnPath { program } if program == "kubectl" => {
                "the kubernetes driver speaks to the cluster through kubectl: install it, and see \
                 that kubectl get pods works"
                    .to_owned()
            }
            Self::NotOnPath { .. } => {
                "the local driver needs buildkitd, runc and, without root, rootlesskit on PATH"
                    .to_owned()
            }
            Self::Kubectl { source, .. } => for_cluster(source).to_owned(),
            Self::PodsNotReady { problem, .. } => for_pods(problem)?,
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

fn for_cluster(problem: &KubectlProblem) -> &'static str {
    let refusal = match problem {
        KubectlProblem::Failed { refusal, .. } => *refusal,
        _ => None,
    };
    match refusal {
        Some(ClusterRefusal::Forbidden) => {
            "the user of the kubeconfig needs a Role with get, create, delete on deployments and \
             statefulsets, create, update, delete on configmaps, get, list on pods, create on \
             pods/exec: examples/kubernetes/role.yaml is one; kubectl auth can-i --list shows what \
             there is"
        }
        Some(ClusterRefusal::Unauthorized) => {
            "log in to the cluster again; kubectl get pods has to work"
        }
        Some(ClusterRefusal::NoNamespace) => {
            "create the namespace: kubectl create namespace NAME; or take another: --driver-opt \
             namespace=NAME"
        }
        Some(ClusterRefusal::Quota) => {
            "ask for less (--driver-opt requests.cpu=…,requests.memory=…,replicas=…), or have the \
             quota raised"
        }
        _ => {
            "kubectl get pods has to work here: KUBECONFIG names the cluster's configuration, \
             kubectl config use-context its context"
        }
    }
}

fn for_pods(problem: &PodsProblem) -> Option<String> {
    let flag = |namespace: &Option<String>| {
        let flag = namespace
            .as_ref()
            .map(|name| format!(" --namespace={name}"));
        flag.unwrap_or_default()
    };
    Some(match problem {
        PodsProblem::ScaledDown { object, replicas } => {
            format!("kubectl scale {object} --replicas={replicas}")
        }
        PodsProblem::ImagePull { image } => format!(
            "the nodes cannot pull {image:?}: name an image that they can (--driver-opt image=…), \
             and give the service account the pull secret"
        ),
        PodsProblem::Privileged => {
            "privileged pods are not allowed there: --driver-opt rootless=true needs less, or have \
             the namespace allow them"
                .to_owned()
        }
        PodsProblem::Unschedulable => "no node takes the pod: ask for less (--driver-opt \
             requests.cpu=…,requests.memory=…), or choose other nodes (nodeselector, tolerations)"
            .to_owned(),
        PodsProblem::Crashing { pod, namespace } => format!(
            "kubectl{} logs {pod} --previous shows its output",
            flag(namespace)
        ),
        PodsProblem::Waiting { pod, namespace } => format!(
            "kubectl{} describe pod {} tells more; --driver-opt timeout=5m waits longer",
            flag(namespace),
            pod.as_deref().unwrap_or("POD")
        ),
        _ => return None,
    })
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

    #[test]
    fn each_refusal_of_a_cluster_has_its_own_step() {
        let advice = |refusal| {
            let error = Error::Kubectl {
                action: "list the pods".to_owned(),
                source: KubectlProblem::Failed {
                    message: "no".to_owned(),
                    refusal,
                },
            };
            error.advice().unwrap()
        };
        for (refusal, part) in [
            (Some(ClusterRefusal::Forbidden), "role.yaml"),
            (Some(ClusterRefusal::Unauthorized), "log in"),
            (Some(ClusterRefusal::NoNamespace), "namespace=NAME"),
            (Some(ClusterRefusal::Quota), "ask for less"),
            (None, "KUBECONFIG"),
        ] {
            assert!(advice(refusal).contains(part), "{}", advice(refusal));
        }
    }

    #[test]
    fn pods_that_are_not_ready_are_looked_at_with_kubectl() {
        let advice = |problem| {
            let error = Error::PodsNotReady {
                name: "Deployment a0".to_owned(),
                state: "0 of 1".to_owned(),
                problem,
            };
            error.advice().unwrap()
        };
        assert_eq!(
            advice(PodsProblem::ScaledDown {
                object: "deployments.apps/a0".to_owned(),
                replicas: 2
            }),
            "kubectl scale deployments.apps/a0 --replicas=2"
        );
        assert_eq!(
            advice(PodsProblem::Crashing {
                pod: "a0-x".to_owned(),
                namespace: Some("ci".to_owned())
            }),
            "kubectl --namespace=ci logs a0-x --previous shows its output"
        );
        assert_eq!(
            advice(PodsProblem::Waiting {
                pod: None,
                namespace: None
            }),
            "kubectl describe pod POD tells more; --driver-opt timeout=5m waits longer"
        );
    }
}
