//! One transfer: the sending side of fsutil's protocol.
//!
//! It sends the stats of all files as they are found, then an empty one. Meanwhile the daemon
//! requests the files it lacks, by their number among the stats. When it has everything it sends
//! FIN, which is echoed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::sync::mpsc;
use tonic::Status;

use super::Noted;
use super::content::Content;
use super::error::TransferError;
use super::filter::Filter;
use super::metadata::Inode;
use super::request::Request;
use super::walk;
use crate::files::Beneath;
use crate::proto::fsutil::types::packet::PacketType;
use crate::proto::fsutil::types::{Packet, Stat};
use crate::session::fsutil::{PathTable, mode, packet};
use crate::session::stream::{FrameReader, Outbound};
use crate::session::tasks::Tasks;

/// Stats are sent in chunks of about this size, in bytes.
const CHUNK: usize = 16 * 1024;

/// Sends the requested content until the daemon has everything or one side fails. The status ends
/// the response.
pub(super) async fn run<B>(
    root: Arc<Beneath>,
    request: Request,
    noted: Noted,
    inbound: B,
    outbound: Outbound,
    tasks: Tasks,
) where
    B: Body<Data = bytes::Bytes> + Unpin,
{
    let (failures, mut failure) = mpsc::channel(1);
    let paths = Arc::new(Mutex::new(PathTable::default()));
    let content = Arc::new(Content::new(
        Arc::clone(&root),
        Arc::clone(&paths),
        outbound.clone(),
        (noted.clone(), request.directory.clone()),
    ));
    let listed = noted.listed.clone();
    start(&tasks, &failures, {
        let outbound = outbound.clone();
        move || send_stats(&root, &request, &paths, &outbound, &noted)
    });
    let asked = async {
        answer(inbound, |id| {
            if content.request(id)? {
                let content = Arc::clone(&content);
                start(&tasks, &failures, move || content.read_queued());
            }
            Ok(())
        })
        .await
    };
    let ended = tokio::select! {
        ended = asked => ended,
        Some(error) = failure.recv() => Err(error),
        () = outbound.closed() => Err(TransferError::Closed),
    };
    if let (Ok(()), Some(listed)) = (&ended, listed) {
        listed.keep();
    }
    finish(outbound, ended).await;
}

/// Starts blocking work of the transfer. The first error ends the transfer.
fn start<F>(tasks: &Tasks, failures: &mpsc::Sender<TransferError>, work: F)
where
    F: FnOnce() -> Result<(), TransferError> + Send + 'static,
{
    let failures = failures.clone();
    tasks.spawn_blocking(move || {
        if let Err(error) = work() {
            // If the channel is full or closed, another error came first or the transfer has ended.
            let _ = failures.try_send(error);
        }
    });
}

/// Handles the daemon's packets until FIN.
async fn answer<B>(
    mut inbound: B,
    mut request: impl FnMut(u32) -> Result<(), TransferError>,
) -> Result<(), TransferError>
where
    B: Body<Data = bytes::Bytes> + Unpin,
{
    let mut reader = FrameReader::default();
    while let Some(Ok(frame)) = inbound.frame().await {
        let Ok(data) = frame.into_data() else {
            continue;
        };
        reader.push(data);
        while let Some(message) = reader.next()? {
            let packet = packet::read(message)?;
            match packet.r#type() {
                PacketType::PacketReq => request(packet.id)?,
                PacketType::PacketFin => return Ok(()),
                PacketType::PacketErr => {
                    let message = String::from_utf8_lossy(&packet.data).into_owned();
                    return Err(TransferError::Receiver(message));
                }
                PacketType::PacketStat | PacketType::PacketData => {}
            }
        }
    }
    Err(TransferError::Closed)
}

/// Sends FIN or the error, and ends the response.
async fn finish(outbound: Outbound, ended: Result<(), TransferError>) {
    let mut last = Vec::new();
    let status = match ended {
        Ok(()) => {
            packet::put_bare(&mut last, PacketType::PacketFin, 0);
            Status::ok("")
        }
        Err(TransferError::Closed) => Status::cancelled(TransferError::Closed.message()),
        Err(error) => {
            let message = error.message();
            packet::put_error(&mut last, message.clone());
            Status::unknown(message)
        }
    };
    // If the daemon has stopped reading, the rest is dropped.
    if last.is_empty() || outbound.send(last).await.is_ok() {
        outbound.end(status).await;
    }
}

/// Walks the directory and sends the stats.
fn send_stats(
    root: &Beneath,
    request: &Request,
    paths: &Mutex<PathTable<1>>,
    outbound: &Outbound,
    noted: &Noted,
) -> Result<(), TransferError> {
    let filter = Filter::new(root, request)?;
    let mut stats = Stats {
        paths,
        outbound,
        packet: Packet::default(),
        buffer: Vec::new(),
        next: 0,
        links: HashMap::new(),
    };
    walk::walk(
        root,
        &filter,
        &|| outbound.is_closed(),
        &mut |stat, inode| {
            if std::str::from_utf8(&stat.path).is_err()
                || std::str::from_utf8(&stat.linkname).is_err()
            {
                noted.sent.note_name(&request.directory, &stat.path);
            }
            stats.send(stat, inode)?;
            if let Some(listed) = &noted.listed {
                listed.push(stat);
            }
            Ok(())
        },
    )?;
    packet::put_bare(&mut stats.buffer, PacketType::PacketStat, 0);
    Ok(outbound.blocking_send(stats.buffer)?)
}

/// The stats that are being sent.
struct Stats<'a> {
    paths: &'a Mutex<PathTable<1>>,
    outbound: &'a Outbound,
    packet: Packet,
    buffer: Vec<u8>,
    /// The number of the next stat.
    next: u32,
    /// For each file with several names, the number of its first path.
    links: HashMap<Inode, u32>,
}

impl Stats<'_> {
    fn send(&mut self, stat: &mut Stat, inode: Option<Inode>) -> Result<(), TransferError> {
        let id = self.next;
        self.next = id.checked_add(1).ok_or(TransferError::TooMany)?;
        let mut linked = false;
        {
            let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(inode) = inode {
                let first = *self.links.entry(inode).or_insert(id);
                if first != id
                    && let Some((path, _)) = paths.get(first)
                {
                    stat.linkname = path;
                    linked = true;
                }
            }
            if !linked && (inode.is_some() || mode::has_content(stat.mode)) {
                paths.insert(
                    id,
                    &stat.path,
                    [u64::try_from(stat.size).unwrap_or_default()],
                );
            }
        }
        // The packet needs to own the walk's `Stat` and its buffers while it is encoded.
        self.packet.stat = Some(std::mem::take(stat));
        packet::put(&mut self.buffer, &self.packet);
        *stat = self.packet.stat.take().unwrap_or_default();
        if self.buffer.len() >= CHUNK {
            let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK + 1024));
            self.outbound.blocking_send(full)?;
        }
        Ok(())
    }
}
