//! fsutil's protocol, as far as sending and receiving share it.
//!
//! The sender says STAT for every file, then an empty one; the receiver says REQ with the numbers of the files that it
//! wants, and gets DATA for each, an empty one at its end. The receiver's FIN is echoed. ERR says what went wrong.

pub(super) mod mode;
pub(super) mod packet;
mod paths;

pub(super) use paths::PathTable;

/// Reads frames that arrive in pieces, for the fuzzer: how many packets there are.
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
