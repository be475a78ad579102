//! Handles the editor's requests: settings here, requests about a paused thread in its thread.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};
use solvekit::debug;
use solvekit::frontend::{Hook, Solving};
use solvekit::gateway::{self, Ref};
use solvekit::llb::SourceFile;
use tokio::io::BufReader;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::breakpoints::Breakpoints;
use super::client::{Asked, Client};
use super::thread::Thread;
use super::wire;

/// The launch configuration of the editor. Unknown fields are for the editor itself.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Launch {
    pub(super) dockerfile: Option<String>,
    pub(super) context_path: Option<String>,
    pub(super) target: Option<String>,
    pub(super) stop_on_entry: bool,
}

/// The debug adapter of one build.
#[derive(Debug)]
pub(super) struct Adapter {
    pub(super) client: Client,
    cancelled: CancellationToken,
    state: Mutex<State>,
    stage: watch::Sender<Stage>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) breakpoints: Breakpoints,
    pub(super) runs_terminals: bool,
    pub(super) launch: Launch,
    /// The path of the Dockerfile on this machine.
    dockerfile: String,
    sources: BTreeMap<String, Arc<SourceFile>>,
    threads: BTreeMap<i64, Known>,
    last_thread: i64,
}

/// The state of a thread that requests need.
#[derive(Debug)]
pub(super) struct Known {
    name: String,
    /// Receives requests while the thread is paused.
    pub(super) paused: Option<mpsc::UnboundedSender<Asked>>,
}

/// The stage of the protocol's handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Initialized,
    Launched,
    Configured,
    Ended,
}

impl Adapter {
    pub(super) fn new(client: Client, cancelled: CancellationToken) -> Self {
        Self {
            client,
            cancelled,
            state: Mutex::default(),
            stage: watch::Sender::new(Stage::New),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the editor has finished its configuration; `None` if it disconnects before.
    pub(super) async fn configured(&self) -> Option<Launch> {
        let mut stage = self.stage.subscribe();
        let is_settled = |stage: &Stage| matches!(stage, Stage::Configured | Stage::Ended);
        tokio::select! {
            () = self.cancelled.cancelled() => None,
            settled = stage.wait_for(is_settled) => {
                let settled = settled.is_ok_and(|stage| *stage == Stage::Configured);
                settled.then(|| self.state().launch.clone())
            }
        }
    }

    pub(super) fn set_dockerfile(&self, path: &str) {
        path.clone_into(&mut self.state().dockerfile);
    }

    /// Reports the end of the build to the editor.
    pub(super) fn end(&self, is_built: bool) {
        self.client.event("terminated", json!({}));
        let code = if is_built { 0 } else { 1 };
        self.client.event("exited", json!({"exitCode": code}));
    }

    /// Handles requests until the editor disconnects, which ends the build.
    pub(super) async fn serve(self: Arc<Self>) {
        let mut stdin = BufReader::new(tokio::io::stdin());
        loop {
            match wire::read(&mut stdin).await {
                Ok(Some(message)) => {
                    if self.take(message) {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    let text = format!("the client does not speak the protocol: {error}\n");
                    self.client
                        .event("output", json!({"category": "stderr", "output": text}));
                    break;
                }
            }
        }
        self.stage.send_replace(Stage::Ended);
        self.cancelled.cancel();
    }

    /// Handles a message. True if it is the last one.
    fn take(&self, message: Value) -> bool {
        match message["type"].as_str() {
            Some("response") => self.client.answered(message),
            Some("request") => {
                let asked = Asked {
                    sequence: message["seq"].as_i64().unwrap_or_default(),
                    command: message["command"].as_str().unwrap_or_default().to_owned(),
                    arguments: message.get("arguments").cloned().unwrap_or_default(),
                };
                return self.request(asked);
            }
            _ => {}
        }
        false
    }

    fn request(&self, asked: Asked) -> bool {
        let answer = match asked.command.as_str() {
            "initialize" => self.initialize(&asked),
            "launch" => self.launch(&asked),
            "setBreakpoints" => Ok(self.set_breakpoints(&asked)),
            "setExceptionBreakpoints" => Ok(json!({"breakpoints": []})),
            "configurationDone" => self.advance(Stage::Launched, Stage::Configured),
            "threads" => Ok(self.threads()),
            "source" => self.source(&asked),
            "loadedSources" => Ok(self.loaded_sources()),
            "disconnect" | "terminate" => {
                self.client.respond(&asked, Ok(Value::Null));
                return true;
            }
            "continue" | "next" | "stepIn" | "stepOut" | "stackTrace" => {
                return self.to_thread(asked.number("threadId"), asked);
            }
            "scopes" => return self.to_thread(asked.number("frameId") >> 24, asked),
            "variables" => {
                return self.to_thread(asked.number("variablesReference") >> 24, asked);
            }
            "evaluate" => {
                let thread = match asked.number("frameId") {
                    0 => self.first_paused(),
                    frame => frame >> 24,
                };
                return self.to_thread(thread, asked);
            }
            _ => Err("not implemented".to_owned()),
        };
        let is_launched = asked.command == "launch" && answer.is_ok();
        self.client.respond(&asked, answer);
        if is_launched {
            self.client.event("initialized", json!({}));
        }
        false
    }

    fn advance(&self, from: Stage, to: Stage) -> Result<Value, String> {
        let advanced = self.stage.send_if_modified(|stage| {
            let is_next = *stage == from;
            *stage = if is_next { to } else { *stage };
            is_next
        });
        match advanced {
            true => Ok(Value::Null),
            false => Err("the request comes at the wrong time".to_owned()),
        }
    }

    fn initialize(&self, asked: &Asked) -> Result<Value, String> {
        self.advance(Stage::New, Stage::Initialized)?;
        let runs_terminals = asked.arguments["supportsRunInTerminalRequest"] == true;
        self.state().runs_terminals = runs_terminals;
        Ok(json!({
            "supportsConfigurationDoneRequest": true,
            "supportsLoadedSourcesRequest": true,
            "supportsTerminateRequest": true,
        }))
    }

    fn launch(&self, asked: &Asked) -> Result<Value, String> {
        let launch: Launch = match &asked.arguments {
            Value::Null => Launch::default(),
            arguments => serde_json::from_value(arguments.clone())
                .map_err(|error| format!("the arguments cannot be read: {error}"))?,
        };
        self.advance(Stage::Initialized, Stage::Launched)?;
        self.state().launch = launch;
        Ok(Value::Null)
    }

    fn set_breakpoints(&self, asked: &Asked) -> Value {
        let path = asked.arguments["source"]["path"]
            .as_str()
            .unwrap_or_default();
        let lines = asked.arguments["breakpoints"]
            .as_array()
            .into_iter()
            .flatten();
        let lines = lines.filter_map(|it| it["line"].as_i64());
        json!({"breakpoints": self.state().breakpoints.set(path, lines)})
    }

    fn threads(&self) -> Value {
        let state = self.state();
        let threads = state.threads.iter();
        let threads = threads.map(|(id, known)| json!({"id": id, "name": known.name}));
        json!({"threads": threads.collect::<Vec<_>>()})
    }

    fn source(&self, asked: &Asked) -> Result<Value, String> {
        let path = asked.arguments["source"]["path"]
            .as_str()
            .unwrap_or_default();
        let state = self.state();
        let file = state
            .sources
            .get(path)
            .ok_or_else(|| format!("file not found: {path}"))?;
        Ok(json!({"content": String::from_utf8_lossy(&file.data)}))
    }

    fn loaded_sources(&self) -> Value {
        let state = self.state();
        let sources = state.sources.keys().map(|path| source(path));
        json!({"sources": sources.collect::<Vec<_>>()})
    }

    fn first_paused(&self) -> i64 {
        let state = self.state();
        let mut threads = state.threads.iter();
        let paused = threads.find(|(_, known)| known.paused.is_some());
        paused.map(|(id, _)| *id).unwrap_or_default()
    }

    fn to_thread(&self, id: i64, asked: Asked) -> bool {
        let paused = self
            .state()
            .threads
            .get(&id)
            .and_then(|known| known.paused.clone());
        let refused = match paused {
            None => Some(asked),
            Some(thread) => thread.send(asked).err().map(|error| error.0),
        };
        if let Some(asked) = refused {
            let reason = format!("no such thread is paused: {id}");
            self.client.respond(&asked, Err(reason));
        }
        false
    }

    /// The path by which the editor knows a file.
    pub(super) fn path_of(&self, file: &SourceFile) -> String {
        let state = self.state();
        let name = |path: &str| Path::new(path).file_name().map(ToOwned::to_owned);
        match name(&file.filename) == name(&state.dockerfile) {
            true => state.dockerfile.clone(),
            false => file.filename.clone(),
        }
    }

    /// Reports to the editor a file that steps were made from.
    pub(super) fn loaded(&self, path: &str, file: &Arc<SourceFile>) {
        let known = self
            .state()
            .sources
            .insert(path.to_owned(), Arc::clone(file));
        let reason = match known {
            None => "new",
            Some(known) if known.data != file.data => "changed",
            Some(_) => return,
        };
        let body = json!({"reason": reason, "source": source(path)});
        self.client.event("loadedSource", body);
    }

    fn start_thread(&self, name: String) -> i64 {
        let mut state = self.state();
        state.last_thread += 1;
        let id = state.last_thread;
        let known = Known { name, paused: None };
        state.threads.insert(id, known);
        drop(state);
        self.client
            .event("thread", json!({"reason": "started", "threadId": id}));
        id
    }

    fn end_thread(&self, id: i64) {
        self.state().threads.remove(&id);
        self.client
            .event("thread", json!({"reason": "exited", "threadId": id}));
    }

    pub(super) fn set_paused(&self, id: i64, paused: Option<mpsc::UnboundedSender<Asked>>) {
        if let Some(known) = self.state().threads.get_mut(&id) {
            known.paused = paused;
        }
    }
}

/// A source in the protocol's form.
pub(super) fn source(path: &str) -> Value {
    let name = Path::new(path)
        .file_name()
        .map(|name| name.to_string_lossy());
    json!({"name": name.unwrap_or_default(), "path": path})
}

#[tonic::async_trait]
impl Hook for Adapter {
    async fn solve(&self, solving: Solving<'_>) -> Result<Ref, gateway::Error> {
        let name = match solving.platform {
            Some(platform) => format!("default ({platform})"),
            None => "default".to_owned(),
        };
        let id = self.start_thread(name);
        let solved = debug::run(solving, &Thread::new(self, id)).await;
        self.end_thread(id);
        solved
    }
}
