//! Solves a graph from one pause to the next.

use std::fmt;

use super::graph::Graph;
use super::pause::{Pause, Reason, Solved};
use super::program::{Program, Step, Subject};
use crate::frontend::Solving;
use crate::gateway::{Error, Ref, SolveOptions};

/// Controls a build in the debugger. A build for several platforms is debugged on all of them
/// concurrently.
#[tonic::async_trait]
pub trait Debugger: Send + Sync + fmt::Debug {
    /// Called before the first step. Returns where to pause first.
    async fn started(&self, program: &Program) -> Start {
        let _ = program;
        Start::Run
    }

    /// True if the build should pause before a step. Asked each time that it resumes.
    fn breaks_at(&self, step: &Step) -> bool {
        let _ = step;
        false
    }

    /// True if the build should pause when the whole graph is solved.
    fn pauses_at_end(&self) -> bool {
        false
    }

    /// Called at each pause. The build resumes when this returns; a failed build ends then.
    async fn paused(&self, pause: &Pause<'_>) -> Action;
}

/// The first pause of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the first breakpoint or failure.
    Run,
    /// Before the first step.
    Entry,
}

/// The way to resume a paused build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Run to the next breakpoint.
    Continue,
    /// Run to the next step of the same branch.
    Next,
    /// Run to the next step.
    StepIn,
    /// Run to the step that uses this branch.
    StepOut,
}

/// Solves a platform's graph. Pauses where the debugger requests it and where a step fails.
///
/// # Errors
/// The daemon's.
pub async fn run(solving: Solving<'_>, debugger: &dyn Debugger) -> Result<Ref, Error> {
    let graph = Graph::new(solving.definition);
    let program = Program::new(&graph);
    let stepper = Stepper {
        solving,
        graph: &graph,
        program: &program,
        debugger,
    };
    stepper.run().await
}

struct Stepper<'a> {
    solving: Solving<'a>,
    graph: &'a Graph,
    program: &'a Program,
    debugger: &'a dyn Debugger,
}

impl<'a> Stepper<'a> {
    async fn run(&self) -> Result<Ref, Error> {
        let mut last = match self.debugger.started(self.program).await {
            Start::Entry => Action::StepIn,
            Start::Run => Action::Continue,
        };
        let mut target = self.target(None, last);
        while let Some(step) = target {
            let solved = match self.solve(&self.program.steps()[step].subject).await {
                Ok(solved) => solved,
                Err(error) => return self.failed(error).await,
            };
            let reason = match last {
                Action::Continue => Reason::Breakpoint,
                _ => Reason::Step,
            };
            let frames = self.program.frames(step);
            let pause = Pause::at(self.solving, reason, frames, self.graph, solved);
            last = self.debugger.paused(&pause).await;
            target = self.target(Some(step), last);
        }
        let result = match self.solve_all().await {
            Ok(result) => result,
            Err(error) => return self.failed(error).await,
        };
        if self.debugger.pauses_at_end() {
            let solved = Solved::Result(result.clone(), None);
            let pause = Pause::at(self.solving, Reason::End, Vec::new(), self.graph, solved);
            self.debugger.paused(&pause).await;
        }
        Ok(result)
    }

    async fn solve_all(&self) -> Result<Ref, Error> {
        let result = self.solving.solve().await?;
        // Compute the result even if the build would leave that to the exporter.
        self.solving.bridge.evaluate(&result).await?;
        Ok(result)
    }

    /// Pauses at the failed step, if it is known. Returns the failure.
    async fn failed<T>(&self, error: Error) -> Result<T, Error> {
        let Some(failure) = error.failure() else {
            return Err(error);
        };
        let digest = failure.vertex().unwrap_or_default().to_owned();
        let node = self.graph.node(&digest);
        let solved = match node {
            None => Solved::Nothing,
            // The inputs exist when a step fails, so this fails only if the connection is lost.
            Some(_) => self.inputs(&digest).await.unwrap_or(Solved::Nothing),
        };
        let frames = self.program.before(&digest);
        let frames = frames
            .map(|step| self.program.frames(step))
            .unwrap_or_default();
        let reason = Reason::Failure(&error);
        let pause = Pause::at(self.solving, reason, frames, self.graph, solved);
        self.debugger.paused(&pause).await;
        Err(error)
    }

    /// The step of the next pause; `None` for the end of the build.
    fn target(&self, from: Option<usize>, action: Action) -> Option<usize> {
        let steps = self.program.steps();
        let at = from.and_then(|step| steps.get(step));
        let first = from.map_or(0, |step| step + 1);
        let limit = match action {
            Action::Continue => None,
            Action::Next => at.and_then(|step| step.next),
            Action::StepIn => Some(first).filter(|next| *next < steps.len()),
            Action::StepOut => at.and_then(|step| step.out),
        };
        let mut between = first..limit.unwrap_or(steps.len());
        let stop = between.find(|step| {
            let step = &steps[*step];
            step.digest.is_some() && self.debugger.breaks_at(step)
        });
        stop.or(limit)
    }

    async fn solve(&self, subject: &Subject) -> Result<Solved<'a>, Error> {
        match subject {
            Subject::Inputs(digest) => self.inputs(digest).await,
            Subject::Result(digest) => {
                let input = crate::proto::pb::Input {
                    digest: digest.clone(),
                    index: 0,
                };
                let graph = self.graph.of_input(&input)?;
                let options = self.options(true);
                let result = self.solving.bridge.solve(&graph, &options).await?;
                Ok(Solved::Result(result, self.graph.node(digest)))
            }
        }
    }

    /// Solves the inputs of an op. Only the file system that the op modifies is computed.
    async fn inputs(&self, digest: &str) -> Result<Solved<'a>, Error> {
        let Some(node) = self.graph.node(digest) else {
            return Ok(Solved::Nothing);
        };
        let parent = node.parent();
        let mut results = Vec::with_capacity(node.op.inputs.len());
        for (index, input) in node.op.inputs.iter().enumerate() {
            let graph = self.graph.of_input(input)?;
            let options = self.options(Some(index) == parent);
            results.push(self.solving.bridge.solve(&graph, &options).await?);
        }
        Ok(Solved::Inputs(node, results))
    }

    fn options(&self, evaluate: bool) -> SolveOptions {
        SolveOptions {
            evaluate,
            ..self.solving.options.clone()
        }
    }
}
