//! Asks the daemon which steps of a graph are cached, without running a command.
//!
//! BuildKit has no call for this: it looks a step up just before it runs it. So the graph is solved
//! with commands that cannot start. Proxy settings are not part of a step's cache key (`CacheMap`
//! in BuildKit's `solver/llbsolver/ops/exec.go`), so each command gets one that prevents its
//! process from starting: the kernel rejects an argument of that size, and runc one with a NUL. The
//! solve is cancelled as soon as an uncached step starts. Steps that copy files cannot be
//! prevented: the daemon may start one before it is cancelled.

mod graph;
mod parts;

use std::time::Duration;

use graph::{Asked, Commands};

use super::job::Plan;
use super::{Error, Job, Setting, Source};
use crate::client::CacheEntry;
use crate::emulation::{Ability, Builder};
use crate::gateway::{self, Bridge, SolveOptions};
use crate::llb::Definition;
use crate::oci::Platform;
use crate::progress::{StepEnd, StepEnds};

pub(crate) use parts::Parts;

/// The interval at which the daemon's reports are checked.
const LOOK: Duration = Duration::from_millis(10);
/// How long to wait for the last reports after a solve has ended.
const REPORTED: Duration = Duration::from_millis(300);

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
    /// Translates for all platforms and checks the cache for each step. The caller must feed the
    /// daemon's reports to `ends`.
    ///
    /// # Errors
    /// The Dockerfile's errors, and steps that the build would refuse; also if another frontend
    /// translates it.
    pub(crate) async fn dry_run(
        &self,
        bridge: &Bridge,
        setting: &Setting,
        ends: &StepEnds,
    ) -> Result<Vec<ExpectedGraph>, Error> {
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
        let mut graphs = Vec::new();
        for made in translated.translations {
            let asked = Asked::new(&made.definition, Commands::Impossible)?;
            let asking = Asking {
                source: &self.source,
                setting,
                trial: Trial {
                    bridge,
                    cache_imports: &setting.cache_imports,
                    ends,
                },
            };
            graphs.push(ExpectedGraph {
                steps: asking.all(asked).await?,
                platform: made.platform,
            });
        }
        Ok(graphs)
    }
}

/// Determines the forecast of one graph's steps.
struct Asking<'a> {
    source: &'a Source,
    setting: &'a Setting,
    trial: Trial<'a>,
}

/// Solves graphs whose commands cannot start.
struct Trial<'a> {
    bridge: &'a Bridge,
    cache_imports: &'a [CacheEntry],
    ends: &'a StepEnds,
}

impl Asking<'_> {
    async fn all(&self, mut asked: Asked) -> Result<Vec<ExpectedStep>, Error> {
        if let Some(last) = asked.vertices.len().checked_sub(1) {
            if self.is_cached(&asked, last).await? {
                self.settle(&mut asked, last);
            }
            self.look(&mut asked);
            for number in 0..asked.vertices.len() {
                if asked.vertices[number].expected.is_none() {
                    let expected = self.step(&mut asked, number).await?;
                    asked.vertices[number].expected = Some(expected);
                }
            }
        }
        let builder = Builder {
            listed: self.setting.build_platforms.clone(),
            machine: None,
        };
        let steps = asked
            .vertices
            .into_iter()
            .filter(|vertex| !vertex.is_source);
        let steps = steps.map(|vertex| ExpectedStep {
            name: vertex.name,
            line: vertex.line,
            expected: vertex.expected.unwrap_or(Expected::Unknown),
            emulated: vertex
                .platform
                .filter(|platform| matches!(builder.ability(platform), Ability::Emulated(_))),
        });
        Ok(steps.collect())
    }

    /// Decides about a step after its inputs.
    async fn step(&self, asked: &mut Asked, number: usize) -> Result<Expected, Error> {
        let vertex = &asked.vertices[number];
        if vertex.is_source {
            return Ok(Expected::Cached);
        }
        let of = |at: usize| asked.vertices[at].expected;
        if vertex
            .base
            .is_some_and(|base| of(base) == Some(Expected::Runs))
        {
            return Ok(Expected::Runs);
        }
        let is_open = |at: &usize| !matches!(of(*at), Some(Expected::Cached));
        if vertex.inputs.iter().any(is_open) {
            return Ok(Expected::Unknown);
        }
        let is_cached = self.is_cached(asked, number).await?;
        self.look(asked);
        Ok(match is_cached {
            true => Expected::Cached,
            false => Expected::Runs,
        })
    }

    /// Marks the step and its undecided inputs as cached: a cached step does not need its inputs.
    fn settle(&self, asked: &mut Asked, number: usize) {
        for vertex in &mut asked.vertices[..=number] {
            let ran = matches!(self.trial.ends.of(&vertex.digest), Some(StepEnd::Done));
            if !ran {
                vertex.expected.get_or_insert(Expected::Cached);
            }
        }
    }

    /// Applies the daemon's reports.
    fn look(&self, asked: &mut Asked) {
        for vertex in asked.vertices.iter_mut().filter(|vertex| !vertex.is_source) {
            let seen = match self.trial.ends.of(&vertex.digest) {
                Some(StepEnd::Cached) => Some(Expected::Cached),
                Some(_) => Some(Expected::Runs),
                None => None,
            };
            vertex.expected = vertex.expected.or(seen);
        }
    }

    async fn is_cached(&self, asked: &Asked, number: usize) -> Result<bool, Error> {
        let definition = asked.until(number)?;
        let solved = self.trial.is_cached(&definition, asked, number).await;
        solved.map_err(|error| Error::solve(self.source, None, error))
    }
}

impl Trial<'_> {
    /// Solves until an uncached step starts; true if none did.
    async fn is_cached(
        &self,
        definition: &Definition,
        asked: &Asked,
        number: usize,
    ) -> Result<bool, gateway::Error> {
        let options = SolveOptions {
            evaluate: true,
            cache_imports: self.cache_imports.to_vec(),
            ..SolveOptions::default()
        };
        let runs = || {
            let mut steps = asked.vertices[..=number]
                .iter()
                .filter(|vertex| !vertex.is_source);
            steps.any(|vertex| {
                let end = self.ends.of(&vertex.digest);
                end.is_some_and(|end| end != StepEnd::Cached)
                    && vertex.expected != Some(Expected::Runs)
            })
        };
        let mut solving = std::pin::pin!(self.bridge.solve(definition, &options));
        loop {
            let solved = tokio::select! {
                solved = &mut solving => solved,
                () = tokio::time::sleep(LOOK) => match runs() {
                    true => return Ok(false),
                    false => continue,
                },
            };
            // The reports arrive on another stream.
            let deadline = tokio::time::Instant::now() + REPORTED;
            let is_seen = || self.ends.of(&asked.vertices[number].digest).is_some() || runs();
            while tokio::time::Instant::now() < deadline && !is_seen() {
                tokio::time::sleep(LOOK).await;
            }
            return match solved {
                Ok(_) => Ok(!runs()),
                Err(_) if runs() => Ok(false),
                Err(error) => Err(error),
            };
        }
    }
}
