//! Locks of files, by which programs wait for one another.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use rustix::io::Errno;

/// How often a lock that another program has is asked for again.
const INTERVAL: Duration = Duration::from_millis(20);

/// Takes the lock of an open file, waiting for it until a moment at most; false if another program
/// still has it then. It is given back when the file is closed. Some network file systems have no
/// locks: there every program goes on. Blocking.
///
/// # Errors
/// What the system says other than that the lock is taken.
pub fn lock_until(file: &File, until: Instant) -> io::Result<bool> {
    loop {
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) | Err(Errno::NOTSUP | Errno::NOLCK | Errno::NOSYS) => return Ok(true),
            Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < until => {
                std::thread::sleep(INTERVAL);
            }
            Err(Errno::WOULDBLOCK | Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
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
