//! The content of requested files, which several threads write.
//!
//! A file belongs to one thread. It is created when its content arrives, so that an interrupted
//! transfer leaves no empty or partial files.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Write;
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use solvekit_host::Kind;

use super::beneath::Beneath;
use super::error::ExportError;
use super::tree::{complete, create_file};
use crate::session::fsutil::PathTable;

/// More threads write no faster: the daemon's single stream has to keep up with them.
const THREADS: usize = 4;
/// The most batches that wait for a thread. A batch is the data that arrived together.
const WAITING: usize = 2;
/// Files with neighbouring numbers are mostly in the same folder, which is then opened once.
const NEIGHBOURS: u32 = 16;

/// The requested files.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// With mode and time.
    files: PathTable<2>,
    /// The extended attributes; few files have any.
    attributes: HashMap<u32, BTreeMap<String, Vec<u8>>>,
}

impl Pending {
    /// Adds a file and returns the size of the table.
    pub(super) fn insert(
        &mut self,
        id: u32,
        path: &[u8],
        (mode, time): (u32, i64),
        attributes: BTreeMap<String, Vec<u8>>,
    ) -> usize {
        let values = [u64::from(mode), time.cast_unsigned()];
        self.files.insert(id, path, values);
        if !attributes.is_empty() {
            self.attributes.insert(id, attributes);
        }
        self.files.size()
    }
}

/// The content of a file, or its end.
#[derive(Debug)]
enum Part {
    Data(u32, Bytes),
    End(u32),
}

impl Part {
    fn id(&self) -> u32 {
        match self {
            Self::Data(id, _) | Self::End(id) => *id,
        }
    }
}

/// The threads, which start with the first content.
#[derive(Debug)]
pub(super) struct Contents {
    beneath: Beneath,
    pending: Arc<Mutex<Pending>>,
    threads: Vec<Thread>,
}

#[derive(Debug)]
struct Thread {
    /// The data for this thread since the last [`Contents::flush`].
    parts: Vec<Part>,
    sender: SyncSender<Vec<Part>>,
    handle: JoinHandle<Result<(), ExportError>>,
}

impl Contents {
    pub(super) fn new(beneath: Beneath) -> Self {
        Self {
            beneath,
            pending: Arc::default(),
            threads: Vec::new(),
        }
    }

    /// The requested files.
    pub(super) fn pending(&self) -> MutexGuard<'_, Pending> {
        lock(&self.pending)
    }

    /// Appends to a requested file.
    pub(super) fn write(&mut self, id: u32, data: Bytes) -> Result<(), ExportError> {
        self.add(Part::Data(id, data))
    }

    /// Completes a requested file.
    pub(super) fn end(&mut self, id: u32) -> Result<(), ExportError> {
        self.add(Part::End(id))
    }

    fn add(&mut self, part: Part) -> Result<(), ExportError> {
        if self.threads.is_empty() {
            self.start()?;
        }
        let place = (part.id() / NEIGHBOURS) as usize % self.threads.len();
        self.threads[place].parts.push(part);
        Ok(())
    }

    fn start(&mut self) -> Result<(), ExportError> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..count.min(THREADS) {
            let (sender, parts) = sync_channel(WAITING);
            let writer = Writer {
                beneath: self.beneath.again(),
                pending: Arc::clone(&self.pending),
                open: HashMap::new(),
            };
            let thread = thread::Builder::new().name("export".to_owned());
            let handle = thread.spawn(move || writer.run(&parts));
            let handle = handle.map_err(|error| ExportError::file("write", b"files", error))?;
            self.threads.push(Thread {
                parts: Vec::new(),
                sender,
                handle,
            });
        }
        Ok(())
    }

    /// Passes the received data on. Fails if a file could not be written.
    pub(super) fn flush(&mut self) -> Result<(), ExportError> {
        for thread in &mut self.threads {
            let parts = mem::take(&mut thread.parts);
            // A thread that no longer receives has failed; its result says why.
            if !parts.is_empty() && thread.sender.send(parts).is_err() {
                return self.finish();
            }
        }
        Ok(())
    }

    /// Waits until everything is written. Fails if a file could not be.
    pub(super) fn finish(&mut self) -> Result<(), ExportError> {
        let handles = self.threads.drain(..).map(|thread| thread.handle);
        let handles: Vec<_> = handles.collect();
        let results = handles.into_iter().map(|handle| match handle.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        // Wait for all threads, also after a failure.
        results.collect::<Vec<_>>().into_iter().collect()
    }
}

impl Drop for Contents {
    /// After a failure the threads remove incomplete files and end.
    fn drop(&mut self) {
        let handles = self.threads.drain(..).map(|thread| thread.handle);
        for handle in handles.collect::<Vec<_>>() {
            // The transfer has failed already.
            let _ = handle.join();
        }
    }
}

/// The files of one thread.
struct Writer {
    beneath: Beneath,
    pending: Arc<Mutex<Pending>>,
    open: HashMap<u32, Open>,
}

/// A file whose content is arriving.
struct Open {
    file: File,
    path: Vec<u8>,
    mode: u32,
    time: i64,
}

impl Writer {
    fn run(mut self, batches: &Receiver<Vec<Part>>) -> Result<(), ExportError> {
        for part in batches.iter().flatten() {
            match part {
                Part::Data(id, data) => self.write(id, &data)?,
                Part::End(id) => self.end(id)?,
            }
        }
        Ok(())
    }

    fn write(&mut self, id: u32, data: &[u8]) -> Result<(), ExportError> {
        if !self.open.contains_key(&id) {
            let created = self.create(id)?;
            self.open.insert(id, created);
        }
        self.open.get_mut(&id).map_or(Ok(()), |open| {
            let written = open.file.write_all(data);
            written.map_err(|error| ExportError::file("write", &open.path, error))
        })
    }

    fn end(&mut self, id: u32) -> Result<(), ExportError> {
        let open = match self.open.remove(&id) {
            Some(open) => open,
            None => self.create(id)?,
        };
        let attributes = lock(&self.pending).attributes.remove(&id);
        let attributes = attributes.unwrap_or_default();
        complete(&open.file, open.mode, open.time, &attributes)
            .map_err(|error| ExportError::file("complete", &open.path, error))
    }

    fn create(&mut self, id: u32) -> Result<Open, ExportError> {
        let found = lock(&self.pending).files.get(id);
        let (path, [mode, time]) = found.ok_or(ExportError::NotAsked { id })?;
        let (mode, time) = (mode as u32, time.cast_signed());
        Ok(Open {
            file: create_file(&mut self.beneath, &path, mode)?,
            path,
            mode,
            time,
        })
    }
}

impl Drop for Writer {
    /// Removes incomplete files.
    fn drop(&mut self) {
        for open in mem::take(&mut self.open).into_values() {
            if let Ok((parent, name)) = self.beneath.parent(&open.path) {
                // Nothing can be done if this fails.
                let _ = parent.remove(name, Kind::File);
            }
        }
    }
}

fn lock(pending: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}
