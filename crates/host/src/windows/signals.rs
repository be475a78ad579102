//! Signals: requests to end, and changes of the terminal's size.

use std::io;
use std::time::Duration;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
};

/// The time between two checks of the console's size.
const INTERVAL: Duration = Duration::from_millis(500);

/// Requests to end: Ctrl-C, Ctrl-Break, a closed console, a shutdown.
#[derive(Debug)]
pub struct Ends {
    interrupt: CtrlC,
    terminate: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Ends {
    /// Starts to watch for requests, which no longer end the process.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn watch() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            terminate: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// Waits for the next request.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.close.recv() => {}
            _ = self.shutdown.recv() => {}
        }
    }
}

/// Requests to pause, which Windows does not have.
#[derive(Debug)]
pub struct Pauses(());

impl Pauses {
    /// Starts to watch for requests.
    pub fn watch() -> Self {
        Self(())
    }

    /// Waits forever.
    pub async fn next(&mut self) {
        std::future::pending().await
    }
}

/// Does nothing.
///
/// # Errors
/// None on Windows.
pub fn pause() -> io::Result<()> {
    Ok(())
}

/// Changes of the terminal's size. Windows reports them only among the keys, so the size is polled.
#[derive(Debug)]
pub struct Resizes(Option<(u16, u16)>);

impl Resizes {
    /// Starts to watch for changes.
    pub fn watch() -> Self {
        Self(super::terminal::output_size())
    }

    /// Waits for the next change.
    pub async fn next(&mut self) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            let size = super::terminal::output_size();
            if size != self.0 {
                self.0 = size;
                return;
            }
        }
    }
}
