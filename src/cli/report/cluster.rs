//! The next step when a cluster or its pods fail, by the type of the problem.

use solvekit::builder::{ClusterRefusal, KubectlProblem, PodsProblem};
use solvekit::client::{Pod, PodEnd};

const CLUSTER_AWAY: &str = "kubectl cluster-info has to work here: see that the cluster runs and \
                            this machine reaches it; KUBECONFIG names its configuration, kubectl \
                            config use-context its context";
const MORE_MEMORY: &str = "BuildKit and its steps take more memory than that: create the builder \
                           with a higher --driver-opt limits.memory=… and requests.memory=…";

/// The next step after a call of kubectl that failed.
pub(super) fn for_cluster(problem: &KubectlProblem) -> String {
    let refusal = match problem {
        KubectlProblem::Failed { refusal, .. } => refusal.as_ref(),
        KubectlProblem::NoKubeconfig { .. } => {
            return "restore the file, or create the builder again with the current KUBECONFIG"
                .to_owned();
        }
        KubectlProblem::Unreachable { .. } | KubectlProblem::TimedOut { .. } => {
            return CLUSTER_AWAY.to_owned();
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
fn namespace_flag(namespace: Option<&String>) -> String {
    let flag = namespace.map(|name| format!(" --namespace={name}"));
    flag.unwrap_or_default()
}

/// The next step for pods that are not ready.
pub(super) fn for_pods(problem: &PodsProblem) -> Option<String> {
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

/// The next step after the loss of a pod that built.
pub(super) fn for_lost_pod(pod: &Pod, end: &PodEnd) -> String {
    let context = pod.context.iter().map(|name| format!(" --context={name}"));
    let context: String = context.collect();
    let namespace = namespace_flag(pod.namespace.as_ref());
    let (kubectl, name) = (format!("kubectl{context}{namespace}"), &pod.name);
    match end {
        PodEnd::OutOfMemory { .. } => MORE_MEMORY.to_owned(),
        PodEnd::Ended { .. } => format!(
            "{kubectl} logs {name} --previous shows its output, {kubectl} describe pod {name} more"
        ),
        PodEnd::ClusterAway { .. } => {
            format!("{CLUSTER_AWAY}; then build again: finished steps are in its cache")
        }
        _ => {
            format!("{kubectl} get pods shows what became of it, {kubectl} describe pod {name} why")
        }
    }
}

#[cfg(test)]
mod tests {
    use solvekit::builder::Error;

    use super::*;
    use crate::cli::report::usage::Advised;

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
