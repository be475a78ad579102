//! Runs programs in the container of a paused thread: in a terminal of the editor, or to return
//! their output.

use serde_json::json;
use solvekit::debug::Pause;
use solvekit::gateway::Container;
use solvekit_host::sockets::{Accepted, Listener};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

use super::client::{Asked, Client};
use crate::cli::debugger::split_words;

/// The most output that is returned, in bytes.
const OUTPUT: usize = 64 << 10;
/// How long the editor's terminal may take to connect.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// The terminals of a paused thread.
#[derive(Default)]
pub(super) struct Terminals {
    listener: Option<(Listener, tempfile_path::Folder)>,
    asking: Vec<JoinHandle<()>>,
}

impl Terminals {
    /// Asks the editor for a terminal that connects to a socket of the adapter.
    pub(super) fn open(&mut self, client: Client, asked: Asked) -> Result<(), String> {
        if self.listener.is_none() {
            let folder = tempfile_path::Folder::new().map_err(|error| error.to_string())?;
            let listener = Listener::bind(&folder.socket()).map_err(|error| error.to_string())?;
            self.listener = Some((listener, folder));
        }
        let Some((_, folder)) = &self.listener else {
            return Ok(());
        };
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let socket = folder.socket().display().to_string();
        let arguments = json!({
            "kind": "integrated",
            "title": "solvekit",
            "cwd": "",
            "args": [program.display().to_string(), "dap", "attach", socket],
        });
        self.asking.push(tokio::spawn(async move {
            let opened = tokio::time::timeout(PATIENCE, client.ask("runInTerminal", arguments));
            let answer = match opened.await {
                Ok(Ok(())) => Ok(json!({
                    "result": format!("Started process attached to {socket}."),
                    "variablesReference": 0,
                })),
                Ok(Err(reason)) => Err(reason),
                Err(_) => Err("the client opened no terminal".to_owned()),
            };
            client.respond(&asked, answer);
        }));
        Ok(())
    }

    /// Serves one terminal to its end. Without a terminal it waits forever.
    pub(super) async fn serve(&mut self, pause: &Pause<'_>) {
        let accepted = match &mut self.listener {
            None => std::future::pending().await,
            Some((listener, _)) => listener.accept().await,
        };
        if let Ok(mut stream) = accepted {
            let served = shell(pause, &mut stream).await;
            if let Err(reason) = served {
                let _ = stream.write_all(format!("{reason}\r\n").as_bytes()).await;
            }
        }
    }

    pub(super) async fn end(self) {
        for asking in self.asking {
            asking.abort();
            let _ = asking.await;
        }
    }
}

async fn container(pause: &Pause<'_>) -> Result<Container, String> {
    let container = pause.container().await.map_err(|error| error.to_string())?;
    container.ok_or_else(|| "this step has no files to run in".to_owned())
}

/// Runs a shell for a connected terminal. If dropped, the container lives until the build ends.
async fn shell(pause: &Pause<'_>, stream: &mut Accepted) -> Result<(), String> {
    let container = container(pause).await?;
    let mut process = pause.process(["/bin/sh"]);
    (process.terminal, process.input) = (true, true);
    let mut process = match container.start(&process).await {
        Ok(process) => process,
        Err(error) => {
            let _ = container.release().await;
            return Err(error.to_string());
        }
    };
    let input = process.input();
    let (mut from, mut to) = tokio::io::split(stream);
    let shown = async {
        while let Ok(Some(output)) = process.next().await {
            if to.write_all(&output.data).await.is_err() {
                break;
            }
        }
    };
    let typed = async {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            if input.write(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = shown => {}
        () = typed => {}
    }
    drop(process);
    let _ = container.release().await;
    Ok(())
}

/// The output of a program.
pub(super) async fn output(pause: &Pause<'_>, command: &str) -> Result<String, String> {
    let words = split_words(command).ok_or("a quote is not closed")?;
    let container = container(pause).await?;
    let run = async {
        let mut process = container.start(&pause.process(words)).await?;
        let mut text = Vec::new();
        while let Some(output) = process.next().await? {
            let room = OUTPUT.saturating_sub(text.len());
            text.extend(&output.data[..output.data.len().min(room)]);
        }
        let code = process.exit().map_or(0, |exit| exit.code);
        Ok::<_, solvekit::gateway::Error>((String::from_utf8_lossy(&text).into_owned(), code))
    };
    let ran = run.await;
    let _ = container.release().await;
    match ran {
        Ok((text, 0)) => Ok(text),
        Ok((text, code)) => Ok(format!("{text}\nexit code {code}")),
        Err(error) => Err(error.to_string()),
    }
}

mod tempfile_path {
    //! A private folder for a socket.

    use std::io;
    use std::path::{Path, PathBuf};

    use solvekit_host::{files::make_private_folder, sockets::HAS_PIPES};

    /// A folder that is removed when this is dropped.
    pub(super) struct Folder(PathBuf);

    impl Folder {
        pub(super) fn new() -> io::Result<Self> {
            let id = solvekit::session::new_id().map_err(io::Error::other)?;
            let path = std::env::temp_dir().join(format!("solvekit-dap-{id}"));
            make_private_folder(&path)?;
            Ok(Self(path))
        }

        pub(super) fn socket(&self) -> PathBuf {
            match (HAS_PIPES, self.0.file_name()) {
                (true, Some(name)) => Path::new(r"\\.\pipe").join(name),
                _ => self.0.join("s.sock"),
            }
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(self.socket());
            let _ = std::fs::remove_dir(&self.0);
        }
    }
}
