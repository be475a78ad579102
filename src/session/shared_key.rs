//! The key under which the daemon finds again what it received of a local directory.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::filepath;
use crate::files::read_at_most;

/// The file of the node's id, the one of buildx: what buildx has sent, the daemon has for solvekit too.
const FILE: &str = ".buildNodeID";
/// Far more than any id.
const LIMIT: u64 = 4096;

/// The session's shared key for a build context, as buildx makes it: the directory's name and the node's id. With the
/// same key, the daemon compares the context with what it has and takes the changes only. Two directories of one name
/// share what was received; they then send what differs.
pub fn shared_key(context: &Path, node_id: &str) -> String {
    let absolute = std::path::absolute(context).unwrap_or_else(|_| context.to_owned());
    let cleaned = filepath::clean(&absolute.to_string_lossy());
    let name = cleaned
        .rsplit('/')
        .find(|name| !name.is_empty())
        .unwrap_or("/");
    format!("{name}:{node_id}")
}

/// The id of this user on this machine, kept in the directory of buildx's configuration (`$BUILDX_CONFIG`, usually
/// `~/.docker/buildx`) and made when there is none: 16 hexadecimal digits.
///
/// # Errors
///
/// When the file is not there and cannot be made, or cannot be read.
pub fn node_id(directory: &Path) -> io::Result<String> {
    let path = directory.join(FILE);
    match read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let (id, unique) = hex.split_at(16);
    fs::create_dir_all(directory)?;
    let temporary = directory.join(format!("{FILE}.{unique}"));
    fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&temporary)?
        .write_all(id.as_bytes())?;
    // Linked, not renamed: whoever was first, all use the same id.
    let linked = fs::hard_link(&temporary, &path);
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => read(&path),
    }
}

fn read(path: &Path) -> io::Result<String> {
    let bytes = read_at_most(path, LIMIT)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_directorys_name_and_the_node() {
        assert_eq!(shared_key(Path::new("/home/me/app/"), "id"), "app:id");
        assert_eq!(shared_key(Path::new("/home/me/app/sub/.."), "id"), "app:id");
        assert_eq!(shared_key(Path::new("/"), "id"), "/:id");
        let here = std::env::current_dir().unwrap();
        let name = here.file_name().unwrap().to_str().unwrap();
        assert_eq!(shared_key(Path::new("."), "id"), format!("{name}:id"));
    }

    #[test]
    fn the_id_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let buildx = dir.path().join("docker/buildx");
        let id = node_id(&buildx).unwrap();
        assert!(
            id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id}"
        );
        assert_eq!(node_id(&buildx).unwrap(), id);
        assert_eq!(fs::read_dir(&buildx).unwrap().count(), 1);
    }
}
