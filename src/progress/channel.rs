//! The channel of events to the display, which several builds and the client's own steps share.
//!
//! A daemon's reports go through a [`Source`] (in `source.rs`), which waits while the display is
//! far behind, so memory stays bounded. The client's own steps ([`Step`], in `step.rs`) are few and
//! never wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest as _, Sha256};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};

use super::event::StatusUpdate;
use super::source::{LogOwners, Source};
use super::step::Step;

/// The capacity of the queue, in units. A [`Source`] says how many an update takes.
pub(super) const QUEUE: u32 = 1024;

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
        urgent: Arc::default(),
        log_owners: LogOwners::default(),
    };
    let urgent = Arc::clone(&shared.urgent);
    (
        Writer {
            events,
            shared: Arc::new(shared),
            node: None,
            target: None,
        },
        Updates {
            events: receiver,
            urgent,
        },
    )
}

/// An event on its way to the display.
#[derive(Debug)]
pub struct Event {
    /// The clock of the event's times: 0 is this client, other numbers are one [`Source`] each.
    pub source: u64,
    /// The change.
    pub update: StatusUpdate,
    /// When a daemon's event was put into the queue.
    queued: Option<Instant>,
    /// The event's room in the queue, released when it has been handled.
    _room: Option<OwnedSemaphorePermit>,
}

impl Event {
    /// Creates an event as it would come through a channel.
    pub fn new(source: u64, update: StatusUpdate) -> Self {
        Self {
            source,
            update,
            queued: None,
            _room: None,
        }
    }

    /// Creates an event that holds room in the queue.
    pub(super) fn with_room(
        source: u64,
        update: StatusUpdate,
        room: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            queued: Some(Instant::now()),
            _room: room,
            ..Self::new(source, update)
        }
    }

    /// Returns how long it has waited in the queue.
    pub(super) fn age(&self) -> Duration {
        self.queued.map(|since| since.elapsed()).unwrap_or_default()
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
    urgent: Arc<Notify>,
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

    /// Notified when events cannot wait any longer: the queue is full, or no more will come. A
    /// notification can also be late and have no reason any more.
    pub(super) fn urgent(&self) -> Arc<Notify> {
        Arc::clone(&self.urgent)
    }

    /// Returns true if all senders are dropped and all events are taken.
    pub(super) fn is_ended(&self) -> bool {
        self.events.is_closed() && self.events.is_empty()
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    clock: fn() -> SystemTime,
    seed: [u8; 16],
    next: AtomicU64,
    space: Arc<Semaphore>,
    /// Wakes a display that takes events at intervals only.
    urgent: Arc<Notify>,
    pub(super) log_owners: LogOwners,
}

impl Shared {
    /// Waits for room in the queue.
    pub(super) async fn room(&self, units: u32) -> Option<OwnedSemaphorePermit> {
        if let Ok(room) = Arc::clone(&self.space).try_acquire_many_owned(units) {
            return Some(room);
        }
        self.urgent.notify_one();
        // The semaphore is never closed, so this cannot fail; a failure would only mean no limit.
        Arc::clone(&self.space).acquire_many_owned(units).await.ok()
    }
}

impl Drop for Shared {
    /// Each writer drops its sender before this, so the channel is closed by now.
    fn drop(&mut self) {
        self.urgent.notify_one();
    }
}

/// The sending end. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Writer {
    pub(super) events: mpsc::UnboundedSender<Event>,
    pub(super) shared: Arc<Shared>,
    /// The node of its sources, if there are several.
    pub(super) node: Option<Arc<str>>,
    /// The target of its sources, if there are several.
    pub(super) target: Option<Arc<str>>,
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
        Source::new(self.shared.next.fetch_add(1, Ordering::Relaxed), self)
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

/// Adds a prefix to a step's name: `[2/3] RUN` becomes `[web 2/3] RUN`.
pub(super) fn prefixed(prefix: &str, name: &str) -> String {
    match name.strip_prefix('[') {
        Some(rest) => format!("[{prefix} {rest}"),
        None => format!("[{prefix}] {name}"),
    }
}

#[cfg(test)]
mod tests;
