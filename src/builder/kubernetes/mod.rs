//! The `kubernetes` driver: pods with BuildKit, managed through `kubectl` and reached through
//! `kubectl exec`.

mod choose;
mod cluster_data;
mod containers;
mod end;
mod endpoint;
mod events;
mod kubectl;
mod manifest;
mod objects;
mod options;
mod pods;
mod removal;
mod replacement;
#[cfg(test)]
mod schema_tests;
mod start;
mod trouble;
mod values;
mod watch;
mod workload;

use std::time::Duration;

use self::cluster_data::List;
use self::end::Selected;
pub use self::endpoint::kubernetes_endpoint;
use self::endpoint::{escape, kubeconfig};
use self::kubectl::{Kubectl, PATIENCE};
use self::options::KubernetesOptions;
use self::pods::Pod;
use self::start::Pods;
use self::trouble::Seen;
use self::workload::Workload;
use super::{Boot, Driver, Error, Node, NodeProblem, Status};
use crate::client::{Address, Client, ConnectOptions, TimeLimits};

/// The most retries of a connection that fails at once. Nodes that have just joined a cluster
/// reject the first ones.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// The pods of a node.
#[derive(Debug, Clone)]
pub(super) struct Kubernetes {
    /// The name of the Deployment or StatefulSet.
    name: String,
    kubectl: Kubectl,
    options: KubernetesOptions,
    node: Node,
}

impl Kubernetes {
    pub(super) fn new(node: &Node) -> Result<Self, Error> {
        let name = super::check_name(&node.name)?.replace('_', "-");
        if !values::is_name(&name) {
            return Err(Error::Node {
                driver: Driver::Kubernetes,
                source: NodeProblem::PodName { name },
            });
        }
        let options = KubernetesOptions::read(&node.driver_opts)?;
        Ok(Self {
            name,
            kubectl: Kubectl {
                kubeconfig: kubeconfig(&node.endpoint)?,
                namespace: options.namespace.clone(),
                patience: PATIENCE,
            },
            options,
            node: node.clone(),
        })
    }

    /// Returns the same with another timeout for the cluster's answers.
    pub(super) fn within(&self, patience: Duration) -> Self {
        let mut hurried = self.clone();
        hurried.kubectl.patience = patience.min(PATIENCE);
        hurried
    }

    /// Returns the status, and all pods.
    pub(super) async fn status(&self) -> Result<(Status, Pods), Error> {
        let Some(workload) = self.workload().await? else {
            return Ok((Status::Inactive, Pods(Vec::new())));
        };
        let pods = self.pods().await?;
        let status = match workload.status.ready_replicas {
            ..=0 => Status::Stopped,
            _ => Status::Running,
        };
        Ok((status, Pods(pods)))
    }

    /// Returns the object that manages the pods, if it exists: `the Deployment b0 (namespace ci)`.
    pub(super) async fn existing(&self) -> Result<Option<String>, Error> {
        let namespace = self.options.namespace.iter();
        let namespace: String = namespace
            .map(|name| format!(" (namespace {name})"))
            .collect();
        let named = |_: Workload| format!("the {}{namespace}", self.kind());
        Ok(self.workload().await?.map(named))
    }

    /// Connects to the BuildKit in the pod for this key: first to one of the pods in `seen`.
    pub(super) async fn connect(
        &self,
        key: &str,
        limits: TimeLimits,
        seen: Pods,
    ) -> Result<Client, Error> {
        let mut attempt = 1;
        let Pods(mut pods) = seen;
        loop {
            let pod = self.pod(key, pods)?;
            let mut options = ConnectOptions::new(self.address(&pod.name)?);
            options.limits = limits;
            match Client::connect(&options).await {
                Err(error) if attempt < ATTEMPTS && passes(&error) => {
                    tokio::time::sleep(PAUSE * 2_u32.pow(attempt - 1)).await;
                    attempt += 1;
                    pods = self.pods().await?;
                }
                connected => {
                    let client = connected?;
                    return Ok(replacement::attach(client, self, key, pod, limits));
                }
            }
        }
    }

    /// Returns the Deployment or StatefulSet from the cluster.
    async fn workload(&self) -> Result<Option<Workload>, Error> {
        let what = format!("look at the {}", self.kind());
        self.kubectl
            .get(&what, &[self.resource(), &self.name])
            .await
    }

    async fn pods(&self) -> Result<Vec<Pod>, Error> {
        let selector = self.selector();
        let list: Option<List<Pod>> = self
            .kubectl
            .get("list the pods", &["pods", &selector])
            .await?;
        let mut pods = list.unwrap_or_default().items;
        pods.sort_by(|one, other| one.metadata.name.cmp(&other.metadata.name));
        Ok(pods)
    }

    /// Returns the pod for this key: a ready one, if any.
    fn pod(&self, key: &str, pods: Vec<Pod>) -> Result<Selected, Error> {
        let names = |usable: fn(&Pod) -> bool| -> Vec<&str> {
            let pods = pods.iter().filter(|pod| usable(pod));
            pods.map(|pod| pod.metadata.name.as_str()).collect()
        };
        let mut usable = names(Pod::is_ready);
        if usable.is_empty() {
            usable = names(Pod::is_running);
        }
        if let Some(chosen) = choose::choose(self.options.balance, key, &usable)
            && let Some(pod) = pods.iter().find(|pod| pod.metadata.name == chosen)
        {
            return Ok(Selected::new(pod));
        }
        let seen = Seen {
            pods,
            ..Seen::default()
        };
        Err(self.not_ready("none of them runs".to_owned(), &seen, &[]))
    }

    fn address(&self, pod: &str) -> Result<Address, Error> {
        let mut address = format!("kube-pod://{pod}?container={}", manifest::CONTAINER);
        let parameters = [
            ("namespace", &self.kubectl.namespace),
            ("kubeconfig", &self.kubectl.kubeconfig),
        ];
        for (name, value) in parameters {
            if let Some(value) = value {
                address.push_str(&format!("&{name}={}", escape(value)));
            }
        }
        Ok(Address::parse(&address)?)
    }

    fn selector(&self) -> String {
        let labels = manifest::labels(&self.name, &self.options);
        let labels: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        format!("--selector={}", labels.join(","))
    }

    fn resource(&self) -> &'static str {
        match self.options.volume {
            None => "deployments.apps",
            Some(_) => "statefulsets.apps",
        }
    }

    fn kind(&self) -> String {
        let kind = match self.options.volume {
            None => "Deployment",
            Some(_) => "StatefulSet",
        };
        format!("{kind} {}", self.name)
    }
}

/// True for errors of a cluster that is still settling.
fn passes(error: &crate::client::Error) -> bool {
    let message = crate::causes::in_one_line(error);
    [
        "tls: internal error",
        "connection refused",
        "connection reset",
        "i/o timeout",
        "container not found",
        // The pod has ended since it was selected.
        "(NotFound)",
    ]
    .iter()
    .any(|passing| message.contains(passing))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn driver(node: &str, options: &[(&str, &str)]) -> Result<Kubernetes, Error> {
        Kubernetes::new(&Node {
            name: node.into(),
            endpoint: "kubernetes:///b?deployment=&kubeconfig=%2Fk%3A%2Fl".into(),
            driver_opts: options
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect(),
            ..Node::default()
        })
    }

    #[test]
    fn a_pod_has_an_address() {
        let driver = driver("my_builder0", &[("namespace", "ci"), ("labels", "team=a")]).unwrap();
        assert_eq!(driver.name, "my-builder0");
        assert_eq!(driver.selector(), "--selector=app=my-builder0,team=a");
        assert_eq!(
            driver.address("my-builder0-x").unwrap().to_string(),
            "kube-pod://my-builder0-x?container=buildkitd&namespace=ci&kubeconfig=%2Fk%3A%2Fl"
        );
    }

    #[test]
    fn a_name_that_no_pod_can_have_is_reported() {
        for name in ["ends_", &"a".repeat(64)] {
            let error = driver(name, &[]).unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::Node {
                        source: NodeProblem::PodName { .. },
                        ..
                    }
                ),
                "{error}"
            );
        }
    }
}
