//! Finds the pod that replaces a deleted one.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::Kubernetes;
use super::end::Selected;
use super::pods::Pod;
use super::watch::Watch;
use crate::client::{Client, ConnectOptions, PodEnd, Succession, TimeLimits};

/// The delay before a pod is watched, so that short builds start no further kubectl.
const QUIET: Duration = Duration::from_secs(3);
/// How long one kubectl watches the pod, until the next one does.
const WATCH: Duration = Duration::from_secs(300);
/// The interval at which the pod is queried if it cannot be watched.
const PULSE: Duration = Duration::from_secs(10);

/// A node whose pods can replace each other.
#[derive(Debug)]
struct Replacement {
    driver: Kubernetes,
    /// The key that selects the pod.
    key: String,
    /// The pod of the current connection.
    pod: Selected,
    limits: TimeLimits,
}

/// Adds the pods that can take over to a connection to a pod.
pub(super) fn attach(
    client: Client,
    driver: &Kubernetes,
    key: &str,
    pod: Selected,
    limits: TimeLimits,
) -> Client {
    client.with_succession(Arc::new(Replacement {
        driver: driver.clone(),
        key: key.to_owned(),
        pod,
        limits,
    }))
}

impl Succession for Replacement {
    fn ending(&self) -> BoxFuture<'_, String> {
        Box::pin(async {
            tokio::time::sleep(QUIET).await;
            while !self.is_deleted_while_watched().await && !self.is_deleted().await {
                tokio::time::sleep(PULSE).await;
            }
            format!("the pod {} is being deleted", self.pod.name)
        })
    }

    fn next(&self) -> BoxFuture<'_, Option<Client>> {
        Box::pin(async {
            let pods = self.driver.pods().await.ok()?;
            let ready: Vec<Pod> = pods.into_iter().filter(Pod::is_ready).collect();
            let pod = self.driver.pod(&self.key, ready).ok()?;
            let mut options = ConnectOptions::new(self.driver.address(&pod.name).ok()?);
            options.limits = self.limits;
            let client = Client::connect(&options).await.ok()?;
            Some(attach(client, &self.driver, &self.key, pod, self.limits))
        })
    }

    fn end(&self, patience: Duration) -> BoxFuture<'_, PodEnd> {
        Box::pin(self.driver.end(&self.pod, patience))
    }
}

impl Replacement {
    /// Watches the pod; false if the watch ends.
    async fn is_deleted_while_watched(&self) -> bool {
        let Some(mut watch) = Watch::start(&self.driver.kubectl, WATCH, &["pod", &self.pod.name])
        else {
            return false;
        };
        while let Some(change) = watch.next::<Pod>().await {
            if change.is_deletion() || change.object.is_being_deleted() {
                return true;
            }
        }
        false
    }

    /// Queries the pod once. If the cluster does not answer, the pod counts as not deleted.
    async fn is_deleted(&self) -> bool {
        let pods = self.driver.pods().await;
        pods.is_ok_and(|pods| {
            let mut own = pods.iter().filter(|pod| pod.metadata.name == self.pod.name);
            own.all(Pod::is_being_deleted)
        })
    }
}
