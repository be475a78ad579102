//! Signals: requests to end or pause, and changes of the terminal's size.

use std::io;

use rustix::process::{Signal as Signals, getpgrp, getpid, getsid, kill_process};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Requests to end: SIGINT (Ctrl-C) and SIGTERM.
#[derive(Debug)]
pub struct Ends {
    interrupt: Signal,
    terminate: Signal,
}

impl Ends {
    /// Starts to watch for requests, which no longer end the process.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn watch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next request.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Requests to pause: SIGTSTP (Ctrl-Z).
#[derive(Debug)]
pub struct Pauses(Option<Signal>);

impl Pauses {
    /// Starts to watch for requests, which no longer pause the process: call [`pause`].
    pub fn watch() -> Self {
        Self(signal(SignalKind::from_raw(Signals::TSTP.as_raw())).ok())
    }

    /// Waits for the next request.
    pub async fn next(&mut self) {
        let asked = match &mut self.0 {
            Some(pauses) => pauses.recv().await,
            None => None,
        };
        if asked.is_none() {
            std::future::pending().await
        }
    }
}

/// Pauses the process until somebody continues it: `fg` or `bg` in a shell. Does nothing without
/// job control, as the kernel does: nobody would continue the process.
///
/// # Errors
/// If a system call fails.
pub fn pause() -> io::Result<()> {
    // A shell with job control gives each job a process group of its own.
    if getpgrp() == getsid(None)? {
        return Ok(());
    }
    Ok(kill_process(getpid(), Signals::STOP)?)
}

/// Changes of the terminal's size.
#[derive(Debug)]
pub struct Resizes(Option<Signal>);

impl Resizes {
    /// Starts to watch for changes.
    pub fn watch() -> Self {
        Self(signal(SignalKind::window_change()).ok())
    }

    /// Waits for the next change.
    pub async fn next(&mut self) {
        let changed = match &mut self.0 {
            Some(changes) => changes.recv().await,
            None => None,
        };
        if changed.is_none() {
            std::future::pending().await
        }
    }
}
