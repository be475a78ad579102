//! The containers of a pod, as its status describes them.

use serde::Deserialize;

use super::cluster_data::{count, sentence};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerStatus {
    pub(super) name: String,
    pub(super) ready: bool,
    pub(super) restart_count: u32,
    pub(super) state: ContainerState,
    pub(super) last_state: ContainerState,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerState {
    pub(super) waiting: Option<Detail>,
    pub(super) terminated: Option<Detail>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Detail {
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) exit_code: Option<i32>,
}

impl ContainerStatus {
    /// Returns how the container failed last time. An init container that succeeded has ended too.
    pub(super) fn failed_end(&self) -> Option<&Detail> {
        let last = self.last_state.terminated.as_ref();
        let ended = self.state.terminated.as_ref().or(last);
        ended.filter(|one| one.exit_code != Some(0))
    }

    /// Returns how the container ended since it had been started again `restarts` times, and ran.
    pub(super) fn end_after(&self, restarts: u32) -> Option<&Detail> {
        let is_over = self.restart_count > restarts || self.state.waiting.is_some();
        let last = self.last_state.terminated.as_ref().filter(|_| is_over);
        self.state.terminated.as_ref().or(last)
    }

    /// Describes an end of the container.
    pub(super) fn described(&self, end: &Detail) -> String {
        let code = end.exit_code.unwrap_or_default();
        let message = match end.message.trim() {
            "" => String::new(),
            message => format!(": {message}"),
        };
        format!(
            "{} ended with {code} ({}, started again {}){message}",
            self.name,
            end.reason,
            count(self.restart_count.into(), "time")
        )
    }

    /// Returns the reason why the container waits, and how it ended last time.
    pub(super) fn trouble(&self) -> Option<String> {
        let waits = self.state.waiting.as_ref();
        let waits = waits.map(|one| sentence(&one.reason, &one.message));
        let ended = self.failed_end().map(|end| self.described(end));
        match (waits, ended) {
            (Some(waits), Some(ended)) => Some(format!("{waits}; {ended}")),
            (waits, ended) => waits.or(ended),
        }
    }
}
