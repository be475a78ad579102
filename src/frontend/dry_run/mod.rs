//! Asks the daemon which steps of a graph are cached, without running a command.
//!
//! BuildKit has no call for this: it looks a step up just before it runs it. So the graph is solved
//! with commands that cannot start. Proxy settings are not part of a step's cache key (`CacheMap`
//! in BuildKit's `solver/llbsolver/ops/exec.go`), so each command gets one that prevents its
//! process from starting: the kernel rejects an argument of that size, and runc one with a NUL.
//! Steps that copy files cannot be prevented: the daemon runs those that need no such command.

mod graph;
mod parts;
mod survey;
mod walk;

use super::job::Plan;
use super::{Error, Job, Setting};
use crate::emulation::{Ability, Builder};
use crate::gateway::Bridge;
use crate::oci::Platform;
use crate::translate::Translation;

pub(crate) use parts::Parts;
pub(crate) use survey::{Incomplete, Survey, Trial};

/// The forecast for a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// The step is cached.
    Cached,
    /// The step would run.
    Runs,
    /// It depends on the results of steps that would run.
    Unknown,
}

/// A step of a dry run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpectedStep {
    /// The name of the step in the progress.
    pub name: String,
    /// The line of the Dockerfile, from 1; 0 if it has none.
    pub line: u32,
    /// The forecast.
    pub expected: Expected,
    /// The platform of its processes, if the daemon emulates it.
    pub emulated: Option<Platform>,
}

/// The steps of a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpectedGraph {
    /// The platform.
    pub platform: Platform,
    /// The steps, inputs first. Sources are omitted.
    pub steps: Vec<ExpectedStep>,
}

impl Job {
    /// Translates for all platforms, and checks what the build would refuse before its first step.
    ///
    /// # Errors
    /// The Dockerfile's errors, and refused steps; also if another frontend translates it.
    pub(crate) async fn graphs(
        &self,
        bridge: &Bridge,
        setting: &Setting,
    ) -> Result<Vec<Translation>, Error> {
        let parsed = match &self.plan {
            Plan::Here(parsed) => parsed,
            Plan::Elsewhere(other) => {
                return Err(Error::CallElsewhere {
                    frontend: other.name.clone(),
                });
            }
        };
        let mut linter = parsed.linter.clone();
        let translated = self
            .translate_all(parsed, &mut linter, bridge, setting)
            .await?;
        self.check_steps(setting, &translated.translations)?;
        Ok(translated.translations)
    }

    /// The error of a build with this job.
    pub(crate) fn explain(&self, incomplete: Incomplete) -> Error {
        match incomplete {
            Incomplete::Graph(error) => error,
            Incomplete::Solve(error) => Error::solve(&self.source, None, error),
        }
    }
}

/// Returns the forecast for a platform, from the steps that have to run. `listed` are the platforms
/// that the daemon claims to run, its own first.
pub(crate) fn forecast(
    platform: Platform,
    survey: &Survey,
    is_needed: &[bool],
    listed: &[Platform],
) -> ExpectedGraph {
    let builder = Builder {
        listed: listed.to_vec(),
        machine: None,
    };
    let is_emulated =
        |platform: &Platform| matches!(builder.ability(platform), Ability::Emulated(_));
    let steps = survey.expected(is_needed).into_iter();
    let steps = steps.map(|(vertex, expected)| ExpectedStep {
        name: vertex.name.clone(),
        line: vertex.line,
        expected,
        emulated: vertex.platform.clone().filter(is_emulated),
    });
    ExpectedGraph {
        platform,
        steps: steps.collect(),
    }
}
