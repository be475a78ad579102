//! The events of one build on one daemon, on their way into the [channel](super::channel()).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{Stream, StreamExt};

use super::channel::{Event, QUEUE, Writer, prefixed};
use super::event::{StatusUpdate, Vertex, VertexLog};
use super::name::StepName;
use super::running::Running;

/// An update takes one unit of the queue, plus one per this many bytes of logs.
const UNIT: usize = 4096;
/// The most steps whose log source is remembered.
const OWNERS: usize = 200_000;

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
    /// Creates the source with this number, which no other one of the writer's channel has.
    pub(super) fn new(id: u64, writer: &Writer) -> Self {
        Self {
            id,
            prefix: writer.target.as_deref().map(str::to_owned),
            writer: writer.clone(),
        }
    }

    /// Adds a prefix to every step's name: `[2/3] RUN` becomes `[web 2/3] RUN`.
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Waits for room and sends an update. Returns false if the display has ended.
    pub async fn send(&self, mut update: StatusUpdate) -> bool {
        let owners = &self.writer.shared.log_owners;
        owners.keep_own(self.id, &mut update.logs);
        self.add_names(&mut update);
        let bytes: usize = update.logs.iter().map(|log| log.data.len()).sum();
        let units = u32::try_from(1 + bytes / UNIT).unwrap_or(QUEUE).min(QUEUE);
        let room = self.writer.shared.room(units).await;
        self.writer
            .events
            .send(Event::with_room(self.id, update, room))
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
}

impl Drop for Source {
    /// Another source may now report the logs of the same steps.
    fn drop(&mut self) {
        self.writer.shared.log_owners.forget(self.id);
    }
}

/// The source that reports the logs of a step which several builds share: the first one.
#[derive(Debug, Default)]
pub(super) struct LogOwners(Mutex<HashMap<String, u64>>);

impl LogOwners {
    /// Keeps the logs that this source reports.
    fn keep_own(&self, source: u64, logs: &mut Vec<VertexLog>) {
        if logs.is_empty() {
            return;
        }
        let mut owners = self.lock();
        logs.retain(|log| match owners.get(&log.vertex) {
            Some(owner) => *owner == source,
            None => {
                // More steps than any build has: a hostile daemon must not fill the memory.
                if owners.len() < OWNERS {
                    owners.insert(log.vertex.clone(), source);
                }
                true
            }
        });
    }

    fn forget(&self, source: u64) {
        self.lock().retain(|_, owner| *owner != source);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
