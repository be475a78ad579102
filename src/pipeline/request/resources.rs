//! Resource limits: memory and CPU time of build steps.

use std::collections::BTreeMap;

use super::value::ValueError;
use crate::llb::LinuxResources;
use crate::pipeline::Error;

/// Limits of the control group of each `RUN`; `None` means no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resources {
    /// Memory, in bytes.
    pub memory: Option<u64>,
    /// Memory and swap together, in bytes; -1 means no limit.
    pub memory_swap: Option<i64>,
    /// CPU weight, relative to other steps.
    pub cpu_shares: Option<u64>,
    /// Scheduler period, in microseconds.
    pub cpu_period: Option<u64>,
    /// CPU time per period, in microseconds.
    pub cpu_quota: Option<u64>,
    /// The CPUs to run on: `0-3,5`.
    pub cpuset_cpus: Option<String>,
    /// The memory nodes to use: `0-1`.
    pub cpuset_mems: Option<String>,
}

/// The names of the limits.
const NAMES: [&str; 7] = [
    "memory",
    "memory-swap",
    "cpu-shares",
    "cpu-period",
    "cpu-quota",
    "cpuset-cpus",
    "cpuset-mems",
];

impl Resources {
    /// Sets one limit: `memory=2g`, `cpu-quota=50000`. Sizes may have a unit ([`parse_bytes`]).
    ///
    /// # Errors
    /// [`Error::Resource`] lists the valid limits.
    pub fn set(&mut self, text: &str) -> Result<(), Error> {
        let invalid = |source| Error::Resource {
            input: text.to_owned(),
            source: Box::new(source),
        };
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| invalid(ValueError::form(text, "name=value")))?;
        let value = value.trim();
        match name.trim() {
            "memory" => self.memory = Some(size(value).map_err(invalid)?),
            "memory-swap" if value == "-1" => self.memory_swap = Some(-1),
            "memory-swap" => {
                let size = size(value).map_err(invalid)?;
                self.memory_swap = Some(i64::try_from(size).unwrap_or(i64::MAX));
            }
            "cpu-shares" => self.cpu_shares = Some(number(value).map_err(invalid)?),
            "cpu-period" => self.cpu_period = Some(number(value).map_err(invalid)?),
            "cpu-quota" => self.cpu_quota = Some(number(value).map_err(invalid)?),
            "cpuset-cpus" => self.cpuset_cpus = Some(set(value).map_err(invalid)?),
            "cpuset-mems" => self.cpuset_mems = Some(set(value).map_err(invalid)?),
            name => {
                return Err(invalid(ValueError::unknown("limit", name, &NAMES)));
            }
        }
        Ok(())
    }

    /// The limits as attributes of a Dockerfile frontend. 0 means no limit, as in buildx.
    pub(in crate::pipeline) fn attributes(&self) -> BTreeMap<String, String> {
        let unsigned = |number: &Option<u64>| number.filter(|n| *n > 0).map(|n| n.to_string());
        let swap = self.memory_swap.filter(|n| *n != 0).map(|n| n.to_string());
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let all = [
            ("memory", unsigned(&self.memory)),
            ("memswap", swap),
            ("cpushares", unsigned(&self.cpu_shares)),
            ("cpuperiod", unsigned(&self.cpu_period)),
            ("cpuquota", unsigned(&self.cpu_quota)),
            ("cpusetcpus", text(&self.cpuset_cpus)),
            ("cpusetmems", text(&self.cpuset_mems)),
        ];
        let set = all.into_iter();
        set.filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    }
}

impl Resources {
    /// The limits for `RUN`; `None` if no limit is set. 0 means no limit, as in buildx.
    pub(super) fn limits(&self) -> Option<LinuxResources> {
        let signed =
            |number: Option<u64>| number.map_or(0, |n| i64::try_from(n).unwrap_or(i64::MAX));
        let limits = LinuxResources {
            memory: signed(self.memory),
            memory_swap: self.memory_swap.unwrap_or(0),
            cpu_shares: self.cpu_shares.unwrap_or(0),
            cpu_period: self.cpu_period.unwrap_or(0),
            cpu_quota: signed(self.cpu_quota),
            cpuset_cpus: self.cpuset_cpus.clone().unwrap_or_default(),
            cpuset_mems: self.cpuset_mems.clone().unwrap_or_default(),
        };
        (limits != LinuxResources::default()).then_some(limits)
    }
}

fn number(text: &str) -> Result<u64, ValueError> {
    text.parse()
        .map_err(|_| ValueError::form(text, "a whole number, for example 512"))
}

fn size(text: &str) -> Result<u64, ValueError> {
    let size = parse_bytes(text);
    size.ok_or_else(|| ValueError::form(text, "a size, for example 512m or 2g"))
}

/// Checks a comma-separated list of numbers and ranges.
fn set(text: &str) -> Result<String, ValueError> {
    let is_number = |text: &str| text.trim().parse::<u32>().is_ok();
    let is_part = |part: &str| match part.split_once('-') {
        Some((first, last)) => is_number(first) && is_number(last),
        None => is_number(part),
    };
    match text.split(',').all(is_part) {
        true => Ok(text.to_owned()),
        false => Err(ValueError::form(text, "a list like 0-3,5")),
    }
}

/// Parses a size in bytes with an optional unit: `64m`, `1g`, `1.5GiB`, `4096`. Units are powers of
/// 1024, as in docker.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let bytes = solvekit_core::units::parse_size(text.trim()).ok()?;
    u64::try_from(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_become_attributes_of_the_frontend() {
        let mut resources = Resources::default();
        for text in [
            "memory=2g",
            "memory-swap=-1",
            "cpu-shares=512",
            "cpu-period=100000",
            "cpu-quota=50000",
            "cpuset-cpus=0-3,5",
            "cpuset-mems=0",
        ] {
            resources.set(text).unwrap();
        }
        let attributes = resources.attributes();
        let pairs: Vec<String> = attributes.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(
            pairs.join(" "),
            "cpuperiod=100000 cpuquota=50000 cpusetcpus=0-3,5 cpusetmems=0 cpushares=512 \
             memory=2147483648 memswap=-1"
        );
        resources.set("memory=0").unwrap();
        assert!(!resources.attributes().contains_key("memory"));
    }

    #[test]
    fn mistakes_name_what_there_is() {
        for (text, part) in [
            ("memory", "not name=value"),
            ("memory=much", "not a size"),
            ("memory-swap=-2", "not a size"),
            ("cpu-shares=-1", "not a whole number"),
            ("cpuset-cpus=a", "like 0-3,5"),
            ("cpuset-mems=0,", "like 0-3,5"),
            ("memmory=1", "did you mean \"memory\"?"),
            ("=1", "the limits are memory, memory-swap"),
        ] {
            let error = Resources::default().set(text).unwrap_err();
            let error = crate::causes::in_one_line(&error);
            assert!(error.contains(part), "{text}: {error}");
            assert!(error.contains("invalid limit"), "{error}");
        }
    }
}
