//! Runs every command of five tutorials about multi-platform images, in order: `solvekit` replaces
//! `docker buildx`, `docker manifest`, `docker login`, `docker pull` and `docker run
//! tonistiigi/binfmt`, and its output is checked.
//!
//! `commands/` has the tutorials' commands, one per line. Each is printed with its replacement, or
//! with the reason why it is skipped (`cargo test --test seeds -- --nocapture` shows them). Names
//! of Docker Hub become names in the registries of `tests/engine`, whose mirror has the base
//! images. Images with BuildKit or emulators, which cannot be pulled here, have stand-ins under
//! their own names. Run `export $(tests/engine up golang)` first.

// Each step is printed.
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
/// The platforms as an index lists them.
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
