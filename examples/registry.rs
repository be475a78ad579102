//! The distribution API from Rust: prints the platforms of an image in a registry, and copies it to
//! another name, if one is given.
//!
//! ```sh
//! export $(tests/engine up)
//! cargo run --example registry -- localhost:5000/library/alpine localhost:5000/copies/alpine:mine
//! ```
#![allow(clippy::print_stdout)]

use std::error::Error;

use solvekit::oci::{Index, Reference};
use solvekit::registry::{Client, ClientOptions, Credentials};
use solvekit::transfer::{Event, Options, Place, Plan, Source, push};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut names = std::env::args().skip(1);
    let name = names.next().ok_or("an image's name is missing")?;
    let name = Reference::parse(&name)?.with_default_tag();

    // Uses the credentials of `docker login`. A registry that needs none gets none.
    let credentials = match std::env::home_dir() {
        Some(home) => Credentials::new(home.join(".docker")),
        None => Credentials::none(),
    };
    let client = Client::new(credentials.into(), ClientOptions::default());

    let found = client.manifest(&name).await?;
    println!(
        "{} {}",
        found.descriptor.digest, found.descriptor.media_type
    );
    if let Ok(index) = serde_json::from_slice::<Index>(&found.bytes) {
        for entry in &index.manifests {
            if let Some(platform) = &entry.platform {
                println!("{} {platform}", entry.digest);
            }
        }
    }

    let Some(copy) = names.next() else {
        return Ok(());
    };
    let copy = Reference::parse(&copy)?.with_default_tag();
    let source = Source::open(&Place::Registry(name), &client).await?;
    let plan = Plan::of(&source, None).await?;
    let options = Options::default().with_observer(|event| {
        if let Event::Manifest {
            name: Some(name),
            descriptor,
        } = event
        {
            println!("{name}@{}", descriptor.digest);
        }
    });
    push(&source, &plan, &[copy], &client, &options).await?;
    Ok(())
}
