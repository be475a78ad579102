//! Decompresses layers: uncompressed ones, gzip and zstd.

use std::fmt;
use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Returns the bytes of a blob without its compression, which its first bytes identify.
pub(crate) fn unpacked<'a>(blob: &'a mut impl BufRead) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match blob.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(blob)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(Zstd::new(blob)?),
        _ => Box::new(blob),
    })
}

/// All consecutive frames of a blob that is compressed with zstd.
pub struct Zstd<R: Read>(Option<Frame<R>>);

/// A frame, including its first bytes, which were read to detect the format.
type Frame<R> = StreamingDecoder<io::Chain<io::Cursor<[u8; 4]>, R>, FrameDecoder>;

impl<R: Read> Zstd<R> {
    /// Reads the first frame's header.
    ///
    /// # Errors
    /// If it cannot be read, or is not a header.
    pub fn new(blob: R) -> io::Result<Self> {
        next_frame(blob).map(Self)
    }
}

impl<R: Read> fmt::Debug for Zstd<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd").finish_non_exhaustive()
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(frame) = &mut self.0 {
            let read = frame.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            if let Some(ended) = self.0.take() {
                self.0 = next_frame(ended.into_inner().into_inner().1)?;
            }
        }
        Ok(0)
    }
}

/// Returns the next frame with data; skippable frames, which are for other programs, are ignored.
fn next_frame<R: Read>(mut blob: R) -> io::Result<Option<Frame<R>>> {
    loop {
        let mut magic = [0; 4];
        match blob.read(&mut magic[..1])? {
            0 => return Ok(None),
            _ => blob.read_exact(&mut magic[1..])?,
        }
        if u32::from_le_bytes(magic) & 0xffff_fff0 != 0x184d_2a50 {
            let frame = StreamingDecoder::new(io::Cursor::new(magic).chain(blob));
            return frame.map(Some).map_err(io::Error::other);
        }
        let mut length = [0; 4];
        blob.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        io::copy(&mut blob.by_ref().take(length), &mut io::sink())?;
    }
}
