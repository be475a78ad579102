//! Parses the options of the `docker-container` driver into the form of the engine's API.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::options::{boolean, value};
use super::super::{Driver, Error, OptionProblem};

/// The default image, as in buildx.
const IMAGE: &str = "moby/buildkit:buildx-stable-1";

/// The settings of a container.
#[derive(Debug, Clone)]
pub(super) struct ContainerOptions {
    pub(super) image: String,
    pub(super) env: Vec<String>,
    pub(super) cgroup_parent: Option<String>,
    /// True to pass GitHub Actions' workflow data to the daemon.
    pub(super) add_workflow: bool,
    /// Fields of the engine's `HostConfig`.
    pub(super) host: Map<String, Value>,
}

impl ContainerOptions {
    pub(super) fn read(given: &BTreeMap<String, String>) -> Result<Self, Error> {
        let driver = Driver::DockerContainer;
        let mut host = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                host.insert(name.to_owned(), value);
            }
        };
        let text = |name: &str| given.get(name).filter(|value| !value.is_empty()).cloned();
        let number = |name| value(driver, given, name, |text| whole(text).map(Value::from));
        put("NetworkMode", text("network").map(Value::from));
        put("CpusetCpus", text("cpuset-cpus").map(Value::from));
        put("CpusetMems", text("cpuset-mems").map(Value::from));
        put("CpuPeriod", number("cpu-period")?);
        put("CpuQuota", number("cpu-quota")?);
        put("CpuShares", number("cpu-shares")?);
        put(
            "Memory",
            value(driver, given, "memory", |text| bytes(text).map(Value::from))?,
        );
        put(
            "MemorySwap",
            value(driver, given, "memory-swap", |text| match text {
                "-1" => Ok(Value::from(-1)),
                text => bytes(text).map(Value::from),
            })?,
        );
        let policy = value(driver, given, "restart-policy", restart_policy)?;
        put(
            "RestartPolicy",
            Some(policy.unwrap_or_else(|| json!({"Name": "unless-stopped"}))),
        );
        for name in ["default-load", "allow-untrusted-image"] {
            value(driver, given, name, boolean)?;
        }
        let add_workflow = value(driver, given, "provenance-add-gha", boolean)?;
        let variable = |(name, value): (&String, &String)| {
            Some(format!("{}={value}", name.strip_prefix("env.")?))
        };
        Ok(Self {
            image: text("image").unwrap_or_else(|| IMAGE.to_owned()),
            env: given.iter().filter_map(variable).collect(),
            cgroup_parent: text("cgroup-parent"),
            add_workflow: add_workflow.unwrap_or(true),
            host,
        })
    }
}

fn whole(text: &str) -> Result<i64, OptionProblem> {
    text.parse().map_err(|_| OptionProblem::Integer)
}

/// Parses `NAME[:RETRIES]`, as in `docker run --restart`.
fn restart_policy(text: &str) -> Result<Value, OptionProblem> {
    let (name, count) = match text.split_once(':') {
        Some((name, count)) => (name, whole(count)?),
        None => (text, 0),
    };
    match name {
        "no" | "always" | "unless-stopped" | "on-failure" => {
            Ok(json!({"Name": name, "MaximumRetryCount": count}))
        }
        _ => Err(OptionProblem::RestartPolicy),
    }
}

/// Parses sizes such as `512m`, `2g` or `1.5GiB`; the units are binary.
fn bytes(text: &str) -> Result<i64, OptionProblem> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let power = match lower[digits.len()..]
        .trim_end_matches("ib")
        .trim_end_matches('b')
    {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return Err(OptionProblem::Size),
    };
    let number: f64 = digits.trim().parse().map_err(|_| OptionProblem::Size)?;
    let size = number * 1024_f64.powi(power);
    match size.is_finite() && (0.0..=i64::MAX as f64).contains(&size) {
        true => Ok(size as i64),
        false => Err(OptionProblem::Size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ContainerOptions, Error> {
        let given = pairs
            .iter()
            .map(|(k, v)| ((*k).into(), (*v).into()))
            .collect();
        ContainerOptions::read(&given)
    }

    #[test]
    fn options_become_the_engine_s_fields() {
        let options = read(&[
            ("image", "moby/buildkit:master"),
            ("network", "host"),
            ("memory", "1.5g"),
            ("memory-swap", "-1"),
            ("cpu-quota", "50000"),
            ("cpuset-cpus", "0-3"),
            ("restart-policy", "on-failure:3"),
            ("env.HTTP_PROXY", "http://p"),
        ])
        .unwrap();
        assert_eq!(options.image, "moby/buildkit:master");
        assert_eq!(options.env, ["HTTP_PROXY=http://p"]);
        assert_eq!(
            Value::Object(options.host),
            json!({
                "NetworkMode": "host", "Memory": 1_610_612_736_i64, "MemorySwap": -1,
                "CpuQuota": 50000, "CpusetCpus": "0-3",
                "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
            })
        );
        let options = read(&[]).unwrap();
        assert_eq!(options.image, IMAGE);
        assert_eq!(options.host["RestartPolicy"]["Name"], "unless-stopped");
    }

    #[test]
    fn wrong_values_are_named() {
        for (name, value) in [
            ("memory", "much"),
            ("cpu-shares", "1.5"),
            ("restart-policy", "sometimes"),
            ("default-load", "perhaps"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }
}
