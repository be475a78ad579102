//! File locks, with which programs wait for one another.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use solvekit_host::files::try_lock;

/// The interval between attempts to get a lock that another program holds.
const INTERVAL: Duration = Duration::from_millis(20);

/// Locks an open file and waits until `until` at most; returns false if another program still holds
/// the lock then. Closing the file releases the lock. Some network file systems do not support
/// locks; there every program continues without. Blocking.
///
/// # Errors
/// The system's error, if it is not that another program holds the lock.
pub fn lock_until(file: &File, until: Instant) -> io::Result<bool> {
    loop {
        match try_lock(file)? {
            true => return Ok(true),
            false if Instant::now() < until => std::thread::sleep(INTERVAL),
            false => return Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_for_one_until_its_file_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let open = || File::create(folder.path().join("lock")).unwrap();
        let first = open();
        assert!(lock_until(&first, Instant::now()).unwrap());
        let second = open();
        assert!(!lock_until(&second, Instant::now()).unwrap());
        drop(first);
        assert!(lock_until(&second, Instant::now() + INTERVAL).unwrap());
    }
}
