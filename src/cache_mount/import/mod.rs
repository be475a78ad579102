//! Fills a cache mount: [`import`].

mod calls;
mod filling;

use std::io::Read;
use std::path::PathBuf;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use calls::set_root;
use filling::{Filling, Items};

use super::attached::{GRACE, Purpose, Stop, Wanted, attached};
use super::entry::{Item, QUEUE};
use super::records::existing;
use super::remote::Remote;
use super::{CacheMount, Error, archive, artifact, folder, staging, walk};
use crate::client::Client;
use crate::oci::Reference;
use crate::registry;

/// The source of a mount's content.
#[non_exhaustive]
pub enum Input {
    /// A folder. The owners of its files are kept.
    Folder(PathBuf),
    /// A tar archive: plain, or compressed with gzip or zstd.
    Archive(PathBuf),
    /// A stream of a tar archive, for example standard input.
    Stream(Box<dyn Read + Send>),
    /// An artifact that [`export`](super::export) has pushed to a registry.
    Registry(Box<registry::Client>, Reference),
}

/// The result of [`import`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The number of files, folders and links.
    pub entries: u64,
    /// The total size of the files, in bytes.
    pub bytes: u64,
    /// The number of extended attributes that the daemon's file system does not support.
    pub lost_attributes: u64,
    /// The number of devices and sockets, which are omitted.
    pub skipped: u64,
}

/// Replaces the content of a cache mount. The mount is created if it does not exist.
///
/// Everything is copied to a folder in the mount first and moved to its place at the end, so a
/// damaged archive or a broken download changes nothing. If the connection to the daemon breaks,
/// the folder `.solvekit-import` may remain; the next import removes it.
///
/// # Errors
/// [`Error::Archive`] if the archive is damaged, or its paths lead out of the mount;
/// [`Error::Remote`] if the daemon's disk is full; [`Error::InUse`] if a build uses the mount and
/// does not share it with this copy; [`Error::Interrupted`] after `cancelled`.
pub async fn import(
    client: &Client,
    mount: &CacheMount,
    input: Input,
    cancelled: &CancellationToken,
) -> Result<Imported, Error> {
    let known = tokio::select! {
        biased;
        () = cancelled.cancelled() => return interrupted(false),
        known = existing(client, mount) => known,
    };
    let known = match known {
        Err(Error::NotFound { .. }) => Vec::new(),
        known => known?,
    };
    let wanted = Wanted {
        mount,
        purpose: Purpose::Fill,
        known,
    };
    let (items, mut receiver) = mpsc::channel(QUEUE);
    let mut reading = std::pin::pin!(read(input, items));
    let mut read = None;
    // Wait for the first entry: if the source cannot be read, the daemon creates nothing.
    let first = loop {
        tokio::select! {
            biased;
            () = cancelled.cancelled() => return interrupted(false),
            first = receiver.recv() => break first,
            done = &mut reading, if read.is_none() => read = Some(done),
        }
    };
    let Some(first) = first else {
        return Err(match read {
            Some(read) => read,
            None => reading.await,
        }
        .err()
        .unwrap_or(Error::BrokenOff));
    };
    // The work removes the imported part after a cancellation.
    let stop = Stop {
        cancelled,
        grace: GRACE,
    };
    let writing = attached(client, wanted, stop, async |remote| {
        let items = Items {
            first: Some(first),
            rest: receiver,
        };
        write(remote, items, cancelled).await
    });
    let mut writing = std::pin::pin!(writing);
    let written = loop {
        tokio::select! {
            done = &mut reading, if read.is_none() => read = Some(done),
            written = &mut writing => break written,
        }
    };
    match (written, read) {
        // The reader's error is the cause. After any other failure the reader is not awaited: it
        // may be waiting for a terminal.
        (Err(Error::BrokenOff), None) => Err(reading.await.err().unwrap_or(Error::BrokenOff)),
        (Err(Error::BrokenOff), Some(Err(error))) => Err(error),
        (written, _) => Ok(written?.value),
    }
}

fn interrupted<T>(left_behind: bool) -> Result<T, Error> {
    Err(Error::Interrupted { left_behind })
}

/// Fills the mount, or leaves it unchanged.
async fn write(
    remote: &mut Remote,
    items: Items,
    cancelled: &CancellationToken,
) -> Result<Imported, Error> {
    let before = walk::root_meta(remote).await?;
    staging::begin(remote).await?;
    let mut filling = Filling::new(remote, items);
    let copied = filling.copy(cancelled).await;
    let (imported, root) = (filling.imported, filling.root.take());
    if let Err(error) = copied {
        // The first error counts. Close a file that is still open: its descriptor is needed to list
        // folders.
        let close = remote.close();
        let _ = remote.batch(&[close]).await;
        let removed = staging::remove(remote).await;
        let _ = set_root(remote, &before).await;
        return Err(match (error, removed) {
            (Error::Interrupted { .. }, Err(_)) => Error::Interrupted { left_behind: true },
            (error, _) => error,
        });
    }
    staging::exchange(remote).await?;
    if let Some(meta) = root {
        set_root(remote, &meta).await?;
    }
    Ok(imported)
}

/// Sends the entries of the input.
async fn read(input: Input, items: mpsc::Sender<Item>) -> Result<(), Error> {
    let read = match input {
        Input::Registry(client, reference) => {
            return artifact::pull(&client, &reference, items).await;
        }
        Input::Folder(path) => {
            tokio::task::spawn_blocking(move || folder::read(&path, &items)).await
        }
        Input::Archive(path) => {
            tokio::task::spawn_blocking(move || archive::read_file(&path, &items)).await
        }
        Input::Stream(stream) => {
            tokio::task::spawn_blocking(move || archive::read(stream, &items)).await
        }
    };
    read.unwrap_or(Err(Error::BrokenOff))
}
