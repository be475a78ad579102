//! Converts lstat's results to fsutil's form.

use std::io;

use solvekit_host::Kind;

use super::descent::Found;
use crate::files::Beneath;
use crate::proto::fsutil::types::Stat;
use crate::session::fsutil::mode;

/// The device and inode number, which identify hard links to one file.
pub(super) type Inode = (u64, u64);

/// Fills everything but the path, from an entry of an open folder. Owner and
/// group stay 0, as `docker build` and buildx send all files. Returns the inode if the file has
/// several names.
///
/// As in fsutil, a directory has no size, a socket becomes an empty regular file, and unreadable
/// extended attributes are omitted.
pub(super) fn fill(stat: &mut Stat, entry: &Found<'_>) -> io::Result<Option<Inode>> {
    let found = &entry.status;
    stat.mode = go_mode(found.permissions, found.kind);
    stat.uid = 0;
    stat.gid = 0;
    stat.size = match found.kind {
        Kind::Folder => 0,
        _ => i64::try_from(found.size).unwrap_or(i64::MAX),
    };
    stat.mod_time = found.modified;
    stat.linkname.clear();
    (stat.devmajor, stat.devminor) = match found.kind {
        Kind::BlockDevice | Kind::CharacterDevice => device(found.device),
        _ => (0, 0),
    };
    if found.kind == Kind::Link {
        stat.linkname = entry.folder.read_link(entry.name)?;
    }
    stat.xattrs.clear();
    let seen = entry.folder_path;
    if !seen.is_some_and(|folder| Beneath::has_no_attributes(folder, entry.name)) {
        entry.folder.attributes(entry.name, &mut stat.xattrs)?;
    }
    Ok(found.shared.filter(|_| found.kind != Kind::Link))
}

fn go_mode(permissions: u32, kind: Kind) -> u32 {
    let bits = match kind {
        Kind::Folder => mode::DIR,
        Kind::Link => mode::SYMLINK,
        Kind::Pipe => mode::NAMED_PIPE,
        Kind::BlockDevice => mode::DEVICE,
        Kind::CharacterDevice => mode::DEVICE | mode::CHAR_DEVICE,
        Kind::File | Kind::Socket => 0,
        Kind::Unknown => mode::IRREGULAR,
    };
    bits | mode::from_permissions(permissions)
}

/// Splits a device number into major and minor as fsutil does: twelve and twenty bits, Linux's
/// older layout.
fn device(number: u64) -> (i64, i64) {
    let major = (number >> 8) & 0xfff;
    let minor = (number & 0xff) | ((number >> 12) & 0xfff00);
    (major as i64, minor as i64)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use rustix::io::Errno;

    use super::*;

    fn stat(path: &Path) -> (Stat, Option<Inode>) {
        let direct = stat_through(path, path.parent());
        assert_eq!(direct, stat_through(path, None), "{path:?}");
        direct
    }

    fn stat_through(path: &Path, folder_path: Option<&Path>) -> (Stat, Option<Inode>) {
        let mut stat = Stat {
            uid: 7,
            linkname: "old".into(),
            ..Stat::default()
        };
        let folder = Beneath::open(path.parent().unwrap()).unwrap();
        let name = path.file_name().unwrap().as_bytes();
        let entry = Found {
            folder: &folder,
            folder_path: folder_path.map(|path| path.as_os_str().as_bytes()),
            name,
            status: folder.status(name).unwrap(),
        };
        let inode = fill(&mut stat, &entry).unwrap();
        (stat, inode)
    }

    #[test]
    fn modes_are_those_of_go() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        std::fs::write(&file, "abc").unwrap();
        for (unix, want) in [
            (0o644, 0o644),
            (0o4755, 0o755 | 1 << 23),
            (0o2755, 0o755 | 1 << 22),
        ] {
            std::fs::set_permissions(&file, PermissionsExt::from_mode(unix)).unwrap();
            let (stat, inode) = stat(&file);
            assert_eq!((stat.mode, stat.size, stat.uid, inode), (want, 3, 0, None));
            assert!(mode::has_content(stat.mode) && stat.linkname.is_empty());
        }
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o1777)).unwrap();
        let (directory, _) = stat(dir.path());
        assert_eq!(
            (directory.mode, directory.size),
            (0o777 | 1 << 31 | 1 << 20, 0)
        );
        assert!(!mode::has_content(directory.mode));

        symlink("../target", dir.path().join("l")).unwrap();
        let (link, _) = stat(&dir.path().join("l"));
        assert_eq!(
            (link.mode, link.linkname.as_slice(), link.size),
            (0o777 | 1 << 27, &b"../target"[..], 9)
        );
        assert!(!mode::has_content(link.mode));

        let odd = OsStr::from_bytes(b"t\xff");
        symlink(odd, dir.path().join(odd)).unwrap();
        assert_eq!(stat(&dir.path().join(odd)).0.linkname, b"t\xff");
    }

    #[test]
    fn a_pipe_has_no_content_and_a_socket_is_an_empty_file() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("p");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            0o600.into(),
            0,
        )
        .unwrap();
        assert_eq!(stat(&pipe).0.mode, 0o600 | 1 << 25);
        let socket = dir.path().join("s");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let mode = stat(&socket).0.mode;
        assert!(mode::has_content(mode) && mode & !0o777 == 0, "{mode:o}");
    }

    #[test]
    fn times_are_in_nanoseconds_even_before_1970() {
        let dir = tempfile::tempdir().unwrap();
        let file = std::fs::File::create(dir.path().join("f")).unwrap();
        file.set_modified(
            std::time::UNIX_EPOCH + std::time::Duration::new(1_700_000_000, 123_456_789),
        )
        .unwrap();
        assert_eq!(
            stat(&dir.path().join("f")).0.mod_time,
            1_700_000_000_123_456_789
        );
        file.set_modified(std::time::UNIX_EPOCH - std::time::Duration::from_nanos(1))
            .unwrap();
        assert_eq!(stat(&dir.path().join("f")).0.mod_time, -1);
    }

    #[test]
    fn names_of_one_file_share_an_inode() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "").unwrap();
        std::fs::hard_link(dir.path().join("a"), dir.path().join("b")).unwrap();
        let (a, b) = (stat(&dir.path().join("a")).1, stat(&dir.path().join("b")).1);
        assert!(a.is_some() && a == b);
    }

    #[test]
    fn device_numbers_are_split_as_fsutil_does() {
        assert_eq!(device(0x0103), (1, 3));
        assert_eq!(device(0x12_3456_7805), (0x678, 0x34505));
    }

    #[test]
    fn extended_attributes_are_read_whatever_their_size() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        std::fs::write(&file, "").unwrap();
        let value = vec![7; 3000];
        for (name, value) in [
            ("user.small", &b"x"[..]),
            ("user.large", &value),
            ("user.empty", b""),
        ] {
            match rustix::fs::setxattr(&file, name, value, rustix::fs::XattrFlags::empty()) {
                // Some file systems do not support extended attributes.
                Err(Errno::NOTSUP) => return,
                set => set.unwrap(),
            }
        }
        let (stat, _) = stat(&file);
        assert_eq!(stat.xattrs.get("user.small").unwrap(), b"x");
        assert_eq!(stat.xattrs.get("user.large"), Some(&value));
        assert_eq!(stat.xattrs.get("user.empty"), Some(&Vec::new()));
    }
}
