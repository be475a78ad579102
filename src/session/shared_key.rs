//! The key under which the daemon caches a local directory.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use solvekit_host::{files::with_permissions, names};

use crate::filepath;
use crate::files::read_at_most;

/// The file with the node's id, shared with buildx: solvekit can reuse what buildx has sent.
const FILE: &str = ".buildNodeID";
/// The largest file that is read, in bytes.
const LIMIT: u64 = 4096;

/// Returns the session's shared key for a build context, built like buildx's from the directory's
/// name and the node's id. With the same key, the daemon compares the context with its cache and
/// takes only the changes. Two directories with the same name share a cache; each then sends what
/// differs.
pub fn shared_key(context: &Path, node_id: &str) -> String {
    let absolute = std::path::absolute(context).unwrap_or_else(|_| context.to_owned());
    let absolute = names::bytes(absolute.as_os_str());
    let cleaned = filepath::clean(&String::from_utf8_lossy(&absolute));
    let name = cleaned
        .rsplit('/')
        .find(|name| !name.is_empty())
        .unwrap_or("/");
    format!("{name}:{node_id}")
}

/// Returns the id of this user on this machine: 16 hexadecimal digits. It is kept in buildx's
/// configuration directory (`$BUILDX_CONFIG`, usually `~/.docker/buildx`) and created if missing.
///
/// # Errors
///
/// If the file cannot be read or created.
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
    let mut options = fs::OpenOptions::new();
    with_permissions(options.create_new(true).write(true), 0o600)
        .open(&temporary)?
        .write_all(id.as_bytes())?;
    // A hard link fails if another process was first, so all use the same id.
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
