//! Output that can block: a pipe that nobody reads, a paused terminal. It has a thread of its own,
//! so that an interrupt ends the command anyway.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{INTERRUPTED, is_watched};

/// How long output may block after an interrupt.
const PATIENCE: Duration = Duration::from_secs(1);
/// The same if other output has blocked for that long.
const NO_PATIENCE: Duration = Duration::from_millis(50);
/// How often to look for an interrupt.
const TICK: Duration = Duration::from_millis(20);

/// True once output has blocked for too long after an interrupt.
static HAS_BLOCKED: AtomicBool = AtomicBool::new(false);

/// Runs output that may block. Returns `None` if it still blocks a second after an interrupt; its
/// thread then continues until the process ends.
pub(crate) fn run<T: Send + 'static>(output: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    if !is_watched() {
        // An interrupt ends the process.
        return Some(output());
    }
    let (sender, done) = channel();
    let thread = thread::spawn(move || drop(sender.send(output())));
    let mut deadline = None;
    loop {
        match done.recv_timeout(TICK) {
            Ok(done) => return Some(done),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => match thread.join() {
                Err(panic) => std::panic::resume_unwind(panic),
                Ok(()) => return None,
            },
        }
        if INTERRUPTED.is_cancelled() {
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience());
            if Instant::now() >= deadline {
                HAS_BLOCKED.store(true, Ordering::Relaxed);
                return None;
            }
        }
    }
}

/// Waits for output of another task. Returns `None` if it still blocks a second after an interrupt.
pub(crate) async fn wait<T>(output: impl Future<Output = T>) -> Option<T> {
    let too_long = async {
        INTERRUPTED.cancelled().await;
        tokio::time::sleep(patience()).await;
        HAS_BLOCKED.store(true, Ordering::Relaxed);
    };
    tokio::select! {
        biased;
        done = output => Some(done),
        () = too_long => None,
    }
}

fn patience() -> Duration {
    match HAS_BLOCKED.load(Ordering::Relaxed) {
        true => NO_PATIENCE,
        false => PATIENCE,
    }
}
