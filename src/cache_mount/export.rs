//! Copies a cache mount out of the daemon: [`export`].

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::attached::{GRACE, INTERRUPTED, Purpose, Stop, Wanted, attached, until};
use super::entry::{Item, QUEUE};
use super::records::existing;
use super::walk::{Walked, walk};
use super::{CacheMount, Error, archive, artifact, folder};
use crate::client::Client;
use crate::files;
use crate::oci::{Digest, Reference};
use crate::registry;

/// The destination of a mount's content.
#[non_exhaustive]
pub enum Destination {
    /// A folder.
    Folder {
        /// The path.
        path: PathBuf,
        /// True to replace the folder's content. Otherwise the folder must be empty or missing.
        replace: bool,
    },
    /// A tar archive, compressed if its name ends with `.gz` or `.tgz`. The file appears when it is
    /// complete.
    Archive(PathBuf),
    /// A stream for a tar archive, for example standard output.
    Stream(Box<dyn Write + Send>),
    /// A registry.
    Registry {
        /// The client.
        client: Box<registry::Client>,
        /// The name, with a tag.
        reference: Reference,
        /// A folder for the compressed archive before it is pushed.
        temporary: PathBuf,
    },
}

/// The result of [`export`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// The number of files, folders and links.
    pub entries: u64,
    /// The total size of the files, in bytes.
    pub bytes: u64,
    /// The number of devices and sockets, which are omitted.
    pub skipped: u64,
    /// The number of files that changed while they were read. Zeros replace the bytes that they
    /// lost; names of a removed file are omitted.
    pub changed: u64,
    /// True if owners were lost: only root can write files with other owners to a folder.
    pub owners_lost: bool,
    /// The number of folders in the daemon with this id. One of them was exported.
    pub copies: usize,
    /// The record of the exported folder; `None` if several are possible.
    pub record: Option<String>,
    /// The digest of the manifest in the registry.
    pub digest: Option<Digest>,
}

/// How long a pipe may still block after a failure or an interrupt.
const GRACE_OF_PIPES: Duration = Duration::from_secs(1);

/// The result of the writer.
enum Written {
    Files { owners_lost: bool },
    Spool(artifact::Spool),
}

/// Copies the content of a cache mount. It is always read from the mount itself, never from the
/// build cache.
///
/// # Errors
/// [`Error::NotFound`] if the mount does not exist, with the ids that exist; [`Error::InUse`] if a
/// build uses it and does not share it with this copy; [`Error::OtherFolder`] if its folders have
/// another owner or start with files; [`Error::NotEmpty`]; [`Error::Interrupted`] after
/// `cancelled`. Then nothing is left at the destination, except what a stream has received already.
pub async fn export(
    client: &Client,
    mount: &CacheMount,
    destination: Destination,
    cancelled: &CancellationToken,
) -> Result<Exported, Error> {
    if let Destination::Folder {
        path,
        replace: false,
    } = &destination
    {
        folder::check_empty(path)?;
    }
    let known = unless(cancelled, existing(client, mount)).await?;
    let copies = known.len();
    let (items, receiver) = mpsc::channel(QUEUE);
    let (place, push) = match destination {
        Destination::Registry {
            client,
            reference,
            temporary,
        } => (Place::Spool(temporary), Some((client, reference))),
        Destination::Folder { path, .. } => (Place::Folder(path), None),
        Destination::Archive(path) => (Place::Archive(path), None),
        Destination::Stream(stream) => (Place::Stream(stream), None),
    };
    let wanted = Wanted {
        mount,
        purpose: Purpose::Read,
        known,
    };
    // A writer that fails stops the reader.
    let stopping = cancelled.child_token();
    let stop = Stop {
        cancelled: &stopping,
        grace: Duration::ZERO,
    };
    let reading = attached(client, wanted, stop, async |remote| {
        walk(remote, items).await
    });
    let grace = place.grace();
    let writing = tokio::task::spawn_blocking(move || place.write(receiver));
    let (walked, written) = both(reading, writing, &stopping, grace).await?;
    let mut exported = Exported::of(&walked.value, copies);
    exported.record = walked.record;
    match (written, push) {
        (Written::Spool(spool), Some((client, reference))) => {
            let pushed = artifact::push(&client, &reference, &spool);
            exported.digest = Some(unless(cancelled, pushed).await?);
        }
        (Written::Files { owners_lost }, _) => exported.owners_lost = owners_lost,
        (Written::Spool(_), None) => {}
    }
    Ok(exported)
}

/// Waits for work that can be dropped at any time, until the caller cancels.
async fn unless<T>(
    cancelled: &CancellationToken,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let done = until(cancelled, Duration::ZERO, work).await;
    done.unwrap_or(Err(INTERRUPTED))
}

/// Waits for the reader and the writer. If the writer fails, the reader is stopped and awaited,
/// because it releases its container. If the reader fails, the writer is awaited, because it
/// removes its files, but only for `grace`: a pipe that nobody reads could block it forever.
async fn both<R, W>(
    reading: impl Future<Output = Result<R, Error>>,
    writing: JoinHandle<Result<W, Error>>,
    stopping: &CancellationToken,
    grace: Duration,
) -> Result<(R, W), Error> {
    let mut writing = std::pin::pin!(writing);
    let mut reading = std::pin::pin!(reading);
    let read = tokio::select! {
        written = &mut writing => {
            // The writer ended before its reader, or because its reader failed.
            return match written.unwrap_or(Err(Error::BrokenOff)) {
                Ok(written) => Ok((reading.await?, written)),
                Err(Error::BrokenOff) => Err(reading.await.err().unwrap_or(Error::BrokenOff)),
                Err(error) => {
                    stopping.cancel();
                    let _ = reading.await;
                    Err(error)
                }
            };
        }
        read = &mut reading => read,
    };
    let too_long = async {
        if read.is_ok() {
            stopping.cancelled().await;
        }
        tokio::time::sleep(grace).await;
    };
    let written = tokio::select! {
        written = writing => written.unwrap_or(Err(Error::BrokenOff)),
        () = too_long => Err(INTERRUPTED),
    };
    match (read, written) {
        (Ok(read), written) => Ok((read, written?)),
        // The error that stopped the other side.
        (Err(Error::BrokenOff), Err(error)) | (Err(error), _) => Err(error),
    }
}

impl Exported {
    fn of(walked: &Walked, copies: usize) -> Self {
        Self {
            entries: walked.counts.entries,
            bytes: walked.counts.bytes,
            skipped: walked.skipped,
            changed: walked.changed,
            copies,
            ..Self::default()
        }
    }
}

/// The local destination.
enum Place {
    Folder(PathBuf),
    Archive(PathBuf),
    Stream(Box<dyn Write + Send>),
    Spool(PathBuf),
}

impl Place {
    /// How long to wait for the writer after a failure or an interrupt. Only files are removed.
    fn grace(&self) -> Duration {
        match self {
            Self::Stream(_) => GRACE_OF_PIPES,
            Self::Archive(path) if files::Destination::is_special(path) => GRACE_OF_PIPES,
            Self::Folder(_) | Self::Archive(_) | Self::Spool(_) => GRACE,
        }
    }

    fn write(self, mut items: mpsc::Receiver<Item>) -> Result<Written, Error> {
        let files = Written::Files { owners_lost: false };
        match self {
            Self::Spool(folder) => artifact::spool(&folder, &mut items).map(Written::Spool),
            Self::Folder(path) => {
                folder::write(&path, &mut items).map(|kept| Written::Files { owners_lost: !kept })
            }
            Self::Stream(mut stream) => archive::write(&mut stream, &mut items).map(|()| files),
            Self::Archive(path) => write_archive(&path, &mut items).map(|()| files),
        }
    }
}

/// Writes an archive file, which appears under its name when it is complete.
fn write_archive(path: &Path, items: &mut mpsc::Receiver<Item>) -> Result<(), Error> {
    let failed = |source: io::Error| Error::Local {
        action: "write",
        path: path.to_owned(),
        source,
    };
    let mut destination = files::Destination::open(path).map_err(failed)?;
    let mut file = io::BufWriter::with_capacity(1 << 20, &mut destination);
    let ending = path.extension().and_then(|it| it.to_str());
    if matches!(ending, Some("gz" | "tgz")) {
        let mut encoder = GzEncoder::new(&mut file, Compression::fast());
        archive::write(&mut encoder, items)?;
        encoder.finish().map_err(failed)?;
    } else {
        archive::write(&mut file, items)?;
    }
    file.flush().map_err(failed)?;
    drop(file);
    destination.finish().map_err(failed)
}
