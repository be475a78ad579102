//! Builds a graph by hand and solves it on the daemon in BUILDKIT_HOST: copies a folder, and adds a
//! file.
//!
//! ```sh
//! export $(tests/engine up)
//! cargo run --example llb -- out
//! ```
#![allow(clippy::print_stdout)]

use std::error::Error;

use solvekit::client::{Address, Client, ConnectOptions};
use solvekit::llb::{self, Constraints, Copy, File, Local, MarshalOptions, State};
use solvekit::pipeline::{self, Environment, GraphRequest, Output, Work};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let graph = graph()?;
    println!("{}", llb::render::tree(&[(String::new(), &graph)], 80));

    let address = Address::parse(&std::env::var("BUILDKIT_HOST")?)?;
    let client = Client::connect(&ConnectOptions::new(address)).await?;
    let mut request = GraphRequest::new(Work::Graph(graph));
    request.folders = [("hello".to_owned(), "examples/hello".into())].into();
    if let Some(folder) = std::env::args().nth(1) {
        request.outputs = vec![format!("type=local,dest={folder}").parse::<Output>()?];
    }
    let solved = pipeline::solve(&client, request, Environment::default()).await?;
    println!("built {}", solved.build_ref);
    Ok(())
}

/// File operations need no base image. A step that runs a program does: see [`llb::image`] and
/// [`State::run`], with the image's own settings by [`State::with_image_config`].
fn graph() -> Result<llb::Definition, Box<dyn Error>> {
    let named = |name: &str| Constraints::new().named(name);
    let hello = llb::local("hello", &Local::default(), named("load the folder"));
    let copied = State::scratch().file(
        File::new().copy(&hello, "/", "/app/", Copy::default()),
        named("copy it"),
    );
    let made = copied.file(
        File::new().make_file("/app/made-by", 0o644, "solvekit\n"),
        named("say who made it"),
    );
    Ok(made.marshal(&MarshalOptions::default())?)
}
