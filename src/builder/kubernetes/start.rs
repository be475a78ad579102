//! Creates the pods, waits until they are ready, and explains why they are not.

use std::time::{Duration, Instant};

use super::super::{ClusterRefusal, KubectlProblem, Lines, PodReport, PodsProblem};
use super::cluster_data::count;
use super::objects::Object;
use super::pods::Pod;
use super::trouble::Seen;
use super::watch::{Change, Watch};
use super::{Boot, Error, Kubernetes, manifest};

/// The first interval between two queries of the pods, without a watch.
const QUICK: Duration = Duration::from_millis(500);
/// The first interval between two queries for the reason why there are no pods.
const SLOW: Duration = Duration::from_secs(3);

/// The pods that exist when a node has been started.
#[derive(Debug)]
pub(in crate::builder) struct Pods(pub(super) Vec<Pod>);

impl Pods {
    /// Returns the pods' part of a report.
    pub(in crate::builder) fn reports(&self) -> Vec<PodReport> {
        let report = |pod: &Pod| PodReport {
            name: pod.metadata.name.clone(),
            state: pod.state(),
        };
        self.0.iter().map(report).collect()
    }
}

impl Kubernetes {
    /// Makes sure that a pod exists to connect to, and returns the pods.
    pub(in crate::builder) async fn boot(&self, boot: &Boot<'_>) -> Result<Pods, Error> {
        let pods = self.pods().await?;
        if pods.iter().any(Pod::is_ready) {
            return Ok(Pods(pods));
        }
        let workload = self.workload().await?;
        let lines = boot.lines();
        let began = Instant::now();
        lines.say("[internal] booting buildkit");
        match workload {
            None => {
                for object in manifest::objects(&self.name, &self.node, &self.options) {
                    let name = format!("creating {} {}", object.kind(), object.name());
                    lines.step(&name, self.put(&object)).await?;
                }
            }
            Some(workload) if workload.spec.replicas == Some(0) => return Err(self.scaled_down()),
            Some(_) => {}
        }
        let waiting = format!(
            "waiting for {} to be ready, timeout: {}s",
            count(self.options.replicas.into(), "pod"),
            self.options.timeout.as_secs_f64()
        );
        let pods = lines.step(&waiting, self.wait(lines)).await?;
        lines.say(&format!("DONE {:.1}s", began.elapsed().as_secs_f64()));
        Ok(Pods(pods))
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

    /// Waits until the pods are ready. One kubectl watches them; slower queries find out why the
    /// cluster creates none. Users who may not watch pods have only the queries.
    async fn wait(&self, lines: Lines<'_>) -> Result<Vec<Pod>, Error> {
        let began = Instant::now();
        let until = began + self.options.timeout;
        let selector = self.selector();
        let mut watch = Watch::start(
            &self.kubectl,
            self.options.timeout + QUICK,
            &["pods", &selector],
        );
        let mut pause = Pause::new(watch.is_some());
        let (mut seen, mut told) = (Seen::default(), String::new());
        loop {
            let looked = tokio::select! {
                change = changes(&mut watch), if watch.is_some() => {
                    match change {
                        Some(change) => apply(&mut seen.pods, change),
                        None => {
                            watch = None;
                            pause = Pause::new(false);
                        }
                    }
                    Ok(())
                }
                () = tokio::time::sleep(pause.until(until)) => {
                    pause.lengthen();
                    self.look(&mut seen, watch.is_none()).await
                }
            };
            let is_late = Instant::now() >= until;
            match looked {
                Err(error) if is_final(&error) || is_late => return Err(error),
                // The cluster may answer the next time.
                Err(_) => continue,
                Ok(()) => {}
            }
            if self.are_ready(&seen.pods) {
                return Ok(seen.pods);
            }
            let now = progress(&seen);
            if now != told && !now.is_empty() {
                lines.say(&now);
                told = now;
            }
            let is_hopeless = seen.refusal.as_deref().is_some_and(is_hopeless);
            if is_late || is_hopeless {
                let warnings = self.pod_warnings(&seen.pods).await;
                let ready = self.ready_after(&seen.pods, began.elapsed());
                return Err(self.not_ready(ready, &seen, &warnings));
            }
        }
    }

    /// Queries the pods, unless they are watched, and the reason why some are missing.
    async fn look(&self, seen: &mut Seen, pods_too: bool) -> Result<(), Error> {
        if pods_too {
            seen.pods = self.pods().await?;
        }
        let replicas = usize::try_from(self.options.replicas).unwrap_or_default();
        seen.refusal = None;
        if seen.pods.len() < replicas {
            seen.workload = self.workload().await?;
            seen.refusal = self.refusal(seen.workload.as_ref()).await;
        }
        Ok(())
    }

    fn are_ready(&self, pods: &[Pod]) -> bool {
        let ready = pods.iter().filter(|pod| pod.is_ready()).count();
        i32::try_from(ready).unwrap_or(i32::MAX) >= self.options.replicas
    }

    /// `0 of 1 after 120s`.
    fn ready_after(&self, pods: &[Pod], elapsed: Duration) -> String {
        let ready = pods.iter().filter(|pod| pod.is_ready()).count();
        let seconds = match elapsed >= self.options.timeout {
            true => self.options.timeout.as_secs_f64(),
            false => elapsed.as_secs_f64().ceil(),
        };
        format!("{ready} of {} after {seconds}s", self.options.replicas)
    }

    fn scaled_down(&self) -> Error {
        Error::PodsNotReady {
            name: self.kind(),
            state: "it is scaled to 0 pods".to_owned(),
            problem: PodsProblem::ScaledDown {
                object: format!("{}/{}", self.resource(), self.name),
                replicas: self.options.replicas,
                namespace: self.options.namespace.clone(),
            },
        }
    }
}

/// The next change of a pod. Waits forever without a watch.
async fn changes(watch: &mut Option<Watch>) -> Option<Change<Pod>> {
    watch.as_mut()?.next().await
}

fn apply(pods: &mut Vec<Pod>, change: Change<Pod>) {
    pods.retain(|pod| pod.metadata.name != change.object.metadata.name);
    if !change.is_deletion() {
        pods.push(change.object);
    }
    pods.sort_by(|one, other| one.metadata.name.cmp(&other.metadata.name));
}

/// The interval between two queries, which grows.
struct Pause {
    length: Duration,
    longest: Duration,
    next: Instant,
}

impl Pause {
    /// With a watch, queries only find out why there are no pods.
    fn new(is_watched: bool) -> Self {
        let (length, longest) = match is_watched {
            true => (SLOW, 4 * SLOW),
            false => (QUICK, SLOW),
        };
        Self {
            length,
            longest,
            next: Instant::now() + length,
        }
    }

    /// The time until the next query, or until the end.
    fn until(&self, end: Instant) -> Duration {
        self.next.min(end).saturating_duration_since(Instant::now())
    }

    fn lengthen(&mut self) {
        self.length = (self.length * 3 / 2).min(self.longest);
        self.next = Instant::now() + self.length;
    }
}

/// Describes all pods in one line, and why some are missing.
fn progress(seen: &Seen) -> String {
    let states = seen.pods.iter();
    let states = states.map(|pod| format!("{} is {}", pod.metadata.name, pod.state()));
    let refusal = seen.refusal.iter().cloned();
    states.chain(refusal).collect::<Vec<_>>().join(", ")
}

/// True if only a change of the namespace helps, so that waiting is useless.
fn is_hopeless(refusal: &str) -> bool {
    refusal.contains("violates PodSecurity")
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
        } => refusal.clone(),
        _ => None,
    }
}
