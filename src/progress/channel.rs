//! The channel of events to the display, which several builds and the client's own steps share.
//!
//! A daemon's reports go through a [`Source`], which waits while the display is far behind, so
//! memory stays bounded. The client's own steps ([`Step`], in `step.rs`) are few and never wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use futures_util::{Stream, StreamExt};
use sha2::{Digest as _, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::event::{StatusUpdate, Vertex};
use super::name::StepName;
use super::running::Running;
use super::step::Step;

/// The capacity of the queue, in units of [`UNIT`] bytes.
const QUEUE: u32 = 1024;
/// An update takes one unit, plus one per this many bytes of logs.
const UNIT: usize = 4096;

/// Opens a channel. The [`Updates`] end when the writer, its clones, sources and steps are all
/// dropped.
pub fn channel() -> (Writer, Updates) {
    channel_with_clock(SystemTime::now)
}

/// As [`channel`], with the clock for the client's own steps.
pub fn channel_with_clock(clock: fn() -> SystemTime) -> (Writer, Updates) {
    let (events, receiver) = mpsc::unbounded_channel();
    let mut seed = [0; 16];
    if getrandom::fill(&mut seed).is_err() {
        // The number only separates the steps of one display, so the time is good enough.
        let nanos = clock()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        seed = nanos.to_le_bytes();
    }
    let shared = Shared {
        clock,
        seed,
        next: AtomicU64::new(1),
        space: Arc::new(Semaphore::new(QUEUE as usize)),
        log_owners: Mutex::default(),
    };
    (
        Writer {
            events,
            shared: Arc::new(shared),
            node: None,
            target: None,
        },
        Updates { events: receiver },
    )
}

/// The most steps whose log source is remembered.
const OWNERS: usize = 200_000;

/// An event on its way to the display.
#[derive(Debug)]
pub struct Event {
    /// The clock of the event's times: 0 is this client, other numbers are one [`Source`] each.
    pub source: u64,
    /// The change.
    pub update: StatusUpdate,
    /// The event's room in the queue, released when it has been handled.
    _room: Option<OwnedSemaphorePermit>,
}

impl Event {
    /// Creates an event as it would come through a channel.
    pub fn new(source: u64, update: StatusUpdate) -> Self {
        Self {
            source,
            update,
            _room: None,
        }
    }
}

/// Receives the events of builds, instead of a [`Display`](super::Display).
pub trait Sink: Send {
    /// Takes an event.
    fn take(&mut self, event: &Event);
}

/// The receiving end, for [`Display::run`](super::Display::run).
#[derive(Debug)]
pub struct Updates {
    events: mpsc::UnboundedReceiver<Event>,
}

impl Updates {
    /// Returns the next event; `None` when all senders are dropped.
    pub async fn recv(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// Gives all events to a sink. Returns the sink when all senders are dropped.
    pub async fn into_sink<S: Sink>(mut self, mut sink: S) -> S {
        while let Some(event) = self.recv().await {
            sink.take(&event);
        }
        sink
    }

    /// Returns the next event if there is one already.
    pub fn try_recv(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }
}

#[derive(Debug)]
struct Shared {
    clock: fn() -> SystemTime,
    seed: [u8; 16],
    next: AtomicU64,
    space: Arc<Semaphore>,
    /// The source that reports the logs of a step which several builds share: the first one.
    log_owners: Mutex<HashMap<String, u64>>,
}

/// The sending end. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Writer {
    events: mpsc::UnboundedSender<Event>,
    shared: Arc<Shared>,
    /// The node of its sources, if there are several.
    node: Option<Arc<str>>,
    /// The target of its sources, if there are several.
    target: Option<Arc<str>>,
}

impl Writer {
    /// Starts a step of the client itself, e.g. `[internal] load build definition from Dockerfile`.
    pub fn step(&self, name: impl Into<String>) -> Step {
        let name = name.into();
        let name = match &self.target {
            Some(target) => prefixed(target, &name),
            None => name,
        };
        Step::begin(self.clone(), name)
    }

    /// Runs a future as a step. The future's error becomes the step's.
    pub async fn track<T, E: std::fmt::Display>(
        &self,
        name: impl Into<String>,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let step = self.step(name);
        let result = work.await;
        match &result {
            Ok(_) => step.done(),
            Err(error) => step.fail(error),
        }
        result
    }

    /// Shows one line of its own: a step that completes at once.
    pub fn note(&self, text: impl Into<String>) {
        self.step(text).note();
    }

    /// Returns a new source of events with its own clock, for the status stream of one build on one
    /// daemon.
    pub fn source(&self) -> Source {
        Source {
            id: self.shared.next.fetch_add(1, Ordering::Relaxed),
            prefix: self.target.as_deref().map(str::to_owned),
            writer: self.clone(),
        }
    }

    /// Returns a writer for one of several nodes: steps of its sources without a platform end with
    /// the node's name.
    #[must_use]
    pub fn for_node(&self, node: &str) -> Self {
        Self {
            node: Some(node.into()),
            ..self.clone()
        }
    }

    /// Returns a writer for one of several targets: step names of its sources begin with the
    /// target's name.
    #[must_use]
    pub fn for_target(&self, target: &str) -> Self {
        Self {
            target: Some(target.into()),
            ..self.clone()
        }
    }

    /// Sends an event of this client's clock. It is dropped if the display has ended.
    pub(super) fn send_own(&self, update: StatusUpdate) {
        let _ = self.events.send(Event::new(0, update));
    }

    /// Returns this client's time.
    pub(super) fn now(&self) -> SystemTime {
        (self.shared.clock)()
    }

    /// Returns a digest that no other step has.
    pub(super) fn new_digest(&self) -> String {
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let hash = Sha256::new()
            .chain_update(self.shared.seed)
            .chain_update(number.to_le_bytes())
            .finalize();
        format!("sha256:{hash:x}")
    }
}

/// The events of one build on one daemon.
///
/// Several sources may report the same step (the same digest). It is shown once, with its log once.
#[derive(Debug)]
pub struct Source {
    id: u64,
    prefix: Option<String>,
    writer: Writer,
}

impl Source {
    /// Adds a prefix to every step's name: `[2/3] RUN` becomes `[web 2/3] RUN`.
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Waits for room and sends an update. Returns false if the display has ended.
    pub async fn send(&self, mut update: StatusUpdate) -> bool {
        self.keep_own_logs(&mut update);
        self.add_names(&mut update);
        let bytes: usize = update.logs.iter().map(|log| log.data.len()).sum();
        let units = u32::try_from(1 + bytes / UNIT).unwrap_or(QUEUE).min(QUEUE);
        // The semaphore is never closed, so this cannot fail; a failure would only mean no limit.
        let room = self
            .writer
            .shared
            .space
            .clone()
            .acquire_many_owned(units)
            .await
            .ok();
        self.writer
            .events
            .send(Event {
                source: self.id,
                update,
                _room: room,
            })
            .is_ok()
    }

    /// Sends a whole stream. If it breaks, or this future is dropped, the steps that still run are
    /// reported as cancelled: nobody will report their end.
    ///
    /// # Errors
    /// The stream's first error.
    pub async fn forward<E>(
        self,
        updates: impl Stream<Item = Result<StatusUpdate, E>>,
    ) -> Result<(), E> {
        let mut running = Running::of(&self);
        let mut updates = std::pin::pin!(updates);
        while let Some(update) = updates.next().await {
            let update = update?;
            running.note(&update);
            self.send(update).await;
        }
        running.forget();
        Ok(())
    }

    /// Sends an update that must not wait.
    pub(super) fn send_at_once(&self, mut update: StatusUpdate) {
        self.add_names(&mut update);
        let _ = self.writer.events.send(Event::new(self.id, update));
    }

    fn add_names(&self, update: &mut StatusUpdate) {
        for vertex in &mut update.vertexes {
            if let Some(prefix) = &self.prefix {
                add_prefix(prefix, vertex);
            }
            if let Some(node) = &self.writer.node {
                add_node(node, vertex);
            }
        }
    }

    fn keep_own_logs(&self, update: &mut StatusUpdate) {
        if update.logs.is_empty() {
            return;
        }
        let mut owners = self
            .writer
            .shared
            .log_owners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        update.logs.retain(|log| match owners.get(&log.vertex) {
            Some(owner) => *owner == self.id,
            None => {
                // More steps than any build has: a hostile daemon must not fill the memory.
                if owners.len() < OWNERS {
                    owners.insert(log.vertex.clone(), self.id);
                }
                true
            }
        });
    }
}

impl Drop for Source {
    /// Another source may now report the logs of the same steps.
    fn drop(&mut self) {
        let mut owners = self
            .writer
            .shared
            .log_owners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        owners.retain(|_, owner| *owner != self.id);
    }
}

fn prefixed(prefix: &str, name: &str) -> String {
    match name.strip_prefix('[') {
        Some(rest) => format!("[{prefix} {rest}"),
        None => format!("[{prefix}] {name}"),
    }
}

fn add_prefix(prefix: &str, vertex: &mut Vertex) {
    vertex.name = prefixed(prefix, &vertex.name);
    if let Some(group) = &mut vertex.progress_group {
        group.name = prefixed(prefix, &group.name);
    }
}

/// Each platform is built on one node, so steps with a platform need no node name.
fn add_node(node: &str, vertex: &mut Vertex) {
    let group = vertex.progress_group.as_mut().map(|group| &mut group.name);
    for name in [Some(&mut vertex.name), group].into_iter().flatten() {
        if !name.is_empty() && StepName::new(name).platform().is_none() {
            name.push_str(&format!(" ({node})"));
        }
    }
}

#[cfg(test)]
mod tests;
