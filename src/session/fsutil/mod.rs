//! fsutil's protocol: the parts that sending and receiving share.
//!
//! The sender sends a STAT for every file, then an empty one. The receiver sends REQ with the
//! numbers of the files it wants, and gets DATA for each, an empty one at its end. The receiver's
//! FIN is echoed. ERR carries an error's text.

pub(super) mod mode;
pub(super) mod packet;
mod paths;

pub(super) use paths::PathTable;

/// Reads frames that arrive in pieces, for the fuzzer. Returns the number of packets.
#[cfg(fuzzing)]
pub fn read_frames(frames: &[u8], piece: usize) -> Result<usize, String> {
    let bad = |error: super::stream::BadFrame| error.0.to_owned();
    let mut reader = super::stream::FrameReader::default();
    let mut packets = 0;
    for piece in frames.chunks(piece.max(1)) {
        reader.push(bytes::Bytes::copy_from_slice(piece));
        while let Some(message) = reader.next().map_err(bad)? {
            packet::read(message).map_err(bad)?;
            packets += 1;
        }
    }
    Ok(packets)
}
