//! Evaluates a bake file from Rust, and builds its group `default` on the daemon in BUILDKIT_HOST.
//! Further arguments are overrides, as after `--set`.
//!
//! ```sh
//! export $(tests/engine up)
//! cargo run --example bake -- examples/hello/docker-bake.hcl 'hello.tags=localhost:5000/demo/hello:bake' '*.push=true'
//! ```
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use solvekit::bake::{self, InputFile, LocalMachine, Options};
use solvekit::client::{Address, Client, ConnectOptions};
use solvekit::oci::Platform;
use solvekit::pipeline;
use solvekit::progress::{self, Display, Mode};
use solvekit::registry::{self, ClientOptions, Credentials};
use solvekit::spread::{Ended, Joint, Node, Nodes, Target};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or("the bake file is missing")?;
    let set: Vec<String> = arguments.collect();

    // Evaluating is pure: the caller provides the files, the variables and the machine.
    let variables: BTreeMap<String, String> = std::env::vars().collect();
    let folder = std::env::current_dir()?;
    let machine = LocalMachine::new(folder.to_string_lossy(), variables.clone());
    let environment = bake::Environment {
        variables,
        command_context: "cwd://".to_owned(),
        local_platform: Platform::host().to_string(),
        ..bake::Environment::default()
    };
    let files = [InputFile {
        bytes: bake::read_file(&name)?,
        name,
    }];
    let evaluation = bake::evaluate(&files, &environment, &machine, &machine, Options::default())?;
    let plan = evaluation.plan(&["default".to_owned()], &set, &environment)?;

    // Converts targets to builds. The graph of a linked target becomes a part of those that use it.
    let requests = bake::requests(&plan, &machine)?;
    let prepared = bake::prepare(&plan, requests).await?;
    let address = Address::parse(&std::env::var("BUILDKIT_HOST")?)?;
    let nodes = Nodes::one(Node {
        name: "only".to_owned(),
        client: Client::connect(&ConnectOptions::new(address)).await?,
        platforms: Vec::new(),
    });
    let mut targets = Vec::new();
    for (name, prepared) in prepared {
        let plan = nodes.plan(&prepared, Vec::new())?;
        targets.push(Target {
            name,
            prepared,
            plan,
        });
    }

    let (writer, updates) = progress::channel();
    let display = Display::new(Mode::Plain, std::io::stderr(), progress::Options::default());
    let shown = tokio::spawn(display.run(updates));
    let credentials = Arc::new(Credentials::none());
    let registries = registry::Client::new(Arc::clone(&credentials), ClientOptions::default());
    let mut run = pipeline::Environment::default();
    run.credentials = credentials;
    run.progress = Some(writer);
    let ended = nodes
        .build_all(targets, &Joint::default(), &registries, run)
        .await;
    shown.await?;
    for (name, end) in ended {
        match end {
            Ended::Built(built) => match built.outcome.digest() {
                Some(digest) => println!("{name} {digest}"),
                None => println!("{name} built"),
            },
            Ended::Failed(error) => return Err(error.into()),
            _ => return Err(format!("{name} was not built").into()),
        }
    }
    Ok(())
}
