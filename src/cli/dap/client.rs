//! The connection to the editor: responses, events, and requests of the adapter.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use serde_json::{Value, json};
use solvekit::text;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::wire;

/// The most bytes that wait for an editor that does not read.
const WAITING: usize = 64 << 20;

/// The connection to the editor. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Client {
    shared: Arc<Shared>,
    messages: mpsc::Sender<Vec<u8>>,
}

#[derive(Debug)]
struct Shared {
    sequence: AtomicI64,
    /// The number of bytes that are not written yet.
    waiting: AtomicUsize,
    /// The adapter's own requests that are not answered yet.
    asked: Mutex<HashMap<i64, oneshot::Sender<Value>>>,
    /// Cancelled when the editor is gone.
    gone: CancellationToken,
}

impl Client {
    /// Starts the task that writes to stdout. It ends when everything is written and all clones are
    /// dropped.
    pub(super) fn start(gone: CancellationToken) -> (Self, JoinHandle<()>) {
        let (messages, queue) = mpsc::channel::<Vec<u8>>();
        let shared = Arc::new(Shared {
            sequence: AtomicI64::new(1),
            waiting: AtomicUsize::new(0),
            asked: Mutex::default(),
            gone,
        });
        let state = Arc::clone(&shared);
        let writing = tokio::task::spawn_blocking(move || {
            for message in queue {
                let mut stdout = io::stdout().lock();
                let written = stdout.write_all(&message).and_then(|()| stdout.flush());
                state.waiting.fetch_sub(message.len(), Ordering::Relaxed);
                if written.is_err() {
                    state.gone.cancel();
                    return;
                }
            }
        });
        (Self { shared, messages }, writing)
    }

    /// Sends an event.
    pub(super) fn event(&self, name: &str, body: Value) {
        self.send(json!({"type": "event", "event": name, "body": body}));
    }

    /// Sends the response to a request.
    pub(super) fn respond(&self, request: &Asked, answer: Result<Value, String>) {
        let mut response = json!({
            "type": "response",
            "request_seq": request.sequence,
            "command": request.command,
            "success": answer.is_ok(),
        });
        match answer {
            Ok(Value::Null) => {}
            Ok(body) => response["body"] = body,
            Err(message) => response["message"] = message.into(),
        }
        self.send(response);
    }

    /// Sends a request to the editor; `Err` is its reason to refuse.
    pub(super) async fn ask(&self, command: &str, arguments: Value) -> Result<(), String> {
        let (answered, answer) = oneshot::channel();
        let request = json!({"type": "request", "command": command, "arguments": arguments});
        let sequence = self.send_with(request, |sequence| {
            let mut asked = self
                .shared
                .asked
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            asked.insert(sequence, answered);
        });
        let answer = answer.await;
        let mut asked = self
            .shared
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        asked.remove(&sequence);
        match answer {
            Ok(answer) if answer["success"] == true => Ok(()),
            Ok(answer) => Err(answer["message"].as_str().unwrap_or("refused").to_owned()),
            Err(_) => Err("the client is gone".to_owned()),
        }
    }

    /// Handles the editor's answer to a request of the adapter.
    pub(super) fn answered(&self, message: Value) {
        let sequence = message["request_seq"].as_i64().unwrap_or_default();
        let mut asked = self
            .shared
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = asked.remove(&sequence) {
            let _ = waiting.send(message);
        }
    }

    fn send(&self, message: Value) {
        self.send_with(message, |_| {});
    }

    fn send_with(&self, mut message: Value, before: impl FnOnce(i64)) -> i64 {
        let sequence = self.shared.sequence.fetch_add(1, Ordering::Relaxed);
        message["seq"] = sequence.into();
        before(sequence);
        let bytes = wire::write(&message);
        let length = bytes.len();
        let waiting = self.shared.waiting.fetch_add(length, Ordering::Relaxed);
        if waiting > WAITING || self.messages.send(bytes).is_err() {
            self.shared.waiting.fetch_sub(length, Ordering::Relaxed);
            self.shared.gone.cancel();
        }
        sequence
    }
}

/// A request of the editor.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) sequence: i64,
    pub(super) command: String,
    pub(super) arguments: Value,
}

impl Asked {
    pub(super) fn number(&self, name: &str) -> i64 {
        self.arguments[name].as_i64().unwrap_or_default()
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.arguments[name].as_str().unwrap_or_default()
    }
}

impl Client {
    /// Shows the error of the build in the editor's console.
    pub(super) fn tell_error(&self, message: &str) {
        let shown = text::redact(&text::lines(message)).into_owned();
        let shown = format!("ERROR: {shown}\n");
        self.event("output", json!({"category": "stderr", "output": shown}));
    }
}

/// Sends the progress as output events.
pub(super) struct Output(pub(super) Client);

impl Write for Output {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let shown = String::from_utf8_lossy(data);
        let shown = text::redact(&text::lines(&shown)).into_owned();
        self.0
            .event("output", json!({"category": "stdout", "output": shown}));
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
