//! Exports into directories: the receiving side of fsutil's protocol.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;

use super::error::ExportError;
use super::tree::Tree;
use crate::proto::fsutil::types::packet::PacketType;
use crate::proto::fsutil::types::{Packet, Stat};
use crate::session::fsutil::packet;
use crate::session::stream::Outbound;

/// The most files that are requested at once. The daemon reads files ahead of the writers, so it
/// must not run out of requests while the threads wait for their turn.
///
/// It stops reading requests at about 130 open ones. The rest waits in HTTP/2's window of 64 KiB; a
/// request takes at most 13 bytes, so no request blocks this side while it should read data.
const ASKED: usize = 1024;

/// Writes the received files below `root`, which is created if missing; a mirror then holds nothing
/// else. Returns after the daemon's FIN.
pub(super) fn receive(
    root: PathBuf,
    mirror: bool,
    begun: &AtomicBool,
    mut packets: mpsc::Receiver<Vec<Packet>>,
    outbound: &Outbound,
) -> Result<(), ExportError> {
    let name = root.display().to_string();
    let tree = std::fs::create_dir_all(&root).and_then(|()| Tree::open(&root, mirror));
    let tree = tree.map_err(|error| ExportError::file("use", name.as_bytes(), error))?;
    let mut receiver = Receiver {
        tree,
        wanted: VecDeque::new(),
        asked: 0,
        next: 0,
        listed: false,
        finished: false,
    };
    let mut answers = Vec::new();
    while let Some(batch) = packets.blocking_recv() {
        for packet in batch {
            if packet.stat.is_some() {
                begun.store(true, Ordering::Relaxed);
            }
            if receiver.take(packet)? {
                return Ok(());
            }
            receiver.ask(&mut answers)?;
        }
        receiver.tree.contents.flush()?;
        // Requests are batched while more packets are waiting.
        if !answers.is_empty() && packets.is_empty() {
            outbound.blocking_send(std::mem::take(&mut answers))?;
        }
    }
    // A file that could not be written says more, if there is one.
    receiver.tree.contents.finish()?;
    Err(ExportError::Closed)
}

/// Processes the frames of a whole transfer like [`receive`], for the fuzzer.
#[cfg(fuzzing)]
pub fn receive_all(root: &std::path::Path, mirror: bool, frames: &[u8]) -> Result<(), String> {
    let mut receiver = Receiver {
        tree: Tree::open(root, mirror).map_err(|error| error.to_string())?,
        wanted: VecDeque::new(),
        asked: 0,
        next: 0,
        listed: false,
        finished: false,
    };
    let mut reader = crate::session::stream::FrameReader::default();
    reader.push(bytes::Bytes::copy_from_slice(frames));
    let bad = |error: crate::session::stream::BadFrame| error.0.to_owned();
    while let Some(message) = reader.next().map_err(bad)? {
        let packet = packet::read(message).map_err(bad)?;
        if receiver.take(packet).map_err(|error| error.message())? {
            break;
        }
        receiver
            .ask(&mut Vec::new())
            .map_err(|error| error.message())?;
    }
    Ok(())
}

/// A transfer in progress.
struct Receiver {
    tree: Tree,
    /// The files that were not requested yet.
    wanted: VecDeque<u32>,
    /// The number of files that were requested but have not arrived.
    asked: usize,
    /// The number of the next stat.
    next: u32,
    /// True once all stats have arrived.
    listed: bool,
    /// True once FIN was sent.
    finished: bool,
}

impl Receiver {
    /// Handles a packet. Returns true for the echo of FIN.
    fn take(&mut self, packet: Packet) -> Result<bool, ExportError> {
        match packet.r#type() {
            PacketType::PacketStat => match packet.stat {
                Some(stat) => self.create(stat)?,
                None => self.listed = true,
            },
            PacketType::PacketData if packet.data.is_empty() => {
                self.tree.contents.end(packet.id)?;
                self.asked = self.asked.saturating_sub(1);
            }
            PacketType::PacketData => self.tree.contents.write(packet.id, packet.data)?,
            PacketType::PacketFin => return Ok(self.finished),
            PacketType::PacketErr => {
                return Err(ExportError::Sender(
                    String::from_utf8_lossy(&packet.data).into_owned(),
                ));
            }
            PacketType::PacketReq => {}
        }
        Ok(false)
    }

    fn create(&mut self, stat: Stat) -> Result<(), ExportError> {
        let id = self.next;
        self.next = id
            .checked_add(1)
            .ok_or(ExportError::Protocol("more files than can be numbered"))?;
        if self.tree.create(id, stat)? {
            self.wanted.push_back(id);
        }
        Ok(())
    }

    /// Adds the next requests, or FIN if no file is left.
    fn ask(&mut self, answers: &mut Vec<u8>) -> Result<(), ExportError> {
        while self.asked < ASKED
            && let Some(id) = self.wanted.pop_front()
        {
            packet::put_bare(answers, PacketType::PacketReq, id);
            self.asked += 1;
        }
        if self.listed && self.asked == 0 && !self.finished {
            self.tree.complete()?;
            packet::put_bare(answers, PacketType::PacketFin, 0);
            self.finished = true;
        }
        Ok(())
    }
}
