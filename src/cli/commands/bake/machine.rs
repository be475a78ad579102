//! This machine, for bake files and for the checks of their targets.

use std::io::{self, IsTerminal as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use solvekit::bake::{FileReader, Found, Host, Machine, ReadError};
use solvekit::session::{self, SshAgents};

use super::files::{MAX_BYTES, read_named_by_file};
use crate::cli::report::Failure;

pub(super) struct ThisMachine {
    working_directory: String,
}

impl ThisMachine {
    pub(super) fn new() -> Result<Self, Failure> {
        let directory = std::env::current_dir()
            .map_err(|error| Failure::new(format!("cannot find the working directory: {error}")))?;
        Ok(Self {
            working_directory: directory.to_string_lossy().into_owned(),
        })
    }
}

impl FileReader for ThisMachine {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        match read_named_by_file(path) {
            Ok(bytes) if bytes.len() as u64 > MAX_BYTES => Err(ReadError::Other(format!(
                "it is larger than {MAX_BYTES} bytes"
            ))),
            Ok(bytes) => Ok(bytes),
            Err(error) => Err(match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ReadError::NotFound,
                io::ErrorKind::IsADirectory => ReadError::IsDirectory,
                _ => ReadError::Other(error.to_string()),
            }),
        }
    }

    fn working_directory(&self) -> &str {
        &self.working_directory
    }
}

impl Host for ThisMachine {
    fn now(&self) -> (i64, u32) {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => (
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
                since.subsec_nanos(),
            ),
            Err(_) => (0, 0),
        }
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        // The system's generator does not fail once the machine is up; zeros are no secret here.
        let _ = getrandom::fill(bytes);
    }

    fn home_directory(&self) -> Option<String> {
        self.variable("HOME").filter(|home| !home.is_empty())
    }
}

impl Machine for ThisMachine {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    fn look(&self, path: &str) -> io::Result<Found> {
        let metadata = Path::new(path).metadata()?;
        Ok(if metadata.is_dir() {
            Found::Folder
        } else if metadata.file_type().is_socket() {
            Found::Socket
        } else {
            Found::File(metadata.len())
        })
    }

    fn check_key(&self, path: &str) -> Result<(), session::Error> {
        SshAgents::new()
            .with_keys("", &[PathBuf::from(path)])
            .map(drop)
    }

    fn stdout_is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }
}
