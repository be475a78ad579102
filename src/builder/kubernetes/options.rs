//! Parses the options of the `kubernetes` driver into the settings of its objects.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::options::{boolean, value};
use super::super::{Driver, Error, OptionProblem};
use super::objects::{Names, Toleration};
use super::values::{Quantity, duration, labels, pairs, quantity, replicas, tolerations};

/// The default images, as in buildx.
const IMAGE: &str = "moby/buildkit:buildx-stable-1";
const ROOTLESS_IMAGE: &str = "moby/buildkit:buildx-stable-1-rootless";
const EMULATORS: &str = "tonistiigi/binfmt:latest";
/// How long to wait for the pods to become ready.
const TIMEOUT: Duration = Duration::from_secs(120);
/// The label that identifies the driver's pods.
pub(super) const APP: &str = "app";
/// The annotation with the platforms that the user set.
pub(super) const PLATFORMS: &str = "buildx.docker.com/platform";

/// The settings of the pods, and how one is selected.
#[derive(Debug, Clone)]
pub(super) struct KubernetesOptions {
    pub(super) image: String,
    pub(super) replicas: i32,
    pub(super) namespace: Option<String>,
    /// Quantities by resource name: `cpu`, `memory`, `ephemeral-storage`.
    pub(super) requests: Names,
    pub(super) limits: Names,
    /// The size of each pod's volume; if set, the pods form a StatefulSet.
    pub(super) volume: Option<String>,
    /// The size of a state in memory.
    pub(super) memory: Option<String>,
    pub(super) rootless: bool,
    pub(super) scheduler: Option<String>,
    pub(super) service_account: Option<String>,
    pub(super) node_selector: Names,
    pub(super) annotations: Names,
    pub(super) labels: Names,
    pub(super) tolerations: Vec<Toleration>,
    /// The image that first installs emulators on the cluster's nodes.
    pub(super) emulators: Option<String>,
    pub(super) balance: Balance,
    pub(super) timeout: Duration,
    pub(super) env: Names,
}

/// The choice of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Balance {
    /// The same pod for the same context.
    Sticky,
    /// A random pod.
    Random,
}

impl KubernetesOptions {
    pub(super) fn read(given: &BTreeMap<String, String>) -> Result<Self, Error> {
        let driver = Driver::Kubernetes;
        let text = |name: &str| given.get(name).filter(|value| !value.is_empty()).cloned();
        let switch = |name| Ok::<_, Error>(value(driver, given, name, boolean)?.unwrap_or(false));
        let size = |name| value(driver, given, name, quantity);
        let keys = |name| Ok::<_, Error>(value(driver, given, name, labels)?.unwrap_or_default());
        switch("default-load")?;
        let rootless = switch("rootless")?;
        let image = match rootless {
            true => ROOTLESS_IMAGE,
            false => IMAGE,
        };
        let (requests, limits) = resources(given)?;
        let annotations = value(driver, given, "annotations", |text| {
            without_reserved(pairs(text)?, PLATFORMS)
        })?;
        let own_labels = value(driver, given, "labels", |text| {
            without_reserved(labels(text)?, APP)
        })?;
        let emulators = text("qemu.image").unwrap_or_else(|| EMULATORS.to_owned());
        let (volume, memory) = (
            size("persistent-volume-claim.requests.storage")?,
            size("buildkit-root-volume-memory")?,
        );
        if let (Some(_), Some(memory)) = (&volume, &memory) {
            return Err(Error::InvalidOption {
                driver,
                option: "buildkit-root-volume-memory".to_owned(),
                value: memory.text.clone(),
                source: OptionProblem::StateOnVolume {
                    option: "persistent-volume-claim.requests.storage",
                },
            });
        }
        let variable = |(name, value): (&String, &String)| {
            Some((name.strip_prefix("env.")?.to_owned(), value.clone()))
        };
        Ok(Self {
            image: text("image").unwrap_or_else(|| image.to_owned()),
            replicas: value(driver, given, "replicas", replicas)?.unwrap_or(1),
            namespace: value(driver, given, "namespace", namespace)?.flatten(),
            requests,
            limits,
            volume: volume.map(|size| size.text),
            memory: memory.map(|size| size.text),
            rootless,
            scheduler: text("schedulername"),
            service_account: text("serviceaccount"),
            node_selector: keys("nodeselector")?,
            annotations: annotations.unwrap_or_default(),
            labels: own_labels.unwrap_or_default(),
            tolerations: value(driver, given, "tolerations", tolerations)?.unwrap_or_default(),
            emulators: switch("qemu.install")?.then_some(emulators),
            balance: value(driver, given, "loadbalance", balance)?.unwrap_or(Balance::Sticky),
            timeout: value(driver, given, "timeout", duration)?.unwrap_or(TIMEOUT),
            env: given.iter().filter_map(variable).collect(),
        })
    }
}

/// Returns the resources' requests and limits.
fn resources(given: &BTreeMap<String, String>) -> Result<(Names, Names), Error> {
    let driver = Driver::Kubernetes;
    let (mut requests, mut limits) = (Names::new(), Names::new());
    for resource in ["cpu", "memory", "ephemeral-storage"] {
        let read = |option: &str| value(driver, given, option, quantity);
        let (request, limit) = (format!("requests.{resource}"), format!("limits.{resource}"));
        let asked: Option<Quantity> = read(&request)?;
        let allowed = read(&limit)?;
        if let (Some(asked), Some(allowed)) = (&asked, &allowed)
            && asked.amount > allowed.amount
        {
            return Err(Error::InvalidOption {
                driver,
                option: request,
                value: asked.text.clone(),
                source: OptionProblem::AboveLimit {
                    limit,
                    allowed: allowed.text.clone(),
                },
            });
        }
        requests.extend(asked.map(|size| (resource.to_owned(), size.text)));
        limits.extend(allowed.map(|size| (resource.to_owned(), size.text)));
    }
    Ok((requests, limits))
}

/// Returns the keys unchanged, if the driver itself sets none of them.
fn without_reserved(keys: Names, reserved: &str) -> Result<Names, OptionProblem> {
    match keys.contains_key(reserved) {
        true => Err(OptionProblem::ReservedKey {
            key: reserved.to_owned(),
        }),
        false => Ok(keys),
    }
}

fn balance(text: &str) -> Result<Balance, OptionProblem> {
    match text {
        "sticky" => Ok(Balance::Sticky),
        "random" => Ok(Balance::Random),
        _ => Err(OptionProblem::Balance),
    }
}

fn namespace(text: &str) -> Result<Option<String>, OptionProblem> {
    match text {
        "" => Ok(None),
        text if super::values::is_name(text) && !text.contains('.') => Ok(Some(text.to_owned())),
        _ => Err(OptionProblem::Namespace),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<KubernetesOptions, Error> {
        let given = pairs
            .iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect();
        KubernetesOptions::read(&given)
    }

    #[test]
    fn defaults_are_those_of_buildx() {
        let options = read(&[]).unwrap();
        assert_eq!(options.image, "moby/buildkit:buildx-stable-1");
        assert_eq!((options.replicas, options.balance), (1, Balance::Sticky));
        assert_eq!(options.timeout, Duration::from_secs(120));
        assert_eq!(options.emulators, None);
        let options = read(&[("rootless", "true"), ("qemu.install", "1")]).unwrap();
        assert_eq!(options.image, "moby/buildkit:buildx-stable-1-rootless");
        assert_eq!(
            options.emulators.as_deref(),
            Some("tonistiigi/binfmt:latest")
        );
        let options = read(&[("rootless", "false"), ("image", "mine:1")]).unwrap();
        assert_eq!(options.image, "mine:1");
    }

    #[test]
    fn wrong_values_are_reported_with_option_and_form() {
        for (name, value, part) in [
            ("requests.cpu", "abc", "500m"),
            ("limits.memory", "4gb", "512Mi"),
            ("replicas", "0", "above zero"),
            ("replicas", "two", "whole number"),
            ("rootless", "maybe", "true nor false"),
            ("tolerations", "key:a", "operator=Exists|Equal"),
            ("nodeselector", "arm64", "KEY=VALUE"),
            ("labels", "app=mine", "the driver sets"),
            (
                "annotations",
                "buildx.docker.com/platform=x",
                "the driver sets",
            ),
            ("loadbalance", "round-robin", "sticky or random"),
            ("timeout", "120", "90s"),
            ("namespace", "My_Space", "small letters"),
            ("default-load", "perhaps", "true nor false"),
            ("persistent-volume-claim.requests.storage", "big", "4Gi"),
        ] {
            let error = crate::causes::in_one_line(&read(&[(name, value)]).unwrap_err());
            for text in [name, &format!("{value:?}"), part] {
                assert!(error.contains(text), "{text:?} is missing in: {error}");
            }
        }
    }

    #[test]
    fn options_that_exclude_each_other_are_reported() {
        let refused = |pairs| crate::causes::in_one_line(&read(pairs).unwrap_err());
        let error = refused(&[("requests.cpu", "2"), ("limits.cpu", "500m")]);
        assert!(error.contains("limits.cpu, 500m"), "{error}");
        let error = refused(&[
            ("persistent-volume-claim.requests.storage", "1Gi"),
            ("buildkit-root-volume-memory", "1Gi"),
        ]);
        assert!(error.contains("volume already"), "{error}");
    }
}
