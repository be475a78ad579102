//! Receives the daemon's results: `moby.filesync.v1.FileSend`, for the tar, OCI, docker and local
//! exporters.

mod beneath;
mod broken;
mod budget;
mod content;
mod directory;
mod distinct;
mod error;
mod file;
mod mirror;
mod tree;

#[cfg(fuzzing)]
pub use directory::receive_all;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::Body as _;
use prost::Message;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;
use tonic::body::Body;

use super::fsutil::packet;
use super::stream::{self, BadFrame, FrameReader, Outbound, OutboundBody, Streaming};
use super::tasks::{Tasks, Waiting};
use crate::files::Destination;
use crate::proto::moby::filesync::v1::BytesMessage;
pub use broken::BrokenFolders;
use broken::Watch;
use error::ExportError;
pub(crate) use file::ExportedFile;

/// The methods of the service.
pub(super) const METHODS: [&str; 1] = ["/moby.filesync.v1.FileSend/DiffCopy"];
/// The most batches of messages that wait to be written, and the size at which a batch is passed
/// on, in bytes.
const WAITING: usize = 4;
const BATCH: usize = 64 * 1024;
/// How long a daemon may send nothing after a failure before the call ends.
const SILENCE: Duration = Duration::from_secs(10);

/// The destinations of a build's exporters, by their index in the Solve request.
#[derive(Clone, Default)]
pub struct Exports {
    targets: BTreeMap<u32, Target>,
    failure: Arc<OnceLock<String>>,
    broken: BrokenFolders,
}

type Open = dyn Fn(&BTreeMap<String, String>) -> io::Result<Box<dyn Write + Send>> + Send + Sync;

#[derive(Clone)]
enum Target {
    Writer(Arc<Open>),
    File(PathBuf),
    Directory { root: PathBuf, mirror: bool },
}

impl std::fmt::Debug for Exports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.targets.keys()).finish()
    }
}

impl Exports {
    /// Returns an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns why a result could not be received, with its path. The daemon gets the same message
    /// but may report only a broken transfer. Clones share it.
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// Records incomplete folders in `broken`.
    pub fn noted_in(self, broken: BrokenFolders) -> Self {
        Self { broken, ..self }
    }

    /// Returns true if there is no export.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Writes an exporter's archive to the writer that `open` returns. `open` receives the
    /// exporter's response metadata. It and the writer have a thread of their own, which may still
    /// write when the session has ended: a pipe that nobody reads does not delay that.
    pub fn with_writer<F>(mut self, exporter: u32, open: F) -> Self
    where
        F: Fn(&BTreeMap<String, String>) -> io::Result<Box<dyn Write + Send>>
            + Send
            + Sync
            + 'static,
    {
        self.targets
            .insert(exporter, Target::Writer(Arc::new(open)));
        self
    }

    /// Writes an exporter's archive to a file, which appears only when it is complete.
    pub fn with_file(mut self, exporter: u32, path: impl AsRef<Path>) -> Self {
        self.targets
            .insert(exporter, Target::File(path.as_ref().to_owned()));
        self
    }

    /// Writes an exporter's files into a directory, which is created if missing. Other files in it
    /// stay. Nothing is written outside of it.
    pub fn with_directory(mut self, exporter: u32, path: impl AsRef<Path>) -> Self {
        let root = path.as_ref().to_owned();
        let mirror = false;
        self.targets
            .insert(exporter, Target::Directory { root, mirror });
        self
    }

    /// As `with_directory`, but removes all other files from the directory: the daemon's
    /// `mode=delete`. Nothing is removed before all files have arrived. A daemon that would send
    /// several transfers is refused.
    pub fn with_mirror(mut self, exporter: u32, path: impl AsRef<Path>) -> Self {
        let root = path.as_ref().to_owned();
        let mirror = true;
        self.targets
            .insert(exporter, Target::Directory { root, mirror });
        self
    }
}

/// The service.
#[derive(Debug, Clone)]
pub(super) struct FileSend {
    exports: Arc<Exports>,
}

impl FileSend {
    pub(super) fn new(exports: Exports) -> Self {
        Self {
            exports: Arc::new(exports),
        }
    }
}

impl Streaming for FileSend {
    const SERVICE: &'static str = "moby.filesync.v1.FileSend";
    const METHOD: &'static str = METHODS[0];

    fn start(
        &self,
        headers: &HeaderMap,
        inbound: Body,
        tasks: Tasks,
    ) -> Result<OutboundBody, Status> {
        let id = exporter_id(headers);
        let target = self.exports.targets.get(&id).cloned();
        let target =
            target.ok_or_else(|| Status::not_found(format!("this build has no exporter {id}")))?;
        if matches!(target, Target::Directory { mirror: true, .. }) && !sends_all_at_once(headers) {
            let refused = "mode=delete needs a newer BuildKit, which sends all platforms in one \
                           transfer; \
                           nothing was written";
            let _ = self.exports.failure.set(refused.to_owned());
            return Err(Status::failed_precondition(refused));
        }
        let described = description(headers);
        let failure = self.exports.failure.clone();
        let broken = self.exports.broken.clone();
        let (outbound, body) = stream::outbound();
        tasks.clone().spawn(async move {
            let received = match target {
                Target::Directory { root, mirror } => {
                    let watch = broken.watch(&root);
                    receive_directory((root, mirror), &watch, inbound, &outbound, &tasks).await
                }
                Target::File(path) => {
                    let waiting = match Destination::is_special(&path) {
                        true => Waiting::ForNothing,
                        false => Waiting::ForWork,
                    };
                    let name = path.as_os_str().as_encoded_bytes().to_vec();
                    let open = move || ExportedFile::create(&path);
                    receive_file(name, open, inbound, (&tasks, waiting)).await
                }
                Target::Writer(writer) => {
                    let open = move || writer(&described).map(ExportedFile::Writer);
                    let name = b"the archive".to_vec();
                    receive_file(name, open, inbound, (&tasks, Waiting::ForNothing)).await
                }
            };
            if let Err(error) = &received
                && !matches!(error, ExportError::Closed)
            {
                // Only the first failure is kept.
                let _ = failure.set(error.message());
            }
            end(outbound, received).await;
        });
        Ok(body)
    }
}

/// Returns the exporter's index; older daemons omit it.
fn exporter_id(headers: &HeaderMap) -> u32 {
    let id = headers
        .get("buildkit-attachable-exporter-id")
        .and_then(|id| id.to_str().ok());
    id.and_then(|id| id.parse().ok()).unwrap_or_default()
}

/// True if one transfer holds the files of all platforms, as in `mode=delete`.
fn sends_all_at_once(headers: &HeaderMap) -> bool {
    let values = headers.get_all("buildkit-exporter-multi-platform").iter();
    values.into_iter().any(|value| value == "1")
}

/// Returns the exporter's response metadata, such as the image's digest.
fn description(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut described: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        let Some(key) = name.as_str().strip_prefix("exporter-md-") else {
            continue;
        };
        let value = String::from_utf8_lossy(value.as_bytes());
        let joined = described.entry(key.to_owned()).or_default();
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(&value);
    }
    described
}

/// Runs `work` on a blocking thread with the call's messages, in batches, and waits for its end. If
/// the call breaks off, its result is dropped.
async fn run<M, T, F>(
    inbound: &mut Body,
    (tasks, waiting): (&Tasks, Waiting),
    decode: fn(Bytes) -> Result<M, BadFrame>,
    work: F,
) -> Result<T, ExportError>
where
    M: Send + 'static,
    T: Send + 'static,
    F: FnOnce(mpsc::Receiver<Vec<M>>) -> Result<T, ExportError> + Send + 'static,
{
    let (messages, receiver) = mpsc::channel(WAITING);
    let (done, mut ended) = oneshot::channel();
    // After a broken call nobody waits for the result.
    let started = tasks.start(waiting, move || drop(done.send(work(receiver))));
    started.map_err(ExportError::Thread)?;
    let read = async {
        let mut reader = FrameReader::default();
        let mut batch = Vec::new();
        let mut size = 0;
        loop {
            let ready = inbound.frame().now_or_never();
            if !batch.is_empty() && (!matches!(ready, Some(Some(_))) || size > BATCH) {
                size = 0;
                // The work has ended; its own result says why.
                if messages.send(mem::take(&mut batch)).await.is_err() {
                    return Ok(());
                }
            }
            let frame = match ready {
                Some(frame) => frame,
                None => inbound.frame().await,
            };
            let Some(frame) = frame else { break };
            let Ok(data) = frame.map_err(|_| ExportError::Closed)?.into_data() else {
                continue;
            };
            size += data.len();
            reader.push(data);
            while let Some(message) = reader.next()? {
                batch.push(decode(message)?);
            }
        }
        // A reset stream looks like an ended one, except for this flag.
        if !inbound.is_end_stream() {
            return Err(ExportError::Closed);
        }
        drop(messages);
        Ok::<(), ExportError>(())
    };
    tokio::select! {
        biased;
        result = &mut ended => return result.unwrap_or(Err(ExportError::Closed)),
        read = read => read?,
    }
    ended.await.unwrap_or(Err(ExportError::Closed))
}

async fn receive_file<O>(
    name: Vec<u8>,
    open: O,
    mut inbound: Body,
    (tasks, waiting): (&Tasks, Waiting),
) -> Result<(), ExportError>
where
    O: FnOnce() -> io::Result<ExportedFile> + Send + 'static,
{
    let failed = move |error| ExportError::file("write", &name, error);
    let failed_to_write = failed.clone();
    let threads = (tasks, waiting);
    let received = run(&mut inbound, threads, read_data, move |mut messages| {
        let mut destination = open().map_err(&failed_to_write)?;
        while let Some(batch) = messages.blocking_recv() {
            for data in batch {
                destination.write_all(&data).map_err(&failed_to_write)?;
            }
        }
        Ok(destination)
    });
    match received.await {
        Ok(destination) => {
            let (done, finished) = oneshot::channel();
            let started = tasks.start(waiting, move || drop(done.send(destination.finish())));
            started.map_err(ExportError::Thread)?;
            let finished = finished.await.map_err(|_| ExportError::Closed)?;
            finished.map_err(failed)
        }
        Err(error) => Err(error),
    }
}

fn read_data(message: Bytes) -> Result<Bytes, BadFrame> {
    let message = BytesMessage::decode(message);
    message
        .map(|message| message.data)
        .map_err(|_| BadFrame("a message that is not data"))
}

async fn receive_directory(
    (root, mirror): (PathBuf, bool),
    watch: &Watch,
    mut inbound: Body,
    outbound: &Outbound,
    tasks: &Tasks,
) -> Result<(), ExportError> {
    let answers = outbound.clone();
    let begun = watch.begun();
    let threads = (tasks, Waiting::ForWork);
    let received = run(&mut inbound, threads, packet::read, move |packets| {
        directory::receive(root, mirror, &begun, packets, &answers)
    })
    .await;
    if received.is_ok() {
        watch.complete();
    }
    if let Err(error) = &received {
        let mut last = Vec::new();
        packet::put_error(&mut last, error.message());
        // If this fails, the peer has gone.
        if outbound.send(last).await.is_ok() {
            discard(&mut inbound).await;
        }
    }
    received
}

/// Keeps reading after a failure. The daemon reaches the error only after the requests for files,
/// and it stops reading while nobody takes the data that it sends: without this it would wait
/// forever.
async fn discard(inbound: &mut Body) {
    while let Ok(Some(Ok(_))) = tokio::time::timeout(SILENCE, inbound.frame()).await {}
}

async fn end(outbound: Outbound, received: Result<(), ExportError>) {
    let status = match received {
        Ok(()) => Status::ok(""),
        Err(ExportError::Closed) => Status::cancelled(ExportError::Closed.message()),
        Err(error) => Status::unknown(error.message()),
    };
    outbound.end(status).await;
}

#[cfg(test)]
mod tests;
