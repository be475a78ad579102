//! Connects a process in a container with this terminal.

use std::io::{self, Write as _};

use solvekit::gateway::{Error, Exit, Process, ProcessInput, ProcessOutput};
use solvekit_host::signals::Resizes;
use solvekit_host::terminal::{self, Raw};

use super::terminal::Keyboard;
use crate::cli::report::terminal::print_data;

/// Ctrl-A, and then C, detaches from the process.
const PREFIX: u8 = 1;
const LEAVE: u8 = b'c';

/// The reason why the process no longer has the terminal.
pub(super) enum Left {
    /// The process has ended.
    Exited(Option<Exit>),
    /// The user went back to the debugger; the process continues.
    Detached,
}

/// Connects the terminal with a process until it ends, or the user presses Ctrl-A C.
pub(super) async fn attach(
    process: &mut Process,
    keyboard: &mut Keyboard,
    is_terminal: bool,
) -> Result<Left, Error> {
    let _raw = is_terminal.then(Raw::set).transpose().unwrap_or_default();
    let input = process.input();
    let shown = show(process, is_terminal);
    let typed = forward(keyboard, &input, is_terminal);
    let resized = follow_size(&input, is_terminal);
    let left = tokio::select! {
        shown = shown => shown.map(|()| true),
        () = typed => Ok(false),
        () = resized => Ok(false),
    };
    match left? {
        true => Ok(Left::Exited(process.exit().cloned())),
        false => Ok(Left::Detached),
    }
}

/// Shows the process's output until it ends. On a terminal the process draws the screen itself.
async fn show(process: &mut Process, is_terminal: bool) -> Result<(), Error> {
    while let Some(output) = process.next().await? {
        print(&output, is_terminal);
    }
    Ok(())
}

/// Writes a piece of output.
pub(super) fn print(output: &ProcessOutput, is_terminal: bool) {
    if is_terminal {
        let mut stdout = io::stdout().lock();
        // If the terminal is gone, the build ends and the process with it.
        let _ = stdout.write_all(&output.data).and_then(|()| stdout.flush());
    } else {
        let _ = print_data(&output.data);
    }
}

/// Sends the keyboard's input until the user detaches.
async fn forward(keyboard: &mut Keyboard, input: &ProcessInput, is_terminal: bool) {
    if !is_terminal {
        return std::future::pending().await;
    }
    let mut after_prefix = false;
    while let Some(bytes) = keyboard.next().await {
        let mut sent = Vec::with_capacity(bytes.len());
        for (index, byte) in bytes.iter().enumerate() {
            match (after_prefix, *byte) {
                (true, LEAVE) => {
                    keyboard.put_back(&bytes[index + 1..]);
                    let _ = input.write(&sent).await;
                    return;
                }
                (false, PREFIX) => after_prefix = true,
                (held, byte) => {
                    // Ctrl-A twice sends one Ctrl-A.
                    if held && byte != PREFIX {
                        sent.push(PREFIX);
                    }
                    after_prefix = false;
                    sent.push(byte);
                }
            }
        }
        if input.write(&sent).await.is_err() {
            break;
        }
    }
    let _ = input.close().await;
    std::future::pending().await
}

/// Sends the terminal's size to the process, at the start and after each change.
async fn follow_size(input: &ProcessInput, is_terminal: bool) {
    if !is_terminal {
        return std::future::pending().await;
    }
    let mut changes = Resizes::watch();
    loop {
        if let Some((columns, rows)) = terminal::output_size()
            && input.resize(columns, rows).await.is_err()
        {
            break;
        }
        changes.next().await;
    }
    std::future::pending().await
}
