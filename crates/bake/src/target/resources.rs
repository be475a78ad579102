//! `resources`: cgroup limits of the build's steps.

/// Limits; none where nothing was said.
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
