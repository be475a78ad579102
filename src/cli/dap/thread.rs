//! A platform as a thread of the protocol: answers requests while it is paused.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use solvekit::debug::{Action, Debugger, Pause, Program, Reason, Start, Step};
use tokio::sync::mpsc;

use super::adapter::{Adapter, source};
use super::breakpoints::lines;
use super::client::Asked;
use super::inspect::Variables;
use super::terminal::Terminals;

/// The thread of a platform.
#[derive(Debug)]
pub(super) struct Thread<'a> {
    adapter: &'a Adapter,
    id: i64,
}

impl<'a> Thread<'a> {
    pub(super) fn new(adapter: &'a Adapter, id: i64) -> Self {
        Self { adapter, id }
    }

    fn breakpoints(&self, step: &Step) -> Vec<i64> {
        match &step.frame.place {
            None => Vec::new(),
            Some(place) => {
                let path = self.adapter.path_of(&place.file);
                self.adapter.state().breakpoints.on(&path, lines(place))
            }
        }
    }

    fn stopped(&self, pause: &Pause<'_>) {
        let mut body = json!({"threadId": self.id});
        match pause.reason {
            Reason::Failure(error) => {
                let failure = error.failure().map(|failure| failure.message.clone());
                body["reason"] = "exception".into();
                body["description"] = "Encountered an error during result evaluation".into();
                body["text"] = failure.unwrap_or_else(|| error.to_string()).into();
            }
            Reason::Breakpoint => {
                let ids = pause.frames.first().map(|step| self.breakpoints(step));
                body["reason"] = "breakpoint".into();
                body["description"] = "Paused on breakpoint".into();
                body["hitBreakpointIds"] = ids.unwrap_or_default().into();
            }
            _ => body["reason"] = "step".into(),
        }
        self.adapter.client.event("stopped", body);
    }

    fn stack(&self, pause: &Pause<'_>) -> Value {
        let frames = pause.frames.iter().enumerate().map(|(index, step)| {
            let mut frame = json!({
                "id": frame_id(self.id, index),
                "name": step.frame.name,
                "line": 0,
                "column": 0,
            });
            if let Some(place) = &step.frame.place {
                let (first, last) = lines(place);
                frame["line"] = first.into();
                frame["endLine"] = last.into();
                frame["column"] = place.range.start.character.into();
                frame["endColumn"] = place.range.end.character.into();
                frame["source"] = source(&self.adapter.path_of(&place.file));
            }
            frame
        });
        let frames: Vec<Value> = frames.collect();
        json!({"totalFrames": frames.len(), "stackFrames": frames})
    }
}

/// The id of a frame, which contains the id of its thread.
fn frame_id(thread: i64, index: usize) -> i64 {
    thread << 24 | i64::try_from(index + 1).unwrap_or(i64::MAX)
}

/// The effect of a request about a paused thread.
enum Done {
    Answered(Value),
    Resumed(Action),
    /// The answer follows when the terminal is open.
    Terminal,
}

#[tonic::async_trait]
impl Debugger for Thread<'_> {
    async fn started(&self, program: &Program) -> Start {
        for file in program.files() {
            let path = self.adapter.path_of(file);
            self.adapter.loaded(&path, file);
        }
        let mut steps: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
        for file in program.files() {
            steps.entry(self.adapter.path_of(file)).or_default();
        }
        for (_, place) in program.places() {
            let path = self.adapter.path_of(&place.file);
            steps.entry(path).or_default().push(lines(place));
        }
        for (path, steps) in steps {
            let changed = self.adapter.state().breakpoints.place(&path, &steps);
            for breakpoint in changed {
                let body = json!({"reason": "changed", "breakpoint": breakpoint});
                self.adapter.client.event("breakpoint", body);
            }
        }
        match self.adapter.state().launch.stop_on_entry {
            true => Start::Entry,
            false => Start::Run,
        }
    }

    fn breaks_at(&self, step: &Step) -> bool {
        !self.breakpoints(step).is_empty()
    }

    async fn paused(&self, pause: &Pause<'_>) -> Action {
        let (requests, mut asked) = mpsc::unbounded_channel();
        self.adapter.set_paused(self.id, Some(requests));
        self.stopped(pause);
        let mut at = At {
            thread: self,
            pause,
            variables: Variables::new(self.id, pause),
            terminals: Terminals::default(),
        };
        let action = loop {
            let request = tokio::select! {
                request = asked.recv() => request,
                () = at.terminals.serve(pause) => continue,
            };
            // The adapter holds the sender while this thread is paused.
            let Some(request) = request else {
                break Action::Continue;
            };
            let answer = at.answer(&request).await;
            let (answer, action) = match answer {
                Ok(Done::Answered(body)) => (Ok(body), None),
                Ok(Done::Terminal) => continue,
                Ok(Done::Resumed(action)) => (Ok(json!({})), Some(action)),
                Err(reason) => (Err(reason), None),
            };
            if action.is_some() {
                self.adapter.set_paused(self.id, None);
            }
            self.adapter.client.respond(&request, answer);
            if let Some(action) = action {
                break action;
            }
        };
        at.terminals.end().await;
        action
    }
}

/// A paused thread.
struct At<'a> {
    thread: &'a Thread<'a>,
    pause: &'a Pause<'a>,
    variables: Variables<'a>,
    terminals: Terminals,
}

impl At<'_> {
    async fn answer(&mut self, asked: &Asked) -> Result<Done, String> {
        Ok(Done::Answered(match asked.command.as_str() {
            "continue" => return Ok(Done::Resumed(Action::Continue)),
            "next" => return Ok(Done::Resumed(Action::Next)),
            "stepIn" => return Ok(Done::Resumed(Action::StepIn)),
            "stepOut" => return Ok(Done::Resumed(Action::StepOut)),
            "stackTrace" => self.thread.stack(self.pause),
            "scopes" => {
                let first = frame_id(self.thread.id, 0);
                self.variables.scopes(asked.number("frameId") == first)
            }
            "variables" => self.variables.get(asked.number("variablesReference")).await,
            "evaluate" => return self.evaluate(asked).await,
            _ => return Err("not implemented".to_owned()),
        }))
    }

    async fn evaluate(&mut self, asked: &Asked) -> Result<Done, String> {
        let context = asked.text("context");
        if context != "repl" {
            return Err(format!("unsupported evaluate context: {context}"));
        }
        let expression = asked.text("expression").trim();
        let result = match expression.split_once(char::is_whitespace) {
            None if expression.is_empty() => String::new(),
            None if expression == "exec" => {
                let adapter = self.thread.adapter;
                if !adapter.state().runs_terminals {
                    let reason = "cannot exec without runInTerminal client capability";
                    return Err(reason.to_owned());
                }
                // The client may send a request before it answers the adapter's.
                self.terminals.open(adapter.client.clone(), asked.clone())?;
                return Ok(Done::Terminal);
            }
            Some(("exec", command)) => super::terminal::output(self.pause, command).await?,
            _ => {
                let reason = format!("unknown command {expression:?}: use exec, or exec COMMAND");
                return Err(reason);
            }
        };
        let body = json!({"result": result, "variablesReference": 0});
        Ok(Done::Answered(body))
    }
}
