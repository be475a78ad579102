//! A build from Rust: builds `examples/hello` for two platforms on the daemon in BUILDKIT_HOST, and
//! pushes it if a name is given.
//!
//! ```sh
//! export $(tests/engine up)
//! cargo run --example build -- localhost:5000/demo/hello:from-rust
//! ```
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::Arc;

use solvekit::client::{Address, Client, ConnectOptions};
use solvekit::oci::{Platform, Reference};
use solvekit::pipeline::{self, BuildRequest, Environment, Output};
use solvekit::progress::{self, Display, Mode, Options};
use solvekit::registry::Credentials;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = Address::parse(&std::env::var("BUILDKIT_HOST")?)?;
    let client = Client::connect(&ConnectOptions::new(address)).await?;

    let mut request = BuildRequest::new("examples/hello");
    request.platforms = vec![
        Platform::parse("linux/amd64")?,
        Platform::parse("linux/arm64")?,
    ];
    if let Some(name) = std::env::args().nth(1) {
        request.tags = vec![Reference::parse(&name)?.with_default_tag()];
        request.outputs = vec![Output::push()];
    }

    // The caller provides everything about this process: the progress display, the credentials, and
    // the cancellation.
    let (writer, updates) = progress::channel();
    let display = Display::new(Mode::Plain, std::io::stderr(), Options::default());
    let shown = tokio::spawn(display.run(updates));
    let mut environment = Environment::default();
    environment.progress = Some(writer);
    if let Some(home) = std::env::home_dir() {
        environment.credentials = Arc::new(Credentials::new(home.join(".docker")));
    }
    let interrupt = environment.cancelled.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupt.cancel();
        }
    });

    let built = pipeline::run(&client, request, environment).await;
    shown.await?;
    match built?.digest() {
        Some(digest) => println!("{digest}"),
        None => println!("built; the result is in the daemon's cache"),
    }
    Ok(())
}
