//! Explains why pods are not ready: from the cluster's data about them, their volumes and the
//! object that manages them.

use super::super::{Error, PodsProblem};
use super::cluster_data::List;
use super::events::Event;
use super::pods::Pod;
use super::workload::Workload;
use super::{Kubernetes, manifest};

/// The most warnings of an object that are shown.
const WARNINGS: usize = 3;
/// The text for a claim without a volume, in the conditions and events of its pod.
const UNBOUND: &str = "unbound immediate PersistentVolumeClaims";

/// The observed state of pods that are not ready.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) workload: Option<Workload>,
    pub(super) pods: Vec<Pod>,
    /// The reason why the cluster creates no pods.
    pub(super) refusal: Option<String>,
}

impl Kubernetes {
    /// Returns the reason why the cluster creates no pods: for a Deployment from a condition, for a
    /// StatefulSet from an event.
    pub(super) async fn refusal(&self, workload: Option<&Workload>) -> Option<String> {
        match self.options.volume {
            None => workload.and_then(Workload::trouble),
            Some(_) => {
                let warnings = self.warnings(&self.name).await;
                warnings.first().and_then(Event::trouble)
            }
        }
    }

    /// Returns the last warnings about an object; none without permission to read events.
    async fn warnings(&self, name: &str) -> Vec<Event> {
        let field = format!("--field-selector=involvedObject.name={name}");
        let events = ["events", field.as_str()];
        let list = self.kubectl.get("list the events", &events).await;
        let list: List<Event> = list.ok().flatten().unwrap_or_default();
        let warnings = list.items.into_iter().rev();
        warnings.filter(|event| event.trouble().is_some()).collect()
    }

    /// Returns the warnings about the first pod that is not ready, and about its volume.
    pub(super) async fn pod_warnings(&self, pods: &[Pod]) -> Vec<Event> {
        let Some(pod) = pods.iter().find(|pod| !pod.is_ready()) else {
            return Vec::new();
        };
        let mut warnings = self.warnings(&pod.metadata.name).await;
        if pod.state().contains(UNBOUND) {
            warnings.extend(self.warnings(&claim(pod)).await);
        }
        warnings
    }

    /// Returns the error for pods that are not ready, with the kind of the problem. `ready`
    /// contains the number of ready ones: `0 of 1 after 120s`.
    pub(super) fn not_ready(&self, ready: String, seen: &Seen, warnings: &[Event]) -> Error {
        let mut states = vec![ready];
        states.extend(seen.refusal.clone());
        let unready = || seen.pods.iter().filter(|pod| !pod.is_ready());
        states.extend(unready().map(|pod| format!("{} is {}", pod.metadata.name, pod.state())));
        let mut state = states.join("; ");
        let mut shown = 0;
        for warning in warnings {
            if shown < WARNINGS
                && !warning.is_known(&state, unready().next())
                && let Some(text) = warning.trouble()
            {
                state = format!("{state}; {text}");
                shown += 1;
            }
        }
        Error::PodsNotReady {
            name: self.kind(),
            problem: self.problem(&state, seen),
            state,
        }
    }

    /// Recognizes the problem by the reasons in the cluster's data.
    fn problem(&self, state: &str, seen: &Seen) -> PodsProblem {
        let any = |reasons: &[&str]| reasons.iter().any(|reason| state.contains(reason));
        let pod = seen.pods.iter().find(|pod| !pod.is_ready());
        // Warnings may be older than the state.
        if let Some(pod) = pod.filter(|pod| pod.is_crashing()) {
            return self.crash(pod);
        }
        if any(&["ImagePullBackOff", "ErrImagePull", "InvalidImageName"]) {
            let image = self.options.image.clone();
            return PodsProblem::ImagePull { image };
        }
        if any(&["violates PodSecurity"]) {
            let namespace = self.namespace_of(seen);
            return PodsProblem::PodSecurity { namespace };
        }
        if any(&["exceeded quota", "failed quota"]) {
            return PodsProblem::Quota {
                namespace: self.namespace_of(seen),
                unspecified: any(&["must specify"]),
            };
        }
        if let Some(account) = self.options.service_account.clone()
            && any(&[&format!("serviceaccount \"{account}\" not found")])
        {
            return PodsProblem::NoServiceAccount {
                name: account,
                namespace: self.namespace_of(seen),
            };
        }
        if any(&["rivileged"]) {
            let rootless = self.options.rootless;
            return PodsProblem::Privileged { rootless };
        }
        if let Some(pod) = pod.filter(|_| any(&[UNBOUND])) {
            return PodsProblem::NoVolume {
                claim: claim(pod),
                namespace: self.namespace_of(seen),
                no_class: any(&["no storage class is set"]),
            };
        }
        if any(&["Unschedulable", "FailedScheduling"]) {
            return PodsProblem::Unschedulable;
        }
        let namespace = self.options.namespace.clone();
        match pod.map(|pod| pod.metadata.name.clone()) {
            Some(pod) if any(&["Unhealthy"]) => PodsProblem::Crashing { pod, namespace },
            Some(pod) => PodsProblem::Waiting {
                object: format!("pod/{pod}"),
                namespace,
            },
            None => PodsProblem::Waiting {
                object: format!("{}/{}", self.resource(), self.name),
                namespace,
            },
        }
    }

    fn crash(&self, pod: &Pod) -> PodsProblem {
        let namespace = self.options.namespace.clone();
        match self.options.limits.get("memory") {
            Some(limit) if pod.is_out_of_memory() => PodsProblem::OutOfMemory {
                limit: limit.clone(),
            },
            _ => PodsProblem::Crashing {
                pod: pod.metadata.name.clone(),
                namespace,
            },
        }
    }

    /// Returns the namespace: the option's, else that of the objects, which is the context's.
    fn namespace_of(&self, seen: &Seen) -> String {
        let of_workload = seen.workload.iter().map(|workload| &workload.metadata);
        let of_pods = seen.pods.iter().map(|pod| &pod.metadata);
        let mut names = of_workload.chain(of_pods).map(|one| one.namespace.clone());
        let of_object = || names.find(|name| !name.is_empty());
        let named = self.options.namespace.clone().or_else(of_object);
        named.unwrap_or_else(|| "default".to_owned())
    }
}

/// The claim of a pod's state volume.
fn claim(pod: &Pod) -> String {
    format!("{}-{}", manifest::STATE, pod.metadata.name)
}
