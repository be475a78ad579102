//! Reads the files that the daemon asked for: few at a time, off the async threads, in bounded pieces.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;

use super::error::TransferError;
use super::sent::Sent;
use crate::files::{Beneath, BeneathError, Links};
use crate::proto::fsutil::types::packet::PacketType;
use crate::session::fsutil::{PathTable, packet};
use crate::session::stream::Outbound;

/// How many files are read at the same time, as in the reference.
const READERS: usize = 4;
/// The most file data in a packet. The reference sends 32 KiB; the receiver takes any size.
const PIECE: usize = 64 * 1024;

/// The requests of one transfer and who works on them.
#[derive(Debug)]
pub(super) struct Content {
    root: Arc<Beneath>,
    paths: Arc<Mutex<PathTable<1>>>,
    outbound: Outbound,
    queue: Mutex<Queue>,
    sent: Sent,
    directory: String,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<u32>,
    readers: usize,
    /// How many files were asked for in all.
    asked: usize,
}

impl Content {
    /// Reads the files that `paths` tells of below `root`, and counts them.
    pub(super) fn new(
        root: Arc<Beneath>,
        paths: Arc<Mutex<PathTable<1>>>,
        outbound: Outbound,
        (sent, directory): (Sent, String),
    ) -> Self {
        Self {
            root,
            paths,
            outbound,
            queue: Mutex::default(),
            sent,
            directory,
        }
    }

    /// Queues a request. True when another reader has to be started, which is to call [`Content::read_queued`]. A daemon
    /// asks for each file once; one that asks on and on would fill the memory.
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

    /// Reads and sends queued files until there are none. Small files leave together.
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

    /// Appends the packets of a file, sending the buffer whenever it is full.
    fn read(&self, id: u32, buffer: &mut Vec<u8>) -> Result<(), TransferError> {
        let found = self
            .paths
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id);
        let (path, [listed]) = found.ok_or(TransferError::UnknownFile { id })?;
        if let Some(file) = open(&self.root, &path)? {
            let mut left = listed;
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
                left -= length as u64;
            }
        }
        self.sent.add(&self.directory, &shown(&path), listed);
        packet::put_bare(buffer, PacketType::PacketData, id);
        Ok(())
    }
}

/// Opens a regular file beneath the root, and none that took its place: no link is followed on the way to it, nothing
/// blocks. A socket, which was listed as an empty file, is none.
fn open(root: &Beneath, path: &[u8]) -> Result<Option<File>, TransferError> {
    match root.file(Path::new(OsStr::from_bytes(path)), Links::Never) {
        Ok(file) => Ok(Some(file)),
        Err(BeneathError::Io(error))
            if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) =>
        {
            Ok(None)
        }
        Err(BeneathError::Io(error)) => Err(TransferError::file("open", path, error)),
        Err(_) => Err(TransferError::NotRegular { path: shown(path) }),
    }
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// Why fewer bytes came than were to be read.
enum Short {
    Error(io::Error),
    /// The file ended after so many.
    End(u64),
}

/// Appends exactly `length` bytes of the file. What was appended to the file since it was listed is not read.
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
