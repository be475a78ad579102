//! The keyboard and the terminal's modes while a build is paused.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc;

/// The interval at which the reader checks if it is still needed.
const INTERVAL: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

/// The modes to restore if the process exits. Locked while modes change and while input is read: a
/// read that starts in one mode could block in another.
static SAVED: Mutex<Option<Termios>> = Mutex::new(None);

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
        if let Some(thread) = self.thread.take() {
            // The thread ends within one interval.
            let _ = thread.join();
        }
    }
}

/// Reads only available input, so that it can end while nobody types.
fn read(sender: &mpsc::Sender<Vec<u8>>, stop: &AtomicBool) {
    let mut buffer = [0; 4096];
    while !stop.load(Ordering::Relaxed) {
        if !is_readable(&INTERVAL) {
            continue;
        }
        let read = {
            let _modes = SAVED.lock().unwrap_or_else(PoisonError::into_inner);
            match is_readable(&Timespec::default()) {
                true => rustix::io::read(io::stdin(), &mut buffer),
                false => continue,
            }
        };
        match read {
            Ok(read @ 1..) => {
                if sender.blocking_send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Ok(0) | Err(_) => return,
        }
    }
}

/// True if stdin has input or has ended.
fn is_readable(within: &Timespec) -> bool {
    let stdin = io::stdin();
    let mut waited = [PollFd::new(&stdin, PollFlags::IN)];
    // If polling fails, read anyway: the read reports the error.
    !matches!(
        poll(&mut waited, Some(within)),
        Ok(0) | Err(rustix::io::Errno::INTR)
    )
}

/// True if a person is at the terminal.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Columns and rows of the terminal.
pub(crate) fn size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some((size.ws_col, size.ws_row)).filter(|(columns, rows)| *columns > 0 && *rows > 0)
}

/// Raw mode: the terminal passes every key on, until this is dropped.
pub(crate) struct Raw;

impl Raw {
    pub(crate) fn set() -> io::Result<Self> {
        let mut saved = SAVED.lock().unwrap_or_else(PoisonError::into_inner);
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        *saved = Some(before);
        Ok(Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// Restores the modes of the terminal, if they are changed.
pub(crate) fn restore() {
    let mut saved = SAVED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(before) = saved.take() {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}
