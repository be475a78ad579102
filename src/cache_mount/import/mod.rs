//! Fills a cache mount: [`import`].

mod calls;
mod filling;

use std::io::Read;
use std::path::PathBuf;

use tokio::sync::mpsc;

use calls::set_root;
use filling::Filling;

use super::attached::attached;
use super::entry::{Item, QUEUE};
use super::{CacheMount, Error, archive, artifact, folder, staging, walk};
use crate::client::Client;
use crate::oci::Reference;
use crate::registry;

/// Where the content of a mount comes from.
#[non_exhaustive]
pub enum Input {
    /// A folder. Owners are those of its files.
    Folder(PathBuf),
    /// A tar archive: plain, or compressed with gzip or zstd.
    Archive(PathBuf),
    /// A tar archive from a stream, for example standard input.
    Stream(Box<dyn Read + Send>),
    /// What [`export`](super::export) has pushed to a registry.
    Registry(Box<registry::Client>, Reference),
}

/// What [`import`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The number of files, folders and links.
    pub entries: u64,
    /// The size of all files.
    pub bytes: u64,
    /// The number of extended attributes that the daemon's file system does not take.
    pub lost_attributes: u64,
}

/// Replaces the content of a cache mount. The mount is created if it does not exist.
///
/// Everything is copied to a folder in the mount first and moved to its place at the end, so that a
/// damaged archive or a broken download changes nothing. If the connection to the daemon breaks,
/// the folder `.solvekit-import` may be left, which the next import removes.
///
/// # Errors
/// [`Error::Archive`] if the archive is damaged, or its paths lead out of the mount;
/// [`Error::Remote`] if the daemon's disk is full; [`Error::InUse`] for a mount that is not shared
/// as the build shares it.
pub async fn import(client: &Client, mount: &CacheMount, input: Input) -> Result<Imported, Error> {
    let (items, receiver) = mpsc::channel(QUEUE);
    let reading = read(input, items);
    let writing = attached(client, mount, async |remote| {
        let before = walk::root_meta(remote).await?;
        staging::begin(remote).await?;
        let mut import = Filling::new(remote, receiver);
        let copied = import.copy().await;
        let (imported, root) = (import.imported, import.root.take());
        match copied {
            Ok(()) => {
                staging::exchange(remote).await?;
                if let Some(meta) = root {
                    set_root(remote, &meta).await?;
                }
                Ok(imported)
            }
            Err(error) => {
                // The first error counts.
                let _ = staging::remove(remote).await;
                let _ = set_root(remote, &before).await;
                Err(error)
            }
        }
    });
    let (read, written) = tokio::join!(reading, writing);
    match (read, written) {
        // What broke off the other side.
        (Err(error), Err(Error::BrokenOff) | Ok(_)) => Err(error),
        (_, written) => written,
    }
}

/// Sends what is in the input.
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
