//! Stops the pods of a node, and removes what belongs to it.

use super::cluster_data::{List, Named};
use super::{Error, Kubernetes, manifest, objects};

impl Kubernetes {
    /// Stops the pods by removing their Deployment or StatefulSet. The volumes and the
    /// configuration stay.
    pub(in crate::builder) async fn stop(&self) -> Result<(), Error> {
        self.delete(self.resource(), &[&self.name]).await
    }

    /// Removes all objects, and the volumes unless `keep_state`.
    pub(in crate::builder) async fn remove(&self, keep_state: bool) -> Result<(), Error> {
        self.stop().await?;
        let objects = manifest::objects(&self.name, &self.node, &self.options);
        let config_maps = objects
            .iter()
            .filter(|object| object.kind() == "ConfigMap")
            .map(objects::Object::name);
        self.delete("configmaps", &config_maps.collect::<Vec<_>>())
            .await?;
        if keep_state || self.options.volume.is_none() {
            return Ok(());
        }
        let claims = self.claims().await?;
        let claims: Vec<&str> = claims.iter().map(String::as_str).collect();
        self.delete("persistentvolumeclaims", &claims).await
    }

    /// Returns the claims of the pods' volumes.
    async fn claims(&self) -> Result<Vec<String>, Error> {
        let selector = self.selector();
        let list: Option<List<Named>> = self
            .kubectl
            .get("list the volumes", &["persistentvolumeclaims", &selector])
            .await?;
        let prefix = format!("{}-{}-", manifest::STATE, self.name);
        let is_own = |name: &String| {
            let number = name.strip_prefix(&prefix);
            number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let names = list.unwrap_or_default().items.into_iter();
        Ok(names
            .map(|item| item.metadata.name)
            .filter(is_own)
            .collect())
    }

    /// Deletes objects without waiting for their end.
    async fn delete(&self, resource: &str, names: &[&str]) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        let what = format!("remove the {} {}", spoken(resource), names.join(", "));
        let delete = ["delete", "--ignore-not-found", "--wait=false", resource];
        let arguments: Vec<&str> = delete.iter().chain(names).copied().collect();
        self.kubectl.run(&what, &arguments).await.map(drop)
    }
}

/// A resource as the messages call it.
fn spoken(resource: &str) -> &str {
    match resource {
        "deployments.apps" => "Deployment",
        "statefulsets.apps" => "StatefulSet",
        "configmaps" => "ConfigMap",
        "persistentvolumeclaims" => "volume",
        other => other,
    }
}
