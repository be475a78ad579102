//! Finds out which results of a graph a daemon has, from the sources up.
//!
//! The graph is solved one sequence of steps at a time, and never cancelled. When a step starts,
//! BuildKit commits the files of the step below it. If the solve ends at that moment, the daemon
//! keeps a cache record without files (`finalize` in its `cache/refs.go`), and each later build
//! that uses the record fails. A step that fails ends the steps beside it in the same way.

use std::time::Duration;

use super::Expected;
use super::graph::{Asked, Commands, Vertex};
use super::walk::{Answer, Found, Step, Walk};
use crate::client::{CacheEntry, Failure};
use crate::frontend::Error;
use crate::gateway::{self, Bridge, SolveOptions};
use crate::llb::Definition;
use crate::progress::{StepEnd, StepEnds};

/// The interval at which the daemon's reports are checked.
const LOOK: Duration = Duration::from_millis(10);
/// How long to wait for a report about a step after its solve has ended: another stream brings it.
const REPORTED: Duration = Duration::from_secs(2);

/// A graph with what a daemon has of it.
pub(crate) struct Survey {
    asked: Asked,
    found: Vec<Found>,
}

/// The reason for an incomplete survey.
pub(crate) enum Incomplete {
    /// The graph cannot be divided.
    Graph(Error),
    /// The daemon failed, or a step that the build would run too.
    Solve(gateway::Error),
}

impl From<Error> for Incomplete {
    fn from(error: Error) -> Self {
        Self::Graph(error)
    }
}

/// Solves graphs whose commands cannot start.
pub(crate) struct Trial<'a> {
    pub(crate) bridge: &'a Bridge,
    pub(crate) cache_imports: &'a [CacheEntry],
    /// The steps that the daemon reported in the bridge's build.
    pub(crate) ends: &'a StepEnds,
}

impl Survey {
    /// Asks a daemon about all steps of a graph. Steps that only copy files may run.
    pub(crate) async fn of(definition: &Definition, trial: &Trial<'_>) -> Result<Self, Incomplete> {
        let asked = Asked::new(definition, Commands::Impossible)?;
        let found = asked.vertices.iter().map(|vertex| match vertex.is_source {
            true => Found::Cached,
            false => Found::Open,
        });
        let found = found.collect();
        let mut survey = Self { asked, found };
        let users = survey.users();
        for number in 0..survey.found.len() {
            if survey.can_be_asked(number) {
                let sequence = survey.sequence(number, &users);
                survey.ask(&sequence, trial).await?;
            }
        }
        Ok(survey)
    }

    /// The steps that use each step's result.
    fn users(&self) -> Vec<Vec<usize>> {
        let mut users = vec![Vec::new(); self.found.len()];
        for (number, vertex) in self.asked.vertices.iter().enumerate() {
            for input in &vertex.inputs {
                users[*input].push(number);
            }
        }
        users
    }

    fn can_be_asked(&self, number: usize) -> bool {
        let mut inputs = self.asked.vertices[number].inputs.iter();
        self.found[number] == Found::Open && inputs.all(|input| self.found[*input].is_there())
    }

    /// A step that can be asked, and steps of which each needs only the one before it besides
    /// results that are there.
    fn sequence(&self, first: usize, users: &[Vec<usize>]) -> Vec<usize> {
        let mut sequence = vec![first];
        let mut last = first;
        let follows = |last: usize, user: usize| {
            let mut inputs = self.asked.vertices[user].inputs.iter();
            inputs.all(|input| *input == last || self.found[*input].is_there())
        };
        while let Some(next) = users[last].iter().find(|user| follows(last, **user)) {
            last = *next;
            sequence.push(last);
        }
        sequence
    }

    /// Solves a sequence: it ends with its last step, or with the first command that is not cached.
    async fn ask(&mut self, sequence: &[usize], trial: &Trial<'_>) -> Result<(), Incomplete> {
        let Some(last) = sequence.last() else {
            return Ok(());
        };
        let part = self.asked.until(*last)?;
        let solved = solve(trial.bridge, &part, trial.cache_imports).await;
        let failed = match solved {
            Ok(()) => sequence.len(),
            Err(error) => {
                let failed = self.command(sequence, &error);
                failed.ok_or(Incomplete::Solve(error))?
            }
        };
        let there = &sequence[..failed];
        if let Some(end) = there.last() {
            trial.reported(&self.asked.vertices[*end].digest).await;
        }
        for number in there {
            self.found[*number] = match trial.ends.of(&self.asked.vertices[*number].digest) {
                Some(StepEnd::Done) => Found::Ran,
                _ => Found::Cached,
            };
        }
        if let Some(number) = sequence.get(failed) {
            self.found[*number] = Found::Tried;
        }
        Ok(())
    }

    /// The place in a sequence of the command that could not start. Other steps fail as they would
    /// in the build.
    fn command(&self, sequence: &[usize], error: &gateway::Error) -> Option<usize> {
        let failed = error.failure()?.vertex()?;
        sequence.iter().position(|number| {
            let vertex = &self.asked.vertices[*number];
            vertex.is_command && vertex.digest == failed
        })
    }

    /// The way from the result to the steps that have to run.
    pub(crate) fn walk(&self) -> Walk {
        let found = self.asked.vertices.iter().zip(&self.found);
        let steps = found.map(|(vertex, found)| Step {
            inputs: vertex.inputs.clone(),
            found: *found,
            ignores_cache: vertex.ignores_cache,
        });
        Walk::new(steps.collect())
    }

    /// Answers a question of the walk. Each takes a build of its own: within one, the daemon
    /// repeats the failure of a command to every step above it, cached or not.
    pub(crate) async fn answer(
        &self,
        number: usize,
        bridge: &Bridge,
        cache_imports: &[CacheEntry],
    ) -> Result<Answer, Incomplete> {
        let solved = solve(bridge, &self.asked.until(number)?, cache_imports).await;
        let Err(error) = solved else {
            return Ok(Answer::Cached);
        };
        match error.failure().and_then(Failure::vertex) {
            Some(failed) => {
                let mut vertices = self.asked.vertices.iter();
                let failed = vertices.position(|vertex| vertex.digest == failed);
                Ok(Answer::Stopped(failed))
            }
            None => Err(Incomplete::Solve(error)),
        }
    }

    /// The steps with their forecasts, without sources. A step that is not needed counts as cached.
    pub(super) fn expected(&self, is_needed: &[bool]) -> Vec<(&Vertex, Expected)> {
        let mut all: Vec<Expected> = Vec::with_capacity(self.found.len());
        for (number, vertex) in self.asked.vertices.iter().enumerate() {
            let base = vertex.base.map(|base| all[base]);
            all.push(match self.found[number] {
                _ if !is_needed[number] => Expected::Cached,
                Found::Cached => Expected::Cached,
                Found::Ran | Found::Tried => Expected::Runs,
                Found::Open if base == Some(Expected::Runs) => Expected::Runs,
                Found::Open => Expected::Unknown,
            });
        }
        let steps = self.asked.vertices.iter().zip(all);
        steps.filter(|(vertex, _)| !vertex.is_source).collect()
    }
}

impl Trial<'_> {
    /// Waits for the report about a step that has ended.
    async fn reported(&self, digest: &str) {
        let is_open = || {
            self.ends
                .of(digest)
                .is_none_or(|end| end == StepEnd::Running)
        };
        let deadline = tokio::time::Instant::now() + REPORTED;
        while is_open() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn solve(
    bridge: &Bridge,
    definition: &Definition,
    cache_imports: &[CacheEntry],
) -> Result<(), gateway::Error> {
    let options = SolveOptions {
        evaluate: true,
        cache_imports: cache_imports.to_vec(),
        ..SolveOptions::default()
    };
    bridge.solve(definition, &options).await.map(drop)
}
