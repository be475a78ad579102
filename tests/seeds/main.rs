//! Every command of five documents about images for several platforms, in the documents' order:
//! `solvekit` stands where they say `docker buildx`, `docker manifest`, `docker login`, `docker
//! pull` and `docker run tonistiigi/binfmt`, and what it prints is checked.
//!
//! `commands/` has the documents' commands, one a line. Each is printed with what is run for it, or
//! with the reason why it is left out (`cargo test --test seeds -- --nocapture` shows them). Names
//! of Docker Hub become names in the registries of `tests/engine`, whose mirror has the base
//! images; images with BuildKit or emulators, which cannot be pulled here, have stand-ins under
//! their own names. `export $(tests/engine up golang)` comes first.

// Each step is listed.
#![allow(clippy::print_stdout)]

#[path = "../support/mod.rs"]
mod support;

mod container;
mod document;
mod images;

mod buildx_environment;
mod clash_dashboard;
mod experimental_features;
mod manifest_lists;
mod mirrored_builder;

const EIGHT: &str = "linux/386,linux/amd64,linux/arm/v5,linux/arm/v7,linux/arm64/v8,linux/mips64le,linux/ppc64le,linux/s390x";
/// As an index names them.
const EIGHT_IN_INDEX: [&str; 8] = [
    "linux/386",
    "linux/amd64",
    "linux/arm/v5",
    "linux/arm/v7",
    "linux/arm64",
    "linux/mips64le",
    "linux/ppc64le",
    "linux/s390x",
];
