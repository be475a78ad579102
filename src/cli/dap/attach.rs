//! `solvekit dap attach`: connects a terminal of the editor with a container.

use std::io::Write as _;
use std::path::Path;

use solvekit::client::CONNECT_TIMEOUT;
use solvekit_host::sockets;
use solvekit_host::terminal::Raw;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::cli::debugger::terminal::{Keyboard, is_interactive};
use crate::cli::report::Failure;

/// Copies the terminal's input to the socket, and the answers to the terminal.
pub(super) async fn cmd_attach(path: &Path) -> Result<(), Failure> {
    let failed = |error| {
        let path = path.display();
        Failure::new(format!("cannot connect to the debugger at {path}: {error}"))
    };
    let stream = sockets::connect(path, CONNECT_TIMEOUT)
        .await
        .map_err(failed)?;
    let (mut from, mut to) = tokio::io::split(stream);
    let mut keyboard = Keyboard::open();
    let _raw = is_interactive()
        .then(Raw::set)
        .transpose()
        .unwrap_or_default();
    let shown = async {
        let mut buffer = vec![0; 4096];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let mut stdout = std::io::stdout().lock();
            let written = stdout.write_all(&buffer[..read]);
            if written.and_then(|()| stdout.flush()).is_err() {
                break;
            }
        }
    };
    let typed = async {
        while let Some(bytes) = keyboard.next().await {
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
        std::future::pending().await
    };
    tokio::select! {
        () = shown => {}
        () = typed => {}
    }
    Ok(())
}
