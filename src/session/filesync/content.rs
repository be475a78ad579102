//! Reads the files that the daemon requested: a few at a time, on blocking threads, in bounded
//! pieces.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::Digest as _;
use solvekit_host::names;

use super::Noted;
use super::error::TransferError;
use crate::files::{Beneath, BeneathError, Links};
use crate::proto::fsutil::types::packet::PacketType;
use crate::session::fsutil::{PathTable, packet};
use crate::session::stream::Outbound;

/// The number of files that are read at once, as in the reference.
const READERS: usize = 4;
/// The most file data in a packet. The reference sends 32 KiB; the receiver accepts any size.
const PIECE: usize = 64 * 1024;

/// The requests and readers of one transfer.
#[derive(Debug)]
pub(super) struct Content {
    root: Arc<Beneath>,
    paths: Arc<Mutex<PathTable<1>>>,
    outbound: Outbound,
    queue: Mutex<Queue>,
    noted: Noted,
    directory: String,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<u32>,
    readers: usize,
    /// The total number of requested files.
    asked: usize,
}

impl Content {
    /// Reads and counts the files in `paths` below `root`.
    pub(super) fn new(
        root: Arc<Beneath>,
        paths: Arc<Mutex<PathTable<1>>>,
        outbound: Outbound,
        (noted, directory): (Noted, String),
    ) -> Self {
        Self {
            root,
            paths,
            outbound,
            queue: Mutex::default(),
            noted,
            directory,
        }
    }

    /// Queues a request. Returns true if the caller must start another reader with
    /// [`Content::read_queued`]. A daemon requests each file once; the limit keeps a hostile one
    /// from filling the memory.
    pub(super) fn request(&self, id: u32) -> Result<bool, TransferError> {
        let listed = self
            .paths
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.asked += 1;
        if queue.asked > listed.max(1) {
            return Err(TransferError::AskedTooMuch { listed });
        }
        queue.waiting.push_back(id);
        let start = queue.readers < READERS;
        queue.readers += usize::from(start);
        Ok(start)
    }

    /// Reads and sends queued files until the queue is empty. Small files share a message.
    pub(super) fn read_queued(&self) -> Result<(), TransferError> {
        let mut buffer = Vec::new();
        while let Some(id) = self.next() {
            self.read(id, &mut buffer)?;
        }
        self.flush(&mut buffer)
    }

    fn next(&self) -> Option<u32> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let id = queue.waiting.pop_front();
        queue.readers -= usize::from(id.is_none());
        id
    }

    fn flush(&self, buffer: &mut Vec<u8>) -> Result<(), TransferError> {
        match buffer.is_empty() {
            true => Ok(()),
            false => Ok(self.outbound.blocking_send(std::mem::take(buffer))?),
        }
    }

    /// Appends the packets of a file and sends the buffer when it is full.
    fn read(&self, id: u32, buffer: &mut Vec<u8>) -> Result<(), TransferError> {
        let found = self
            .paths
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id);
        let (path, [listed]) = found.ok_or(TransferError::UnknownFile { id })?;
        if let Some(file) = open(&self.root, &path)? {
            let mut left = listed;
            let table = self.noted.listed.as_ref();
            let mut hasher = table.and_then(|table| table.hasher(listed));
            while left > 0 {
                let length = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
                if buffer.len() + length > PIECE {
                    self.flush(buffer)?;
                }
                buffer.reserve(length + 64);
                packet::put_data_header(buffer, id, length);
                read_exact(&file, buffer, length).map_err(|error| match error {
                    Short::Error(source) => TransferError::file("read", &path, source),
                    Short::End(read) => TransferError::Shrunk {
                        path: shown(&path),
                        listed,
                        read: listed - left + read,
                    },
                })?;
                if let Some(hasher) = &mut hasher {
                    hasher.update(&buffer[buffer.len() - length..]);
                }
                left -= length as u64;
            }
            if let (Some(table), Some(hasher)) = (table, hasher) {
                table.note(id, hasher);
            }
        }
        self.noted.sent.add(&self.directory, &shown(&path), listed);
        packet::put_bare(buffer, PacketType::PacketData, id);
        Ok(())
    }
}

/// Opens a regular file beneath the root. It follows no link, does not block, and refuses a
/// replacement of another type. A socket was listed as an empty file and is not opened.
fn open(root: &Beneath, path: &[u8]) -> Result<Option<File>, TransferError> {
    match root.file(&names::path(path), Links::Never) {
        Ok(file) => Ok(Some(file)),
        Err(BeneathError::Socket) => Ok(None),
        Err(BeneathError::Io(error)) => Err(TransferError::file("open", path, error)),
        Err(_) => Err(TransferError::NotRegular { path: shown(path) }),
    }
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// Why a read was too short.
enum Short {
    Error(io::Error),
    /// The file ended after this many bytes.
    End(u64),
}

/// Appends exactly `length` bytes of the file. Bytes added since the listing are not read.
fn read_exact(file: &File, buffer: &mut Vec<u8>, length: usize) -> Result<(), Short> {
    use std::io::Read;
    let read = file
        .take(length as u64)
        .read_to_end(buffer)
        .map_err(Short::Error)?;
    if read == length {
        Ok(())
    } else {
        Err(Short::End(read as u64))
    }
}
