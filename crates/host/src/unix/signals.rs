//! Signals: requests to end, and changes of the terminal's size.

use std::io;

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
