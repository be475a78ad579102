//! Signals, sockets and blocking work.

use std::path::PathBuf;
use std::time::Duration;

use solvekit_host::signals::{Ends, Resizes};
use solvekit_host::sockets::{self, Listener};
use solvekit_registry::task::{Panicked, blocking};

use super::spawnable;

#[test]
fn system() {
    spawnable(async |mut ends: Ends| ends.next().await);
    spawnable(async |mut resizes: Resizes| resizes.next().await);
    spawnable(async |path: PathBuf| sockets::connect(&path, Duration::ZERO).await);
    spawnable(async |mut listener: Listener| listener.accept().await);
    spawnable(async |()| blocking(|| Ok::<_, Panicked>(())).await);
}
