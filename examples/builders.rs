//! Named builders from Rust: adds one to a store that buildx reads too, and asks all of them for
//! their platforms.
//!
//! ```sh
//! export $(tests/engine up)
//! cargo run --example builders -- ~/.docker/buildx mine "$BUILDKIT_HOST"
//! ```
#![allow(clippy::print_stdout)]

use std::error::Error;

use solvekit::builder::{Builder, Contexts, Driver, Instance, NodeSettings, Store};
use solvekit::client::TimeLimits;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let store = Store::new(arguments.next().ok_or("the store's folder is missing")?);
    if let (Some(name), Some(endpoint)) = (arguments.next(), arguments.next()) {
        let mut builder = Builder::new(name, Driver::Remote);
        let node = NodeSettings {
            endpoint,
            ..NodeSettings::default()
        };
        builder.set_node(node, true)?;
        // The lock keeps others from changing the store. It is dropped at the end of this line.
        store.lock()?.save(&builder)?;
    }

    let docker_host = std::env::var("DOCKER_HOST").ok();
    let contexts = Contexts::new(None, docker_host, None)?;
    for builder in store.builders()? {
        let builder = builder?;
        for node in &builder.nodes {
            let instance = Instance::new(&builder, node, &contexts)?;
            let report = instance.report(TimeLimits::default()).await?;
            let platforms: Vec<String> = report.platforms.iter().map(ToString::to_string).collect();
            println!(
                "{} {} {} {}",
                builder.name,
                node.name,
                report.status,
                platforms.join(",")
            );
        }
    }
    Ok(())
}
