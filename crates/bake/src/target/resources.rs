//! `resources`: cgroup limits of the build's steps.

use super::error::AttributeError;

/// The limits; `None` for unset ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// `memory`
    pub memory: Option<String>,
    /// `memory-swap`
    pub memory_swap: Option<String>,
    /// `cpu-shares`
    pub cpu_shares: Option<i64>,
    /// `cpu-period`
    pub cpu_period: Option<i64>,
    /// `cpu-quota`
    pub cpu_quota: Option<i64>,
    /// `cpuset-cpus`
    pub cpuset_cpus: Option<String>,
    /// `cpuset-mems`
    pub cpuset_mems: Option<String>,
}

impl Resources {
    /// Merges the limits that `other` sets.
    pub fn merge(&mut self, other: Self) {
        fn take<T>(place: &mut Option<T>, value: Option<T>) {
            if value.is_some() {
                *place = value;
            }
        }
        take(&mut self.memory, other.memory);
        take(&mut self.memory_swap, other.memory_swap);
        take(&mut self.cpu_shares, other.cpu_shares);
        take(&mut self.cpu_period, other.cpu_period);
        take(&mut self.cpu_quota, other.cpu_quota);
        take(&mut self.cpuset_cpus, other.cpuset_cpus);
        take(&mut self.cpuset_mems, other.cpuset_mems);
    }

    /// Sets one limit by its name.
    ///
    /// # Errors
    /// If the limit is unknown, or the value must be a number and is not.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), AttributeError> {
        let number = || {
            value.parse::<i64>().map_err(|_| AttributeError::BadValue {
                key: name.to_owned(),
                value: value.to_owned(),
                allowed: "a whole number",
            })
        };
        let text = || Some(value.to_owned());
        match name {
            "memory" => self.memory = text(),
            "memory-swap" => self.memory_swap = text(),
            "cpu-shares" => self.cpu_shares = Some(number()?),
            "cpu-period" => self.cpu_period = Some(number()?),
            "cpu-quota" => self.cpu_quota = Some(number()?),
            "cpuset-cpus" => self.cpuset_cpus = text(),
            "cpuset-mems" => self.cpuset_mems = text(),
            _ => {
                return Err(AttributeError::UnknownKey {
                    what: "resources",
                    key: name.to_owned(),
                    known: "memory, memory-swap, cpu-shares, cpu-period, cpu-quota, cpuset-cpus \
                            and cpuset-mems",
                });
            }
        }
        Ok(())
    }
}
