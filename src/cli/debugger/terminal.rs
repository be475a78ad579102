//! The keyboard and the terminal's modes while a build is paused.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use solvekit_host::terminal::{READS_BLOCK, read_keys};
use tokio::sync::mpsc;

/// The interval at which the reader checks if it is still needed.
const INTERVAL: Duration = Duration::from_millis(50);

/// The input from the keyboard or stdin. Its thread ends with it.
#[derive(Debug)]
pub(crate) struct Keyboard {
    bytes: mpsc::Receiver<Vec<u8>>,
    /// Bytes that were read ahead.
    rest: Vec<u8>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keyboard {
    pub(crate) fn open() -> Self {
        let (sender, bytes) = mpsc::channel(1);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || read(&sender, &stopped));
        Self {
            bytes,
            rest: Vec::new(),
            stop,
            thread: Some(thread),
        }
    }

    /// The next bytes; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        match self.rest.is_empty() {
            true => self.bytes.recv().await,
            false => Some(std::mem::take(&mut self.rest)),
        }
    }

    /// Puts bytes back.
    pub(crate) fn put_back(&mut self, bytes: &[u8]) {
        self.rest = bytes.to_vec();
    }

    /// The next line without its newline; `None` at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        loop {
            let Some(bytes) = self.next().await else {
                return (!line.is_empty()).then(|| text(&line));
            };
            match bytes.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    line.extend(&bytes[..end]);
                    self.put_back(&bytes[end + 1..]);
                    return Some(text(&line));
                }
                None => line.extend(bytes),
            }
        }
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line)
        .trim_end_matches('\r')
        .to_owned()
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.bytes.close();
        if let Some(thread) = self.thread.take().filter(|_| !READS_BLOCK) {
            // The thread ends within one interval.
            let _ = thread.join();
        }
    }
}

/// Reads only available input, so that it can end while nobody types.
fn read(sender: &mpsc::Sender<Vec<u8>>, stop: &AtomicBool) {
    let mut buffer = [0; 4096];
    while !stop.load(Ordering::Relaxed) {
        match read_keys(&mut buffer, INTERVAL) {
            Ok(None) => {}
            Ok(Some(read @ 1..)) => {
                if sender.blocking_send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
            Ok(Some(0)) | Err(_) => return,
        }
    }
}

/// True if a person is at the terminal.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}
