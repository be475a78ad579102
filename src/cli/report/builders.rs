//! The next step when a builder or one of its nodes cannot be used, by the type of the error.

use solvekit::builder::{ClusterRefusal, Driver, Error, KubectlProblem, NodeProblem, PodsProblem};

use super::buildx_words;
use super::usage::Advised;
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
            Self::Kubectl { source, .. } => for_cluster(source),
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

fn for_cluster(problem: &KubectlProblem) -> String {
    let refusal = match problem {
        KubectlProblem::Failed { refusal, .. } => refusal.as_ref(),
        KubectlProblem::NoKubeconfig { .. } => {
            return "restore the file, or create the builder again with the current KUBECONFIG"
                .to_owned();
        }
        _ => None,
    };
    let advice = match refusal {
        Some(ClusterRefusal::Forbidden) => {
            "the user of the kubeconfig needs a Role with get, create, delete on deployments and \
             statefulsets, create, update, delete on configmaps, get, list, watch on pods, create \
             on pods/exec, list on events, and list, delete on persistentvolumeclaims: \
             examples/kubernetes/role.yaml is one; kubectl auth can-i --list shows what there is"
        }
        Some(ClusterRefusal::Unauthorized) => {
            "log in to the cluster again; kubectl get pods has to work"
        }
        Some(ClusterRefusal::NoNamespace { name }) => {
            return format!(
                "create it: kubectl create namespace {name}; or take another with --driver-opt \
                 namespace="
            );
        }
        Some(ClusterRefusal::Quota) => {
            "ask for less (--driver-opt requests.cpu=…,requests.memory=…,replicas=…), or have the \
             quota raised"
        }
        _ => {
            "kubectl get pods has to work here: KUBECONFIG names the cluster's configuration, \
             kubectl config use-context its context"
        }
    };
    advice.to_owned()
}

/// kubectl's flag for a namespace other than the context's.
pub(super) fn namespace_flag(namespace: Option<&String>) -> String {
    let flag = namespace.map(|name| format!(" --namespace={name}"));
    flag.unwrap_or_default()
}

fn for_pods(problem: &PodsProblem) -> Option<String> {
    Some(match problem {
        PodsProblem::ScaledDown {
            object,
            replicas,
            namespace,
        } => format!(
            "kubectl{} scale {object} --replicas={replicas}",
            namespace_flag(namespace.as_ref())
        ),
        PodsProblem::ImagePull { image } => format!(
            "the nodes cannot pull {image:?}: name an image that they can (--driver-opt image=…), \
             and give the service account the pull secret"
        ),
        PodsProblem::PodSecurity { namespace } => format!(
            "BuildKit's pods need the level privileged, rootless ones too: kubectl label \
             --overwrite namespace {namespace} pod-security.kubernetes.io/enforce=privileged; or \
             take a namespace that has it (--driver-opt namespace=…)"
        ),
        PodsProblem::Privileged { rootless: false } => {
            "privileged pods are not allowed there: --driver-opt rootless=true needs less, or have \
             the namespace allow them"
                .to_owned()
        }
        PodsProblem::Privileged { rootless: true } => {
            "rootless pods run without the filter of system calls (seccomp) and without AppArmor: \
             have the namespace allow that"
                .to_owned()
        }
        PodsProblem::Quota {
            namespace,
            unspecified: true,
        } => format!(
            "the quota wants every pod to say what it takes: --driver-opt \
             requests.cpu=…,requests.memory=…,limits.cpu=…,limits.memory=…; kubectl \
             --namespace={namespace} describe quota shows it"
        ),
        PodsProblem::Quota { namespace, .. } => format!(
            "ask for less (--driver-opt requests.cpu=…,requests.memory=…,replicas=…), or have the \
             quota raised: kubectl --namespace={namespace} describe quota shows it"
        ),
        PodsProblem::NoServiceAccount { name, namespace } => format!(
            "create it: kubectl --namespace={namespace} create serviceaccount {name}; or take \
             another with --driver-opt serviceaccount=…"
        ),
        PodsProblem::OutOfMemory { limit } => format!(
            "BuildKit and its steps take more than {limit} of memory: create the builder with a \
             higher --driver-opt limits.memory=…"
        ),
        PodsProblem::NoVolume {
            claim,
            namespace,
            no_class,
        } => no_volume(claim, namespace, *no_class),
        PodsProblem::Unschedulable => "no node takes the pod: ask for less (--driver-opt \
             requests.cpu=…,requests.memory=…), or choose other nodes (nodeselector, tolerations)"
            .to_owned(),
        PodsProblem::Crashing { pod, namespace } => format!(
            "kubectl{} logs {pod} --previous shows its output",
            namespace_flag(namespace.as_ref())
        ),
        PodsProblem::Waiting { object, namespace } => format!(
            "kubectl{} describe {object} tells more; --driver-opt timeout=5m waits longer",
            namespace_flag(namespace.as_ref())
        ),
        _ => return None,
    })
}

fn no_volume(claim: &str, namespace: &str, no_class: bool) -> String {
    let claim = format!("kubectl --namespace={namespace} describe persistentvolumeclaim {claim}");
    match no_class {
        true => format!(
            "the cluster has no default StorageClass that makes volumes: kubectl get storageclass \
             lists the classes; make one the default, or leave out \
             persistent-volume-claim.requests.storage (the cache is then lost with the pod); \
             {claim} shows more"
        ),
        false => format!("no volume is provided for the pod: {claim} shows more"),
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
            (
                Some(ClusterRefusal::Forbidden),
                "list on events, and list, delete on persistentvolumeclaims",
            ),
            (Some(ClusterRefusal::Unauthorized), "log in"),
            (
                Some(ClusterRefusal::NoNamespace { name: "ci".into() }),
                "kubectl create namespace ci",
            ),
            (Some(ClusterRefusal::Quota), "ask for less"),
            (None, "KUBECONFIG"),
        ] {
            let advice = advice(refusal);
            assert!(advice.contains(part), "{advice}");
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
                replicas: 2,
                namespace: Some("ci".to_owned()),
            }),
            "kubectl --namespace=ci scale deployments.apps/a0 --replicas=2"
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
                object: "deployments.apps/a0".to_owned(),
                namespace: None
            }),
            "kubectl describe deployments.apps/a0 tells more; --driver-opt timeout=5m waits longer"
        );
        let account = advice(PodsProblem::NoServiceAccount {
            name: "runner".to_owned(),
            namespace: "ci".to_owned(),
        });
        assert!(account.contains("kubectl --namespace=ci create serviceaccount runner"));
        let memory = advice(PodsProblem::OutOfMemory {
            limit: "200Mi".to_owned(),
        });
        assert!(memory.contains("more than 200Mi") && memory.contains("limits.memory"));
        let advice = advice(PodsProblem::NoVolume {
            claim: "buildkitd-a0-0".to_owned(),
            namespace: "ci".to_owned(),
            no_class: true,
        });
        for part in [
            "kubectl get storageclass",
            "describe persistentvolumeclaim buildkitd-a0-0",
        ] {
            assert!(advice.contains(part), "{advice}");
        }
    }
}
