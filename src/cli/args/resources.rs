//! `--resource`, `--cgroup-parent`, and the flags of `docker build` that stand for limits.

use super::headings::STEPS;
use solvekit::pipeline::BuildRequest;

use crate::cli::report::{Failure, hint};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = STEPS)]
pub(crate) struct ResourceArgs {
    /// Limit each RUN: memory=2g, memory-swap=4g, cpu-shares=512, cpu-period=100000,
    /// cpu-quota=50000, cpuset-cpus=0-3 or cpuset-mems=0; repeatable
    #[arg(long, value_name = "NAME=LIMIT")]
    resource: Vec<String>,

    /// Put the processes of RUN below this control group
    #[arg(long, value_name = "GROUP")]
    cgroup_parent: Option<String>,

    #[arg(short, long, hide = true, value_name = "BYTES")]
    memory: Option<String>,

    #[arg(long, hide = true, value_name = "BYTES", allow_hyphen_values = true)]
    memory_swap: Option<String>,

    #[arg(short, long, hide = true, value_name = "WEIGHT")]
    cpu_shares: Option<String>,

    #[arg(long, hide = true, value_name = "MICROSECONDS")]
    cpu_period: Option<String>,

    #[arg(long, hide = true, value_name = "MICROSECONDS")]
    cpu_quota: Option<String>,

    #[arg(long, hide = true, value_name = "LIST")]
    cpuset_cpus: Option<String>,

    #[arg(long, hide = true, value_name = "LIST")]
    cpuset_mems: Option<String>,
}

impl ResourceArgs {
    /// `--resource` takes precedence over the older flags, as in buildx.
    pub(crate) fn apply(&self, request: &mut BuildRequest) -> Result<(), Failure> {
        request.cgroup_parent = self.cgroup_parent.clone().filter(|name| !name.is_empty());
        let older = [
            ("memory", &self.memory),
            ("memory-swap", &self.memory_swap),
            ("cpu-shares", &self.cpu_shares),
            ("cpu-period", &self.cpu_period),
            ("cpu-quota", &self.cpu_quota),
            ("cpuset-cpus", &self.cpuset_cpus),
            ("cpuset-mems", &self.cpuset_mems),
        ];
        let older = older.into_iter().filter_map(|(name, value)| {
            let value = value.as_ref()?;
            Some(format!("{name}={value}"))
        });
        for text in older.chain(self.resource.iter().cloned()) {
            let set = request.resources.set(&text);
            set.map_err(|error| hint::for_value(&error))?;
        }
        Ok(())
    }
}
