//! File modes on the wire: the bits of Go's `os.FileMode`, which differ from those of Unix.

pub(in crate::session) const DIR: u32 = 1 << 31;
pub(in crate::session) const SYMLINK: u32 = 1 << 27;
pub(in crate::session) const DEVICE: u32 = 1 << 26;
pub(in crate::session) const NAMED_PIPE: u32 = 1 << 25;
const SOCKET: u32 = 1 << 24;
const SETUID: u32 = 1 << 23;
const SETGID: u32 = 1 << 22;
pub(in crate::session) const CHAR_DEVICE: u32 = 1 << 21;
const STICKY: u32 = 1 << 20;
pub(in crate::session) const IRREGULAR: u32 = 1 << 19;

const PERMISSIONS: [(u32, u32); 3] = [(0o4000, SETUID), (0o2000, SETGID), (0o1000, STICKY)];

/// True if the receiver may request the content: no type bit is set, as in fsutil's
/// `fileCanRequestData`.
pub(in crate::session) fn has_content(mode: u32) -> bool {
    mode & (DIR | SYMLINK | DEVICE | NAMED_PIPE | SOCKET | CHAR_DEVICE | IRREGULAR) == 0
}

/// Converts the permissions, set-id bits and sticky bit of a Unix mode to Go's.
pub(in crate::session) fn from_permissions(unix: u32) -> u32 {
    let special = PERMISSIONS
        .iter()
        .filter(|(unix_bit, _)| unix & unix_bit != 0);
    special.fold(unix & 0o777, |mode, (_, bit)| mode | bit)
}

/// Converts Go's bits to a Unix mode.
pub(in crate::session) fn to_permissions(mode: u32) -> u32 {
    let special = PERMISSIONS.iter().filter(|(_, bit)| mode & bit != 0);
    special.fold(mode & 0o777, |unix, (unix_bit, _)| unix | unix_bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_go_both_ways() {
        for unix in [0, 0o644, 0o4755, 0o2770, 0o1777, 0o7777] {
            assert_eq!(to_permissions(from_permissions(unix)), unix);
        }
        assert_eq!(from_permissions(0o4755), 0o755 | 1 << 23);
    }
}
