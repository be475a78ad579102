//! Creates the pods, waits until they are ready, and explains why they are not.

use std::time::{Duration, Instant};

use super::super::pull::step;
use super::super::{ClusterRefusal, KubectlProblem, PodsProblem};
use super::objects::Object;
use super::pods::{Event, List, Pod, Workload};
use super::{Boot, Error, Kubernetes, manifest};

/// The polling interval.
const PULSE: Duration = Duration::from_millis(700);
/// How many warnings of a pod are shown.
const WARNINGS: usize = 3;

impl Kubernetes {
    /// Makes sure that there is a pod to connect to.
    pub(in crate::builder) async fn boot(&self, boot: &Boot<'_>) -> Result<(), Error> {
        let workload = self.workload().await?;
        if workload
            .as_ref()
            .is_some_and(|workload| workload.status.ready_replicas > 0)
        {
            return Ok(());
        }
        let say = boot.say;
        let began = Instant::now();
        say("#1 [internal] booting buildkit");
        match workload {
            None => {
                for object in manifest::objects(&self.name, &self.node, &self.options) {
                    let name = format!("creating {} {}", object.kind(), object.name());
                    step(say, &name, self.put(&object)).await?;
                }
            }
            Some(workload) if workload.spec.replicas == Some(0) => return Err(self.scaled_down()),
            Some(_) => {}
        }
        let waiting = format!(
            "waiting for {} pods to be ready, timeout: {}s",
            self.options.replicas,
            self.options.timeout.as_secs_f64()
        );
        step(say, &waiting, self.wait(say)).await?;
        say(&format!("#1 DONE {:.1}s", began.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Creates an object. An old ConfigMap is replaced; pods that somebody else has just created
    /// are accepted.
    async fn put(&self, object: &Object) -> Result<(), Error> {
        let json = serde_json::to_vec(object).unwrap_or_default();
        let what = format!("create the {} {}", object.kind(), object.name());
        let create = ["create", "--filename=-"];
        match self.kubectl.run_with(&what, &create, Some(&json)).await {
            Err(error) if refusal(&error) == Some(ClusterRefusal::Exists) => match object {
                Object::ConfigMap(_) => {
                    let what = format!("replace the {} {}", object.kind(), object.name());
                    let replace = ["replace", "--filename=-"];
                    let replaced = self.kubectl.run_with(&what, &replace, Some(&json));
                    replaced.await.map(drop)
                }
                _ => Ok(()),
            },
            created => created.map(drop),
        }
    }

    async fn wait(&self, say: &(dyn Fn(&str) + Sync)) -> Result<(), Error> {
        let until = Instant::now() + self.options.timeout;
        let mut last_state = String::new();
        let mut last = None;
        loop {
            match self.look().await {
                Ok((workload, pods)) => {
                    if workload.status.ready_replicas >= self.options.replicas {
                        return Ok(());
                    }
                    let now = progress(&pods);
                    if now != last_state && !now.is_empty() {
                        say(&format!("#1 {now}"));
                    }
                    last_state = now;
                    last = Some((workload, pods));
                }
                Err(error) if is_final(&error) || Instant::now() >= until => return Err(error),
                // The cluster may answer again.
                Err(_) => {}
            }
            if Instant::now() >= until {
                let (workload, pods) = last.unwrap_or_default();
                let warnings = self.warnings(&pods).await;
                return Err(self.not_ready(Some(&workload), &pods, warnings));
            }
            tokio::time::sleep(PULSE).await;
        }
    }

    async fn look(&self) -> Result<(Workload, Vec<Pod>), Error> {
        let (workload, pods) = tokio::join!(self.workload(), self.pods());
        Ok((workload?.unwrap_or_default(), pods?))
    }

    /// Returns the warnings of the first pod that is not ready.
    async fn warnings(&self, pods: &[Pod]) -> Vec<String> {
        let Some(pod) = pods.iter().find(|pod| !pod.is_ready()) else {
            return Vec::new();
        };
        let field = format!("--field-selector=involvedObject.name={}", pod.metadata.name);
        // Without permission to read events, the pods' states must do.
        let list = self
            .kubectl
            .get("list the events", &["events", &field])
            .await;
        let list: List<Event> = list.ok().flatten().unwrap_or_default();
        let mut warnings: Vec<String> =
            list.items.iter().rev().filter_map(Event::warning).collect();
        warnings.dedup();
        warnings.truncate(WARNINGS);
        warnings
    }

    fn scaled_down(&self) -> Error {
        Error::PodsNotReady {
            name: self.kind(),
            state: "it is scaled to 0 pods".to_owned(),
            problem: PodsProblem::ScaledDown {
                object: format!("{}/{}", self.resource(), self.name),
                replicas: self.options.replicas,
            },
        }
    }

    /// Returns the error for pods that are not ready, with the kind of the problem.
    pub(super) fn not_ready(
        &self,
        workload: Option<&Workload>,
        pods: &[Pod],
        warnings: Vec<String>,
    ) -> Error {
        let ready = pods.iter().filter(|pod| pod.is_ready()).count();
        let mut states = vec![match workload {
            Some(_) => format!(
                "{ready} of {} after {}s",
                self.options.replicas,
                self.options.timeout.as_secs_f64()
            ),
            None => "none of them runs".to_owned(),
        }];
        states.extend(workload.and_then(Workload::trouble));
        let unready = pods.iter().filter(|pod| !pod.is_ready());
        states.extend(unready.map(|pod| format!("{} is {}", pod.metadata.name, pod.state())));
        states.extend(warnings);
        let state = states.join("; ");
        Error::PodsNotReady {
            name: self.kind(),
            problem: self.problem(&state, pods),
            state,
        }
    }

    /// Recognizes the problem by the reasons that the cluster gives.
    fn problem(&self, state: &str, pods: &[Pod]) -> PodsProblem {
        let any = |reasons: &[&str]| reasons.iter().any(|reason| state.contains(reason));
        let pod = pods.iter().find(|pod| !pod.is_ready());
        let pod = pod.map(|pod| pod.metadata.name.clone());
        let namespace = self.options.namespace.clone();
        if any(&["ImagePullBackOff", "ErrImagePull", "InvalidImageName"]) {
            let image = self.options.image.clone();
            return PodsProblem::ImagePull { image };
        }
        if any(&["PodSecurity", "rivileged"]) {
            return PodsProblem::Privileged;
        }
        if any(&["Unschedulable", "FailedScheduling"]) {
            return PodsProblem::Unschedulable;
        }
        match pod {
            Some(pod) if any(&["CrashLoopBackOff", "ended with", "Unhealthy"]) => {
                PodsProblem::Crashing { pod, namespace }
            }
            pod => PodsProblem::Waiting { pod, namespace },
        }
    }
}

/// Describes all pods in one line.
fn progress(pods: &[Pod]) -> String {
    let states: Vec<String> = pods
        .iter()
        .map(|pod| format!("{} is {}", pod.metadata.name, pod.state()))
        .collect();
    states.join(", ")
}

/// True if a retry cannot help.
fn is_final(error: &Error) -> bool {
    match error {
        Error::Kubectl { .. } => matches!(
            refusal(error),
            Some(ClusterRefusal::Forbidden | ClusterRefusal::Unauthorized)
        ),
        _ => true,
    }
}

fn refusal(error: &Error) -> Option<ClusterRefusal> {
    match error {
        Error::Kubectl {
            source: KubectlProblem::Failed { refusal, .. },
            ..
        } => *refusal,
        _ => None,
    }
}
