//! Signals: requests to end, and changes of the terminal's size.

use std::io;
use std::time::Duration;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
};

/// How often the size of the console is asked for again.
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
    /// Watches for them from now on; they no longer end the process.
    ///
    /// # Errors
    /// What the system says.
    pub fn watch() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            terminate: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.close.recv() => {}
            _ = self.shutdown.recv() => {}
        }
    }
}

/// Changes of the terminal's size. Windows reports them among the keys only, so they are looked
/// for.
#[derive(Debug)]
pub struct Resizes(Option<(u16, u16)>);

impl Resizes {
    /// Watches for them from now on.
    pub fn watch() -> Self {
        Self(super::terminal::output_size())
    }

    /// Waits for the next one.
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
