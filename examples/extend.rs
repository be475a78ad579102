//! Replaces parts of the library: a context that is not a folder, secrets from a vault,
//! credentials, an event log, an additional session service, a hook on each platform's graph, and a
//! program that runs on the files of a failed step.
//!
//! ```sh
//! export $(tests/engine up)
//! cargo run --example extend
//! ```
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use solvekit::client::{Address, Client, ConnectOptions};
use solvekit::debug::{self, Action, Debugger, Pause};
use solvekit::frontend::{Hook, HookError, PlatformGraph, Solving};
use solvekit::gateway::{self, Ref};
use solvekit::pipeline::{
    self, BuildRequest, Environment, FileEntry, FileSource, InputStream, MainContext,
};
use solvekit::progress::{self, Event, Sink};
use solvekit::registry::{Credential, CredentialProvider, Credentials, Provided, Secret};
use solvekit::session::{Attachable, SecretStore, Secrets, SessionBuilder};

const DOCKERFILE: &str = "\
FROM busybox
RUN --mount=type=secret,id=token test \"$(cat /run/secrets/token)\" = from-the-vault && echo it fits
COPY greeting /
RUN echo left behind >/note; false
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = Address::parse(&std::env::var("BUILDKIT_HOST")?)?;
    let client = Client::connect(&ConnectOptions::new(address)).await?;

    let context = MainContext::Stream(InputStream::of_files(Arc::new(Memory)));
    let mut request = BuildRequest::new(context);
    request.secrets = Secrets::new().with_store(Arc::new(Vault));

    let (writer, updates) = progress::channel();
    let shown = tokio::spawn(updates.into_sink(Log));
    let mut environment = Environment::default();
    environment.progress = Some(writer);
    environment.credentials = Arc::new(Credentials::none().with_provider(Arc::new(Cloud)));
    environment.attachables = vec![Arc::new(Service)];
    environment.hook = Some(Arc::new(Inspector));
    let built = pipeline::run(&client, request, environment).await;
    shown.await?;
    // The last step of the build fails.
    println!("{}", built.err().ok_or("it was built")?);
    Ok(())
}

/// A context in memory.
#[derive(Debug)]
struct Memory;

impl FileSource for Memory {
    fn entries(&self) -> io::Result<Vec<FileEntry>> {
        let size = DOCKERFILE.len() as u64;
        let files = [
            FileEntry::file("Dockerfile", size),
            FileEntry::file("greeting", 5),
        ];
        Ok(files.into())
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(match path {
            "Dockerfile" => DOCKERFILE,
            _ => "hello",
        })))
    }
}

/// Secrets that are looked up when a step needs them.
struct Vault;

#[tonic::async_trait]
impl SecretStore for Vault {
    async fn secret(&self, id: &str) -> Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>> {
        Ok((id == "token").then(|| b"from-the-vault".to_vec()))
    }
}

/// Credentials from outside Docker's files.
struct Cloud;

impl CredentialProvider for Cloud {
    fn credential<'a>(&'a self, registry: &'a str, _: Option<&'a str>) -> Provided<'a> {
        Box::pin(async move {
            let is_ours = registry == "registry.example.com";
            let secret = Secret::new("short-lived");
            Ok(is_ours.then(|| Credential::of_user("oauth2", secret)))
        })
    }
}

/// Receives the events of the build.
struct Log;

impl Sink for Log {
    fn take(&mut self, event: &Event) {
        for vertex in &event.update.vertexes {
            if vertex.completed.is_some() {
                println!("done: {}", vertex.name);
            }
        }
    }
}

/// Adds a service to the session: `SessionBuilder::service` accepts any gRPC service.
#[derive(Debug)]
struct Service;

impl Attachable for Service {
    fn attach(&self, session: SessionBuilder) -> SessionBuilder {
        session
    }
}

/// Labels each image, and inspects the files of a failed step.
#[derive(Debug)]
struct Inspector;

#[tonic::async_trait]
impl Hook for Inspector {
    async fn graph(&self, graph: PlatformGraph<'_>) -> Result<(), HookError> {
        let steps = graph.definition.vertices().len();
        println!("{} has {steps} steps", graph.platform);
        graph
            .image
            .config
            .labels
            .insert("steps".to_owned(), steps.to_string());
        Ok(())
    }

    async fn solve(&self, solving: Solving<'_>) -> Result<Ref, gateway::Error> {
        debug::run(solving, self).await
    }
}

#[tonic::async_trait]
impl Debugger for Inspector {
    async fn paused(&self, pause: &Pause<'_>) -> Action {
        match look(pause).await {
            Ok(text) => println!("the step left: {text}"),
            Err(error) => println!("{error}"),
        }
        Action::Continue
    }
}

/// Runs a program in the step's container.
async fn look(pause: &Pause<'_>) -> Result<String, gateway::Error> {
    let Some(container) = pause.container().await? else {
        return Ok("nothing".to_owned());
    };
    let mut process = container.start(&pause.process(["cat", "/note"])).await?;
    let mut text = String::new();
    while let Some(output) = process.next().await? {
        text.push_str(&String::from_utf8_lossy(&output.data));
    }
    container.release().await?;
    Ok(text.trim_end().to_owned())
}
