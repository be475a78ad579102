//! Creates the pods, waits until they are ready, and explains why they are not.

use std::time::{Duration, Instant};

use super::super::pull::step;
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
            .is_some_and(|one| one.status.ready_replicas > 0)
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
            Err(Error::Kubectl { said, .. }) if said.contains("(AlreadyExists)") => match object {
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
            said: "it is scaled to 0 pods".to_owned(),
            hint: format!(
                "kubectl scale {}/{} --replicas={}",
                self.resource(),
                self.name,
                self.options.replicas
            ),
        }
    }

    /// Returns the error for pods that are not ready, with a suggestion.
    pub(super) fn not_ready(
        &self,
        workload: Option<&Workload>,
        pods: &[Pod],
        warnings: Vec<String>,
    ) -> Error {
        let ready = pods.iter().filter(|pod| pod.is_ready()).count();
        let mut said = vec![match workload {
            Some(_) => format!(
                "{ready} of {} after {}s",
                self.options.replicas,
                self.options.timeout.as_secs_f64()
            ),
            None => "none of them runs".to_owned(),
        }];
        said.extend(workload.and_then(Workload::trouble));
        let unready = pods.iter().filter(|pod| !pod.is_ready());
        said.extend(unready.map(|pod| format!("{} is {}", pod.metadata.name, pod.state())));
        said.extend(warnings);
        let said = said.join("; ");
        Error::PodsNotReady {
            name: self.kind(),
            hint: self.remedy(&said, pods),
            said,
        }
    }

    fn remedy(&self, said: &str, pods: &[Pod]) -> String {
        let any = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
        let namespace = self.options.namespace.as_ref();
        let namespace = namespace.map_or_else(String::new, |name| format!(" --namespace={name}"));
        let pod = pods.iter().find(|pod| !pod.is_ready());
        let pod = pod.map_or("POD", |pod| pod.metadata.name.as_str());
        if any(&["ImagePullBackOff", "ErrImagePull", "InvalidImageName"]) {
            return format!(
                "the nodes cannot pull {:?}: name an image that they can (--driver-opt image=…), \
                 and give the service account the pull secret",
                self.options.image
            );
        }
        if any(&["PodSecurity", "rivileged"]) {
            return "privileged pods are not allowed there: --driver-opt rootless=true needs less, \
                    or have the namespace allow them"
                .to_owned();
        }
        if any(&["Unschedulable", "FailedScheduling"]) {
            return "no node takes the pod: ask for less (--driver-opt \
                    requests.cpu=…,requests.memory=…), or choose other nodes (nodeselector, \
                    tolerations)"
                .to_owned();
        }
        if any(&["CrashLoopBackOff", "ended with", "Unhealthy"]) {
            return format!("kubectl{namespace} logs {pod} --previous tells what it says");
        }
        format!(
            "kubectl{namespace} describe pod {pod} tells more; --driver-opt timeout=5m waits longer"
        )
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
        Error::Kubectl { said, .. } => ["(Forbidden)", "(Unauthorized)"]
            .iter()
            .any(|refusal| said.contains(refusal)),
        _ => true,
    }
}
