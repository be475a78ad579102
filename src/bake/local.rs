//! The local machine, for bake files and for the checks of their targets.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use solvekit_bake::{FileReader, Host, ReadError};
use solvekit_host::files::is_socket;

use super::{Found, Machine};
use crate::files::{Beneath, BeneathError, Links};
use crate::session::{self, SshAgents};

/// The size limit of [`read_file`], and of files that [`LocalMachine`] gives to bake files, in
/// bytes.
pub const MAX_FILE: u64 = 64 << 20;

/// This machine: its files, its clock, and the variables that it is given.
///
/// ```
/// use solvekit::bake::{FileReader, LocalMachine, Machine};
///
/// let machine = LocalMachine::new("/work", [("TAG".to_owned(), "1".to_owned())]);
/// assert_eq!(machine.working_directory(), "/work");
/// assert_eq!(machine.variable("TAG").as_deref(), Some("1"));
/// ```
#[derive(Debug, Clone)]
pub struct LocalMachine {
    working_directory: String,
    variables: BTreeMap<String, String>,
    stdout_is_terminal: bool,
    accepts_secret_folders: bool,
}

impl LocalMachine {
    /// A machine on which relative paths start at `working_directory`, which is absolute. `HOME` is
    /// the home directory.
    pub fn new(
        working_directory: impl Into<String>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        Self {
            working_directory: working_directory.into(),
            variables: variables.into_iter().collect(),
            stdout_is_terminal: false,
            accepts_secret_folders: false,
        }
    }

    /// Sets if the standard output is a terminal: archives are not written to one.
    #[must_use]
    pub fn with_terminal(mut self, stdout_is_terminal: bool) -> Self {
        self.stdout_is_terminal = stdout_is_terminal;
        self
    }

    /// Sets if a folder is accepted in place of a secret's file; see
    /// [`Machine::accepts_secret_folders`].
    #[must_use]
    pub fn with_secret_folders(mut self, accepted: bool) -> Self {
        self.accepts_secret_folders = accepted;
        self
    }

    /// Reads a file of the working directory as [`read_beneath`] does; `None` if the path leads out
    /// of it, or if it cannot be read.
    pub fn read_inside(&self, path: &str) -> Option<Vec<u8>> {
        let inside = self.inside(path)?;
        read_beneath(Path::new(&self.working_directory), &inside).ok()
    }

    fn place(&self, path: &str) -> PathBuf {
        Path::new(&self.working_directory).join(path)
    }

    /// The path relative to the working directory; `None` if it leads out.
    fn inside(&self, path: &str) -> Option<PathBuf> {
        let mut clean = PathBuf::new();
        for part in self.place(path).components() {
            match part {
                Component::ParentDir => drop(clean.pop()),
                part => clean.push(part),
            }
        }
        let inside = clean.strip_prefix(&self.working_directory).ok()?;
        Some(inside.to_owned())
    }
}

/// Reads a regular file below a folder, at most [`MAX_FILE`] plus one byte. For paths that the user
/// did not type: they may come from somebody else, so no link may lead out of the folder, and pipes
/// are rejected. Blocking.
///
/// # Errors
/// If the file cannot be read; [`io::ErrorKind::InvalidInput`] if it leads out or is not a regular
/// file.
pub fn read_beneath(folder: &Path, path: &Path) -> io::Result<Vec<u8>> {
    let opened = Beneath::open(folder)
        .map_err(BeneathError::from)
        .and_then(|folder| folder.file(path, Links::Inside));
    let file = opened.map_err(|error| match error {
        BeneathError::Io(error) => error,
        BeneathError::NotRegular if folder.join(path).is_dir() => {
            io::ErrorKind::IsADirectory.into()
        }
        error => io::Error::new(io::ErrorKind::InvalidInput, error),
    })?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file, at most [`MAX_FILE`] plus one byte. Links are followed. Blocking.
///
/// # Errors
/// If the file cannot be read, or is a folder.
pub fn read_file(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl FileReader for LocalMachine {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let read = match self.inside(path) {
            Some(inside) => read_beneath(Path::new(&self.working_directory), &inside),
            None => read_file(self.place(path)),
        };
        match read {
            Ok(bytes) if bytes.len() as u64 > MAX_FILE => Err(ReadError::Other(format!(
                "it is larger than {MAX_FILE} bytes"
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

impl Host for LocalMachine {
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
        // The system's generator does not fail after boot, and these bytes need not be secret.
        let _ = getrandom::fill(bytes);
    }

    fn home_directory(&self) -> Option<String> {
        self.variable("HOME").filter(|home| !home.is_empty())
    }
}

impl Machine for LocalMachine {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn look(&self, path: &str) -> io::Result<Found> {
        let place = self.place(path);
        if is_socket(&place) {
            return Ok(Found::Socket);
        }
        let metadata = place.metadata()?;
        Ok(if metadata.is_dir() {
            Found::Folder
        } else {
            Found::File(metadata.len())
        })
    }

    fn check_key(&self, path: &str) -> Result<(), session::Error> {
        SshAgents::new()
            .with_keys("", &[self.place(path)])
            .map(drop)
    }

    fn stdout_is_terminal(&self) -> bool {
        self.stdout_is_terminal
    }

    fn accepts_secret_folders(&self) -> bool {
        self.accepts_secret_folders
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_path_may_lead_out_of_the_working_directory() {
        let machine = LocalMachine::new("/work", []);
        for path in ["a/b", "a/../b", "./a", "a/./b/../../c", "/work/a"] {
            assert!(machine.inside(path).is_some(), "{path}");
        }
        for path in ["../a", "/etc/passwd", "a/../../b", "..", "/workshop"] {
            assert_eq!(machine.inside(path), None, "{path}");
        }
        assert_eq!(machine.inside("/work/./a").as_deref(), Some(Path::new("a")));
    }

    #[test]
    fn paths_begin_in_the_working_directory() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.env"), "A=1").unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        let machine = LocalMachine::new(folder.path().to_str().unwrap(), []);
        assert_eq!(machine.read("a.env").unwrap(), b"A=1");
        assert_eq!(machine.read("none"), Err(ReadError::NotFound));
        assert_eq!(machine.read("a.env/x"), Err(ReadError::NotFound));
        assert_eq!(machine.read("sub"), Err(ReadError::IsDirectory));
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
        assert!(matches!(machine.read("link"), Err(ReadError::Other(_))));
        assert!(machine.read("/etc/passwd").is_ok());
        assert_eq!(machine.read_inside("sub/../a.env").unwrap(), b"A=1");
        assert_eq!(machine.read_inside("/etc/passwd"), None);
        assert_eq!(machine.look("sub").unwrap(), Found::Folder);
        assert_eq!(machine.look("a.env").unwrap(), Found::File(3));
        let mut random = [0; 16];
        machine.fill_random(&mut random);
        assert_ne!(random, [0; 16]);
    }
}
