//! `solvekit dial-stdio`: connects standard input and output with a builder's gRPC API.

use crate::cli::args::complete;
use solvekit::client::ByteStream;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, copy, split};

use super::build;
use crate::cli::args::builder::Used;
use crate::cli::args::connection::{ConnectionArgs, say};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::talk;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DialStdioArgs {
    /// Choose a node that builds this platform
    #[arg(long, value_name = "PLATFORM", add = complete::platforms())]
    platform: Option<String>,

    /// Report on stderr which builder is used: auto, plain, tty or rawjson; quiet and none report
    /// nothing
    #[arg(
        long,
        value_name = "MODE",
        default_value = "auto",
        value_parser = ["auto", "plain", "tty", "rawjson", "quiet", "none"]
    )]
    progress: String,
}

const EXAMPLES: &str = "\
Example:
  solvekit dial-stdio --platform linux/arm64   for programs that speak gRPC over a pipe";

/// Copies in both directions until the daemon closes the connection.
pub(crate) async fn cmd_dial_stdio(
    args: &DialStdioArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let platforms: Vec<String> = args.platform.iter().cloned().collect();
    let platforms = build::platforms(&platforms, environment)?;
    let (client, used) = connection
        .connect_for(environment, &platforms, &say)
        .await?;
    let stream = client.open_stream().await?;
    if !matches!(args.progress.as_str(), "quiet" | "none") {
        talk(&describe(&used));
    }
    let talked = exchange(stream, tokio::io::stdin(), tokio::io::stdout()).await;
    talked.map_err(|error| Failure::new(format!("the connection to the builder broke: {error}")))
}

/// The line that names the builder in use.
pub(crate) fn describe(used: &Used) -> String {
    format!(
        "builder: {} ({}), node {}\n",
        used.builder, used.driver, used.node
    )
}

/// The end of the input is passed on; the end of the output ends the command.
async fn exchange(
    stream: ByteStream,
    mut input: impl AsyncRead + Unpin,
    mut output: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    let (mut from_daemon, mut to_daemon) = split(stream);
    let sending = async {
        copy(&mut input, &mut to_daemon).await?;
        to_daemon.shutdown().await?;
        std::future::pending().await
    };
    let receiving = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = tokio::io::AsyncReadExt::read(&mut from_daemon, &mut buffer).await?;
            if count == 0 {
                return output.shutdown().await;
            }
            output.write_all(&buffer[..count]).await?;
            // Standard output is buffered until it is flushed.
            output.flush().await?;
        }
    };
    tokio::select! {
        sent = sending => sent,
        received = receiving => received,
    }
}
