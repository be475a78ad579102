//! Copies a cache mount out of the daemon: [`export`].

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::attached::{GRACE, Purpose, Wanted, attached};
use super::entry::{Item, QUEUE};
use super::records::existing;
use super::walk::{Walked, walk};
use super::{CacheMount, Error, archive, artifact, folder};
use crate::client::Client;
use crate::files;
use crate::oci::{Digest, Reference};
use crate::registry;

/// Where the content of a mount goes.
#[non_exhaustive]
pub enum Destination {
    /// A folder.
    Folder {
        /// The path.
        path: PathBuf,
        /// True to replace what is in it. Otherwise it has to be empty, or not to exist.
        replace: bool,
    },
    /// A tar archive, compressed if its name ends with `.gz` or `.tgz`. It is there when all is in
    /// it.
    Archive(PathBuf),
    /// A tar archive to a stream, for example standard output.
    Stream(Box<dyn Write + Send>),
    /// A registry.
    Registry {
        /// The client.
        client: Box<registry::Client>,
        /// The name, with a tag.
        reference: Reference,
        /// A folder for the compressed archive, until it is sent.
        temporary: PathBuf,
    },
}

/// What [`export`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// The number of files, folders and links.
    pub entries: u64,
    /// The size of all files.
    pub bytes: u64,
    /// The number of devices and sockets, which are left out.
    pub skipped: u64,
    /// The number of files that were changed while they were read: zeros are in the place of what
    /// they lost, and names of a removed file are left out.
    pub changed: u64,
    /// True if owners were lost: a folder has other owners only if root writes it.
    pub owners_lost: bool,
    /// How many folders of the daemon have this id. One of them was exported.
    pub copies: usize,
    /// The record of the folder that was exported, if it is known which it was.
    pub record: Option<String>,
    /// The digest of the manifest in a registry.
    pub digest: Option<Digest>,
}

/// What the writer of the content has left.
enum Written {
    Files { owners_lost: bool },
    Spool(artifact::Spool),
}

/// Copies the content of a cache mount. It is read from the mount itself each time, never from the
/// build cache.
///
/// # Errors
/// [`Error::NotFound`] if there is no such mount, with the ids that exist; [`Error::InUse`] if a
/// build uses it in another way than it is shared; [`Error::OtherFolder`] if its folders have
/// another owner or begin with files; [`Error::NotEmpty`]; [`Error::Interrupted`] when `cancelled`
/// is. Nothing is left at the destination then, but what a stream has got already.
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
    let known = until(cancelled, existing(client, mount)).await?;
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
    let reading = attached(client, wanted, async |remote| walk(remote, items).await);
    let writing = tokio::task::spawn_blocking(move || place.write(receiver));
    let (walked, written) = both(until(cancelled, reading), writing).await?;
    let mut exported = Exported::of(&walked.value, copies);
    exported.record = walked.record;
    match (written, push) {
        (Written::Spool(spool), Some((client, reference))) => {
            let pushed = artifact::push(&client, &reference, &spool);
            exported.digest = Some(until(cancelled, pushed).await?);
        }
        (Written::Files { owners_lost }, _) => exported.owners_lost = owners_lost,
        (Written::Spool(_), None) => {}
    }
    Ok(exported)
}

/// Waits for work that can be dropped at any time, until the caller cancels it.
async fn until<T>(
    cancelled: &CancellationToken,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::select! {
        biased;
        () = cancelled.cancelled() => Err(Error::Interrupted { left_behind: false }),
        done = work => done,
    }
}

/// Waits for the reader and the writer. A writer that fails needs no reader. One whose reader
/// failed removes what it wrote, which is waited for.
async fn both<R, W>(
    reading: impl Future<Output = Result<R, Error>>,
    writing: JoinHandle<Result<W, Error>>,
) -> Result<(R, W), Error> {
    let mut writing = std::pin::pin!(writing);
    let mut reading = std::pin::pin!(reading);
    let read = tokio::select! {
        written = &mut writing => {
            // It is done before its reader, or the reader is what broke off.
            return match written.unwrap_or(Err(Error::BrokenOff)) {
                Ok(written) => Ok((reading.await?, written)),
                Err(Error::BrokenOff) => Err(reading.await.err().unwrap_or(Error::BrokenOff)),
                Err(error) => Err(error),
            };
        }
        read = &mut reading => read,
    };
    // A pipe whose reader sleeps could hold it up for ever.
    let written = match &read {
        Ok(_) => writing.await,
        Err(_) => match tokio::time::timeout(GRACE, writing).await {
            Ok(written) => written,
            Err(_) => Ok(Err(Error::BrokenOff)),
        },
    };
    match (read, written.unwrap_or(Err(Error::BrokenOff))) {
        (Ok(read), written) => Ok((read, written?)),
        // What broke off the other side.
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

/// Where this side writes to.
enum Place {
    Folder(PathBuf),
    Archive(PathBuf),
    Stream(Box<dyn Write + Send>),
    Spool(PathBuf),
}

impl Place {
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

/// Writes an archive file, which appears under its name when it is whole.
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
