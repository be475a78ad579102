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
    /// Watches for them from now on; they no longer end the process.
    ///
    /// # Errors
    /// What the system says.
    pub fn watch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
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
    /// Watches for them from now on.
    pub fn watch() -> Self {
        Self(signal(SignalKind::window_change()).ok())
    }

    /// Waits for the next one.
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
