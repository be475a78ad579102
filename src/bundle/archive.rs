//! A small tar.gz archive in memory.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use tar::{Archive, Builder, Header};

use super::{BundleProblem, Error, LIMIT};

/// Writes the files, sorted by name.
pub(super) fn write(files: &BTreeMap<String, Vec<u8>>, to: impl Write) -> io::Result<()> {
    let mut archive = Builder::new(GzEncoder::new(to, Compression::default()));
    for (name, bytes) in files {
        let mut header = Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        header.set_mtime(0);
        archive.append_data(&mut header, name, bytes.as_slice())?;
    }
    archive.into_inner()?.finish()?.flush()
}

/// Reads the files.
pub(super) fn read(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut bytes_of_archive = Vec::new();
    let mut decoder = GzDecoder::new(bytes).take(LIMIT as u64 + 1);
    decoder
        .read_to_end(&mut bytes_of_archive)
        .map_err(|error| wrong(BundleProblem::Gzip(error)))?;
    if bytes_of_archive.len() > LIMIT {
        return Err(wrong(BundleProblem::TooLarge { limit: LIMIT }));
    }
    let damaged = |error: io::Error| wrong(BundleProblem::Archive(error));
    let mut archive = Archive::new(bytes_of_archive.as_slice());
    let mut files = BTreeMap::new();
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(damaged)?;
        if content.len() as u64 != entry.size() {
            return Err(wrong(BundleProblem::CutOff));
        }
        files.insert(name, content);
    }
    Ok(files)
}

pub(super) fn wrong(reason: BundleProblem) -> Error {
    Error::NotABundle { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_tar_reads_it() {
        let files = BTreeMap::from([
            ("a".to_owned(), vec![1; 700]),
            ("blobs/b".to_owned(), Vec::new()),
        ]);
        let mut bytes = Vec::new();
        write(&files, &mut bytes).unwrap();
        assert_eq!(read(&bytes).unwrap(), files);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tgz");
        std::fs::write(&path, &bytes).unwrap();
        let tar = std::process::Command::new("tar")
            .arg("-tzf")
            .arg(&path)
            .output();
        assert_eq!(tar.unwrap().stdout, b"a\nblobs/b\n");
        assert!(read(&bytes[..bytes.len() / 2]).is_err());
    }

    #[test]
    fn garbage_is_refused() {
        assert!(read(b"").is_err());
        assert!(read(b"not gzip").is_err());
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&[b'x'; 2000]).unwrap();
        let error = read(&gzip.finish().unwrap()).unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
    }
}
